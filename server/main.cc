// penstockd: reads the configuration, serves, drains on SIGTERM or SIGINT.
//
// Exit codes: 0 after an orderly end, 1 if it could not start, 2 for a wrong
// flag, 78 for a wrong configuration, 128 + the signal's number if a second
// signal ended it at once.
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "fmt/format.h"
#include "fmt/ranges.h"
#include "server/config/load.h"
#include "server/daemon.h"
#include "server/log/log.h"
#include "server/runtime/file_modes.h"
#include "server/session/database.h"

namespace penstock::server {
namespace {

// The longest that closing connections may take after a drain.
constexpr auto kUnwinding = std::chrono::seconds(5);

// Signals are taken by sigwait, so they are blocked before any thread starts.
sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// While the daemon drains, a second signal ends the process at once.
void ExitOnNextSignal() {
  std::thread([] {
    const sigset_t signals = StopSignals();
    int signal = 0;
    sigwait(&signals, &signal);
    _exit(128 + signal);
  }).detach();
}

// What there was to end has ended when this is called. gRPC goes on waiting for a
// client that does not read its socket, a stopped process for example, for ever.
void ExitSoon() {
  std::thread([] {
    std::this_thread::sleep_for(kUnwinding);
    Log(Level::kWarn, "stopped before all connections were closed: a client does not read");
    _exit(0);
  }).detach();
}

int Fail(int code, const absl::Status& status) {
  fmt::print(stderr, "penstockd: {}\n", std::string(status.message()));
  return code;
}

int Serve(const Config& config) {
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  absl::StatusOr<std::unique_ptr<Daemon>> daemon = Daemon::Start(config);
  if (!daemon.ok()) return Fail(1, daemon.status());
  const std::string addresses = fmt::format("{}", fmt::join((*daemon)->grpc_addresses(), " "));
  const std::string http = (*daemon)->http_address();
  // Standard output has this one line and nothing else: whoever starts the
  // daemon can wait for it.
  fmt::print("penstockd ready: grpc {}{}{}\n", addresses, http.empty() ? "" : " http ", http);
  std::fflush(stdout);
  Log(Level::kInfo, "ready",
      {{"grpc", addresses}, {"http", http}, {"databases", config.databases.size()}});

  int signal = 0;
  sigwait(&signals, &signal);
  ExitOnNextSignal();
  Log(Level::kInfo, "draining",
      {{"signal", signal}, {"grace_ms", config.server.drain_grace.count()}});
  (*daemon)->Drain();
  ExitSoon();
  daemon->reset();
  Log(Level::kInfo, "stopped");
  return 0;
}

int Main(int argc, char** argv) {
  absl::StatusOr<CommandLine> command_line = ParseCommandLine(argc, argv);
  if (!command_line.ok()) return Fail(kExitUsage, command_line.status());
  if (!command_line->help.empty()) {
    fmt::print("{}", command_line->help);
    return 0;
  }
  if (command_line->show_version) {
    fmt::print("penstockd {}\n", PENSTOCK_VERSION);
    return 0;
  }
  absl::StatusOr<Config> config = LoadConfig(*command_line, ProcessEnvironment());
  if (!config.ok()) return Fail(kExitConfig, config.status());
  const absl::Status databases = Databases::Check(*config);
  if (!databases.ok()) return Fail(kExitConfig, databases);
  InitLogging(config->log);
  if (command_line->check) {
    fmt::print("the configuration is good: {} database(s)\n", config->databases.size());
    return 0;
  }
  return Serve(*config);
}

}  // namespace
}  // namespace penstock::server

// Of the leak sanitizer, in a build that has it.
extern "C" [[gnu::weak]] void __lsan_do_leak_check();

int main(int argc, char** argv) {
  penstock::server::MakeFilesPrivate();
  const int code = penstock::server::Main(argc, argv);
  std::fflush(nullptr);
  if (__lsan_do_leak_check != nullptr) __lsan_do_leak_check();
  // What exit() does besides, taking the global state of OpenSSL and gRPC away, would do so
  // under the threads that gRPC keeps.
  _exit(code);
}
