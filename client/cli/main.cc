// penstock: SQL in a terminal, through a Penstock daemon. `penstock --help`
// tells what it does and what it ends with.
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/commands.h"
#include "client/cli/encode.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "penstock/provider.h"

namespace penstock::cli {
namespace {

// A standard descriptor that is closed would be that of the next file to be opened, which
// here is one of gRPC's, before main. What takes its place cannot be used as it would be:
// standard input is not read, nor output written, so that the error is told as any other.
// Nothing is there yet when this runs, so it makes system calls and nothing else.
__attribute__((no_sanitize("address", "undefined"))) void KeepStandardDescriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (syscall(SYS_fcntl, fd, F_GETFD) >= 0) continue;
    // The lowest that is free, which is this one.
    syscall(SYS_openat, AT_FDCWD, "/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

// Runs before what other libraries do when they are loaded.
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
    std::string message;
    AppendPrintable(
        std::string_view(parsed.status().message().data(), parsed.status().message().size()),
        &message);
    std::cerr << "penstock: " << message << "\n`penstock --help` tells more.\n";
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

// Of the leak sanitizer, in a build that has it.
// NOLINTNEXTLINE(bugprone-reserved-identifier): the sanitizer names it.
extern "C" [[gnu::weak]] void __lsan_do_leak_check();

int main(int argc, char** argv) {
  // What gRPC logs by itself is told below, in fewer words.
  setenv("GRPC_VERBOSITY", "NONE", /*replace=*/0);
  // A write to a closed pipe is to fail rather than to end the process.
  signal(SIGPIPE, SIG_IGN);
  const int code = penstock::cli::Main(std::vector<std::string>(argv + 1, argv + argc));
  std::cerr.flush();
  if (__lsan_do_leak_check != nullptr) __lsan_do_leak_check();
  // Everything has been written. What exit() does besides, taking the global state of
  // OpenSSL and gRPC away, would do so under the threads that gRPC keeps.
  _exit(code);
}
