#include "tests/endurance/supervised.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "fmt/format.h"

namespace penstock::testing {
namespace {

using std::chrono::steady_clock;

// Small limits, so that what exceeds them is cheap to make. watch.cc computes the daemon's
// memory from them.
constexpr char kConfig[] = R"(
data_dir: {0}/data
server:
  listen: ['127.0.0.1:0', 'unix:{0}/penstock.sock']
  http_listen: '127.0.0.1:0'
  core_dumps: true  # so that a test that is not root's may look at its descriptors
  max_message_bytes: 4MiB
  max_connections: 200
  max_streams_by_connection: 500
  stall_timeout: 5s
  drain_grace: {1}ms
default_database: lite
databases:
  lite: {{driver: sqlite}}
  keys: {{driver: pebble, options: {{block_cache_mib: 16, write_buffer_mib: 8}}}}
  server: {{driver: postgres, connection_string: '{2}', connect_timeout: 1s}}
)";

}  // namespace

Supervised::Supervised(const std::string& server) {
  std::ofstream(file("penstock.yaml"))
      << fmt::format(kConfig, folder_.path(), kGrace.count(), server);
}

Supervised::Running Supervised::running() const {
  const std::lock_guard lock(mutex_);
  return running_;
}

bool Supervised::EnsureRunning() {
  if (process_ != nullptr && running().pid != 0) return true;
  // A sanitizer would refuse a library that comes before its own.
  const char* set = std::getenv("ASAN_OPTIONS");
  const std::vector<std::string> command = {
      "env",
      "LD_PRELOAD=" + BuiltProgram("full_disk.so"),
      "PENSTOCK_FULL_DISK=" + file("full"),
      fmt::format("ASAN_OPTIONS={}:verify_asan_link_order=0", set != nullptr ? set : ""),
      BuiltProgram("penstockd"),
      "--config",
      file("penstock.yaml")};
  process_ = std::make_unique<Process>(command, folder_.path());
  const std::string line = process_->LineAfter("penstockd ready: grpc ");
  if (line.empty()) return false;
  const std::lock_guard lock(mutex_);
  running_ = {.pid = process_->pid(),
              .tcp = line.substr(0, line.find_first_of(", ")),
              .http = line.substr(line.rfind(' ') + 1),
              .number = running_.number + 1,
              .since = steady_clock::now()};
  return true;
}

std::string Supervised::End(int signal) {
  const Running ending = running();
  {
    const std::lock_guard lock(mutex_);
    running_.pid = 0;
  }
  const auto began = steady_clock::now();
  process_->Signal(signal);
  const int code = process_->Wait();
  const auto took = steady_clock::now() - began;
  const int expected = signal == SIGKILL ? 128 + SIGKILL : 0;
  if (code == expected && took < kStopsWithin) return "";
  return fmt::format("daemon {} was sent {} and ended with {} after {} ms; it logged\n{}",
                     ending.number, signal, code,
                     std::chrono::duration_cast<std::chrono::milliseconds>(took).count(), log());
}

void Supervised::FillDisk(bool full) {
  if (full) {
    std::ofstream(file("full")) << "the disk is full";
  } else {
    std::filesystem::remove(file("full"));
  }
}

std::string Supervised::CheckLog() const {
  // The limiter's: 100 lines of a kind at once, and 10 a second. No more than this many
  // kinds can be brought about by what happens here.
  constexpr int64_t kKinds = 12;
  const std::string all = log();
  const int64_t lines = std::count(all.begin(), all.end(), '\n');
  const auto lived = steady_clock::now() - running().since;
  const int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(lived).count() + 1;
  if (lines <= kKinds * (100 + 10 * seconds)) return "";
  return fmt::format("{} lines of log in {} s; the last are\n{}", lines, seconds,
                     all.substr(all.size() - std::min<size_t>(all.size(), 3000)));
}

int64_t Supervised::resident_bytes() const {
  const pid_t pid = running().pid;
  if (pid == 0) return 0;
  std::ifstream statm(fmt::format("/proc/{}/statm", pid));
  int64_t total = 0;
  int64_t resident = 0;
  statm >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

}  // namespace penstock::testing
