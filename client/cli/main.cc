// penstock: runs SQL and other commands through a Penstock daemon. `penstock --help` explains the
// commands and exit codes.
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "client/cli/commands.h"
#include "client/cli/encode.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "penstock/provider.h"
#include "text/string_views.h"

namespace penstock::cli {
namespace {

// If a standard descriptor is closed, the next file that is opened would get its number; here that
// would be a file of gRPC's, which is opened before main. Opens /dev/null in its place, in the
// wrong direction, so that reading standard input or writing output fails and is reported as any
// other error. Runs before the C++ runtime and the sanitizers are ready, so it may only make system
// calls.
__attribute__((no_sanitize("address", "undefined"))) void KeepStandardDescriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (syscall(SYS_fcntl, fd, F_GETFD) >= 0) continue;
    // Returns the lowest free descriptor, which is this one.
    syscall(SYS_openat, AT_FDCWD, "/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

// The entries of .preinit_array run before the initialisers of shared libraries.
[[gnu::section(".preinit_array"), gnu::used]] void (*const kBeforeAll)() = KeepStandardDescriptors;

ExitCode Print(const std::string& text) {
  Output out(STDOUT_FILENO);
  *out.buffer() = text;
  const absl::Status written = out.Flush();
  if (!written.ok()) std::cerr << DescribeError(written);
  return written.ok() ? kExitOk : kExitFailed;
}

ExitCode Main(const std::vector<std::string>& arguments) {
  const absl::StatusOr<ParsedOptions> parsed = ParseOptions(arguments);
  if (!parsed.ok()) {
    std::cerr << "penstock: " << Printable(ToStd(parsed.status().message()))
              << "\nRun `penstock --help` for help.\n";
    return kExitUsage;
  }
  if (!parsed->text.empty()) return Print(parsed->text);
  const absl::StatusOr<std::unique_ptr<Provider>> db = MakeProvider(parsed->options);
  if (!db.ok()) {
    std::cerr << DescribeError(db.status());
    return kExitUsage;
  }
  Output out(STDOUT_FILENO);
  return RunCommand(parsed->options, db->get(),
                    {.in = STDIN_FILENO, .out = &out, .err = &std::cerr});
}

}  // namespace
}  // namespace penstock::cli

// Declared weak, because only builds with the leak sanitizer have it.
// NOLINTNEXTLINE(bugprone-reserved-identifier): the sanitizer names it.
extern "C" [[gnu::weak]] void __lsan_do_leak_check();

int main(int argc, char** argv) {
  // gRPC's own log lines are redundant: the command reports its errors itself.
  setenv("GRPC_VERBOSITY", "NONE", /*replace=*/0);
  // A write to a closed pipe must fail instead of ending the process.
  signal(SIGPIPE, SIG_IGN);
  const int code = penstock::cli::Main(std::vector<std::string>(argv + 1, argv + argc));
  std::cerr.flush();
  if (__lsan_do_leak_check != nullptr) __lsan_do_leak_check();
  // All output has been written. exit() would also destroy the global state of OpenSSL and gRPC
  // while gRPC's threads still use it.
  _exit(code);
}
