#include "tests/endurance/watch.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "fmt/format.h"
#include "tests/endurance/http_get.h"

namespace penstock::testing {
namespace {

using std::chrono::milliseconds;

constexpr int64_t kMiB = int64_t{1} << 20;

// What the daemon may take, by the configuration of supervised.cc:
constexpr int64_t kMostResident =
    (100                // code, threads and gRPC before anybody calls
     + 16 + 2 * 8       // RocksDB's cache, and the table that is filled while one is written
     + (5 + 32) * 2     // the page cache of each connection of SQLite and of SQL on pebble
     + 2 * (4 + 128)    // "many values": two messages of 4 MiB at once, 32 times as large as values
     + 100 * 1          // streams: a batch of 256 KiB that is made, and those in gRPC's hands
     + 200 * 64 / 1024  // connections, with gRPC's buffers
     ) *
    5 / 4  // what an allocator keeps
    * kMiB;
#ifdef __SANITIZE_ADDRESS__
// Its shadow and redzones, and what is freed and kept.
constexpr int64_t kAllowed = 3 * kMostResident + 64 * kMiB;
#else
constexpr int64_t kAllowed = kMostResident;
#endif

}  // namespace

Watch::Watch(const Supervised* daemon, const std::list<Writers>* writers, Complaints* complaints)
    : daemon_(daemon), writers_(writers), complaints_(complaints), thread_([this] { Run(); }) {}

Watch::~Watch() {
  ending_ = true;
  thread_.join();
}

void Watch::Silence() {
  ++silences_;
  ++changes_;
}

void Watch::Resume() {
  ++changes_;
  --silences_;
}

std::string Watch::Summary() const {
  const std::lock_guard lock(mutex_);
  std::string text = fmt::format("it took {} of {} MiB", most_resident_ / kMiB, kAllowed / kMiB);
  for (const auto& [why, count] : not_ready_)
    text += fmt::format("\n  not ready {}x: {}", count, why);
  return text;
}

void Watch::Run() {
  while (!ending_) {
    CheckCalls();
    CheckProcess();
    CheckHttp();
    // Only paces the looking.
    std::this_thread::sleep_for(milliseconds(100));
  }
}

void Watch::CheckCalls() {
  for (const Writers& each : *writers_) {
    for (const std::string& call : each.Overdue(kLate)) {
      complaints_->Add("outlives its limit: " + each.options().target + " " + call);
    }
    const std::vector<std::string> lost = each.Overdue(12 * kLate);
    if (lost.empty()) continue;
    for (const std::string& what : complaints_->list()) fmt::print(stderr, "{}\n", what);
    std::abort();
  }
}

void Watch::CheckProcess() {
  const Supervised::Running running = daemon_->running();
  if (running.pid == 0) return;
  const int64_t resident = daemon_->resident_bytes();
  if (daemon_->running().pid != running.pid) return;
  if (resident == 0) complaints_->Add(fmt::format("daemon {} has ended by itself", running.number));
  if (resident > kAllowed && resident > most_resident_) {
    complaints_->Add(fmt::format("it takes {} MiB, and {} is what its limits add up to",
                                 resident / kMiB, kAllowed / kMiB));
  }
  most_resident_ = std::max(most_resident_.load(), resident);
}

void Watch::CheckHttp() {
  const int changes = changes_;
  const Supervised::Running running = daemon_->running();
  if (silences_ > 0 || running.pid == 0) return;
  for (const char* path : {"/healthz", "/readyz", "/metrics"}) {
    const HttpAnswer answer = HttpGetWithin(milliseconds(5000), running.http, path);
    // What happened meanwhile explains everything.
    if (changes_ != changes || daemon_->running().number != running.number ||
        daemon_->running().pid == 0) {
      return;
    }
    const bool may_be_503 = path == std::string("/readyz") && answer.body.size() > 1;
    if (answer.code == 503 && may_be_503) {
      const std::lock_guard lock(mutex_);
      // Without the name of a file, which differs each time.
      ++not_ready_[answer.body.substr(0, answer.body.find_first_of("/\n"))];
    } else if (answer.code != 200 || answer.body.empty()) {
      complaints_->Add(fmt::format("{} answers {}: {}", path, answer.code, answer.body));
    }
  }
}

}  // namespace penstock::testing
