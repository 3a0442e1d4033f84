// The memory of a process, in which secrets are looked for.
#ifndef PENSTOCK_TESTS_SUPPORT_MEMORY_IMAGE_H_
#define PENSTOCK_TESTS_SUPPORT_MEMORY_IMAGE_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace penstock::testing {

// Returns each place at which `text` is in the memory that the process can read, as
// "7f12a4c01230 [heap]". It is what a core dump would have. Fails the test if the memory
// cannot be read: that needs the process's user, a process that may be dumped, and a parent of it
// or kernel.yama.ptrace_scope 0, or it needs root.
std::vector<std::string> FindInMemory(pid_t pid, const std::string& text);

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_MEMORY_IMAGE_H_
