// How much memory this process may use.
#ifndef PENSTOCK_DRIVERS_API_PROCESS_MEMORY_H_
#define PENSTOCK_DRIVERS_API_PROCESS_MEMORY_H_

#include <cstddef>
#include <string>

namespace penstock::driver {

// In bytes: what the machine has, or less where a control group of the process is given
// less. Reads files; thread-safe.
size_t ProcessMemory();

// The smallest limit of the control groups that /proc/self/cgroup (`membership`) names, and
// of those around them, below `root`; 0: there is none. For ProcessMemory and its test.
size_t ControlGroupMemory(const std::string& membership, const std::string& root);

}  // namespace penstock::driver

#endif  // PENSTOCK_DRIVERS_API_PROCESS_MEMORY_H_
