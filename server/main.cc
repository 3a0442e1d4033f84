// penstockd: reads the configuration, serves, reloads on SIGHUP, drains on SIGTERM or
// SIGINT.
//
// Exit codes: 0 after an orderly end, 1 if it could not start, 2 for a wrong
// flag, 78 for a wrong configuration, 128 + the signal's number if a second
// signal ended it at once.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "fmt/format.h"
#include "fmt/ranges.h"
#include "server/config/load.h"
#include "server/config/wipe_freed.h"
#include "server/daemon.h"
#include "server/database/config_check.h"
#include "server/descriptors.h"
#include "server/log/log.h"
#include "server/reload.h"
#include "server/runtime/core_dumps.h"
#include "server/runtime/file_modes.h"
#include "server/signals.h"

namespace penstock::server {
namespace {

// The most time that closing connections may take after a drain, and the migrations of the start
// after a cancel.
constexpr auto kUnwinding = std::chrono::seconds(5);

// The most time that the end waits for a reader of the log.
constexpr auto kLastLines = std::chrono::seconds(1);

// Ends the process soon. All that there was to end has ended by now, or will not for a while: gRPC
// waits for ever for a client that does not read its socket, for example a stopped process.
void ExitSoon(std::string_view why, const std::atomic<bool>* unless = nullptr) {
  std::thread([why, unless] {
    std::this_thread::sleep_for(kUnwinding);
    if (unless != nullptr && *unless) return;
    Log(Level::kWarn, why);
    FlushLog(kLastLines);
    _exit(0);
  }).detach();
}

int Fail(int code, const absl::Status& status) {
  LogFatal(std::string(status.message()));
  FlushLog(kLastLines);
  return code;
}

void Drain(const Config& config, int signal, std::unique_ptr<Daemon> daemon) {
  Log(Level::kInfo, "draining",
      {{"signal", signal}, {"grace_ms", config.server.drain_grace.count()}});
  daemon->Drain();
  ExitSoon("stopped before all connections were closed: a client does not read");
  daemon.reset();
}

// Tells what an attempt to connect has found in the file of a password.
void TellOfPassword(const std::string& database, const absl::Status& status) {
  if (status.ok()) {
    Log(Level::kInfo, "a password was reloaded: new connections use it", {{"database", database}});
  } else {
    Log(Level::kWarn, "a password cannot be read again: the last one goes on",
        {{"database", database}, {"problem", std::string(status.message())}});
  }
}

// Serves until a signal stops it.
void Run(const CommandLine& command_line, const Config& config, Signals* signals, Daemon* daemon) {
  const std::string addresses = fmt::format("{}", fmt::join(daemon->grpc_addresses(), " "));
  const std::string http = daemon->http_address();
  // Standard output has this one line and nothing else, so that whoever starts the daemon can wait
  // for it.
  fmt::print("penstockd ready: grpc {}{}{}\n", addresses, http.empty() ? "" : " http ", http);
  std::fflush(stdout);
  Log(Level::kInfo, "ready",
      {{"grpc", addresses}, {"http", http}, {"databases", config.databases.size()}});
  while (signals->Wait() == Signals::Event::kReload) {
    // The fresh configuration ends here.
    const WipeFreed wiping;
    CommandLine again = command_line;
    again.check = true;  // creates nothing
    Reload(config, LoadConfig(again, ProcessEnvironment(), CheckMigrations, TellOfPassword),
           daemon);
  }
}

int Serve(const CommandLine& command_line, const Config& config) {
  // They are never destroyed: threads use them while the process ends.
  auto* const cancellation = new driver::Cancellation;
  auto* const serving = new std::atomic<bool>(false);
  auto* const signals = new Signals([=](int) {
    cancellation->Cancel(absl::CancelledError("stopped by a signal before it served"));
    ExitSoon("stopped before it served: the work at the start does not end", serving);
  });
  absl::StatusOr<std::unique_ptr<Daemon>> daemon = Daemon::Start(config, cancellation);
  const bool served = daemon.ok();
  *serving = true;
  if (served) {
    Run(command_line, config, signals, daemon->get());
    Drain(config, signals->stopped_by(), *std::move(daemon));
  } else if (signals->stopped_by() == 0) {
    return Fail(1, daemon.status());
  }
  Log(Level::kInfo, "stopped", {{"served", served}});
  FlushLog(kLastLines);
  return 0;
}

// Mistakes in the configuration have the log's form that was chosen outside of it, too.
void InitEarlyLogging(const CommandLine& command_line) {
  LogConfig config;
  const auto variable = ProcessEnvironment()("PENSTOCK_LOG_FORMAT");
  config.format = command_line.log_format.value_or(variable.value_or(config.format));
  InitLogging(config);
}

int Main(int argc, char** argv) {
  RaiseDescriptorLimit();
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
  InitEarlyLogging(*command_line);
  absl::StatusOr<Config> config =
      LoadConfig(*command_line, ProcessEnvironment(), CheckMigrations, TellOfPassword);
  if (!config.ok()) return Fail(kExitConfig, config.status());
  InitLogging(config->log);
  if (config->server.core_dumps) AllowCoreDumps();
  if (command_line->check) {
    fmt::print("{}{}", config->notes, config->notes.empty() ? "" : "\n");
    fmt::print("the configuration is valid: {} database(s)\n", config->databases.size());
    return 0;
  }
  return Serve(*command_line, *config);
}

}  // namespace
}  // namespace penstock::server

// This runs before the constructors of libraries, some of which open something.
__attribute__((section(".preinit_array"), used)) void (*const keep_standard_descriptors)() =
    &penstock::server::KeepStandardDescriptors;

// Belongs to the leak sanitizer, in a build that has it.
// NOLINTNEXTLINE(bugprone-reserved-identifier): the sanitizer names it.
extern "C" [[gnu::weak]] void __lsan_do_leak_check();

int main(int argc, char** argv) {
  penstock::server::MakeFilesPrivate();
  penstock::server::ForbidCoreDumps();
  const int code = penstock::server::Main(argc, argv);
  std::fflush(nullptr);
  if (__lsan_do_leak_check != nullptr) __lsan_do_leak_check();
  // exit() would also take the global state of OpenSSL and gRPC away, under the threads that gRPC
  // keeps.
  _exit(code);
}
