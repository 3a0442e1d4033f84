// A daemon on SQLite, RocksDB and PostgreSQL, and clients that use it in every way, while
// everything that is bad for it happens, one after another and together: nobody hangs, what
// it says of itself is true, it takes no more than its limits, and every write is there
// exactly as often as its caller was told.
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <list>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "google/protobuf/stubs/logging.h"
#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "tests/endurance/director.h"
#include "tests/endurance/http_get.h"
#include "tests/endurance/probe.h"
#include "tests/endurance/supervised.h"
#include "tests/endurance/trouble.h"
#include "tests/endurance/watch.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/writers.h"

namespace penstock::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::IsEmpty;

// How long it goes on: PENSTOCK_TEST_MINUTES, or half a minute.
steady_clock::duration Length() {
  const char* said = std::getenv("PENSTOCK_TEST_MINUTES");
  const double minutes = said == nullptr ? 0.5 : std::atof(said);
  return milliseconds(static_cast<int64_t>(minutes * 60'000));
}

// Where the director's choices begin: PENSTOCK_TEST_SEED, or by chance.
uint64_t Seed() {
  const char* said = std::getenv("PENSTOCK_TEST_SEED");
  return said == nullptr ? std::random_device{}() : std::strtoull(said, nullptr, 10);
}

// By database: the driver.
constexpr std::pair<const char*, const char*> kDatabases[] = {
    {"lite", "sqlite"}, {"keys", "pebble"}, {"server", "postgres"}};

class Endurance : public ::testing::Test {
 protected:
  void SetUp() override {
    // This process has its own to say about texts that are none.
    google::protobuf::SetLogHandler(nullptr);
    ASSERT_TRUE(daemon_.EnsureRunning()) << daemon_.log();
    // Half of the clients are near, the others are behind the link that fails.
    for (const auto& [database, driver] : kDatabases) {
      for (const std::string& target : {daemon_.target(), link_.target()}) {
        Writers& each = writers_.emplace_back(Writers::Options{
            .target = target,
            .database = database,
            .driver = driver,
            .prefix = fmt::format("{}-{}-", database, target == link_.target() ? "far" : "near"),
            .limit = absl::Seconds(3),
            .slow = false});
        AddReaders(&each);
        if (target == link_.target()) continue;
        ASSERT_TRUE(each.Prepare().ok());
      }
    }
    watch_ = std::make_unique<Watch>(&daemon_, &writers_, &complaints_);
    std::vector<Trouble> troubles = SurroundingTroubles(stage_);
    for (Trouble& each : HostileTroubles(stage_)) troubles.push_back(std::move(each));
    director_ = std::make_unique<Director>(std::move(troubles), seed_, watch_.get());
  }

  void TearDown() override {
    for (Writers& each : writers_) each.Stop();
    fmt::print("seed {}\n", seed_);
    if (watch_ != nullptr) fmt::print("{}\n", watch_->Summary());
    if (!HasFailure()) return;
    fmt::print(
        "the last events:\n{}the daemon's log ends with:\n{}\n", director_->history(),
        daemon_.log().substr(daemon_.log().size() - std::min<size_t>(daemon_.log().size(), 8000)));
  }

  // Who has written reads it, who writes does not wait for the answer, and scans are opened
  // and left.
  void AddReaders(Writers* writers) {
    writers->Add("reread", [this, writers](const std::string& id) {
      const Context ctx = writers->Limited();
      const absl::Status put = writers->db().KeyValue("keys")->Put(ctx, id, "x");
      writers->Enter(id, put);
      if (!put.ok()) return;
      const auto value = writers->db().KeyValue("keys")->Get(ctx, id);
      if (value.ok() && *value != "x") complaints_.Add(id + " was written and is not read");
    });
    writers->Add("cancel", [writers](const std::string& id) {
      const Context ctx = writers->Limited();
      // At any phase of the call: the number in the id is as good as chance.
      const auto pause = std::chrono::microseconds(std::hash<std::string>()(id) % 5000);
      std::thread canceller([&] {
        std::this_thread::sleep_for(pause);
        ctx.Cancel();
      });
      writers->Enter(id, writers->db().Exec(ctx, "INSERT INTO ids VALUES ($1, '')", id).status());
      canceller.join();
    });
    writers->Add("scan", [writers](const std::string&) {
      const auto entries = writers->db().KeyValue("keys")->Scan(writers->Limited());
      for (int i = 0; i < 100 && entries.ok() && (*entries)->Next(); ++i) {
      }
    });
    writers->Add("read", [writers](const std::string&) {
      const auto rows = writers->db().Query(writers->Limited(), "SELECT key, value FROM ids");
      for (int i = 0; i < 1000 && rows.ok() && (*rows)->Next(); ++i) {
      }
    });
  }

  // Nothing is in the way any more: the daemon runs, says so, and it is true.
  void Calm() {
    const auto until = steady_clock::now() + seconds(30);
    while (!daemon_.EnsureRunning()) {
      ASSERT_LT(steady_clock::now(), until) << "it cannot be started\n" << daemon_.log();
    }
    HttpAnswer ready;
    while ((ready = Ready()).code != 200) {
      ASSERT_LT(steady_clock::now(), until)
          << "it is not ready: " << ready.code << " " << ready.body << daemon_.log();
    }
    const absl::Status worked = Probe();
    if (Ready().code == 200 && !worked.ok()) {
      complaints_.Add("it says it is ready, and a new client is told " + worked.ToString());
    }
    if (const std::string wrong = daemon_.CheckLog(); !wrong.empty()) complaints_.Add(wrong);
    ASSERT_THAT(complaints_.list(), IsEmpty());
  }

  HttpAnswer Ready() const {
    return HttpGetWithin(milliseconds(5000), daemon_.running().http, "/readyz");
  }

  // At each of the daemon's addresses.
  absl::Status Probe() const {
    for (const std::string& target : {daemon_.target(), daemon_.running().tcp}) {
      for (const auto& [database, driver] : kDatabases) {
        absl::Status status = ProbeDatabase(target, database, driver);
        if (!status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }

  // Compares what is there with what callers were told; then they start again from nothing,
  // so that an hour is as many such runs, and not one of a database that grows.
  void Settle() {
    for (Writers& each : writers_) each.Stop();
    for (Writers& each : writers_) {
      const auto there = each.There();
      ASSERT_TRUE(there.ok()) << there.status();
      ASSERT_THAT(each.account().Check(*there), IsEmpty());
      EXPECT_THAT(each.account().Refused(IsUnexplained), IsEmpty());
      ASSERT_GT(each.account().acknowledged(), 0) << "nothing was written";
      acknowledged_ += each.account().acknowledged();
    }
    for (Writers& each : writers_) {
      const absl::Status cleared = each.Clear();
      ASSERT_TRUE(cleared.ok()) << cleared;
    }
  }

  // What none of the troubles is a reason for.
  static bool IsUnexplained(const absl::Status& status) {
    const std::string reason = GetErrorDetails(status).reason;
    return !IsTransactionRetryable(status) && !IsTimeout(status) && !IsUnavailable(status) &&
           !absl::IsResourceExhausted(status) && !IsCancelled(status) && reason != "IO" &&
           reason != "DISK_FULL";
  }

  const uint64_t seed_ = Seed();
  PgwireProxy server_{PostgresCluster::Shared().socket_folder()};
  Supervised daemon_{server_.connection_string(PostgresCluster::Shared().CreateDatabase())};
  LinkProxy link_{daemon_.target()};
  Complaints complaints_;
  const Stage stage_{&daemon_, &link_, &server_, &complaints_};
  std::list<Writers> writers_;
  std::unique_ptr<Watch> watch_;
  std::unique_ptr<Director> director_;
  size_t acknowledged_ = 0;
};

TEST_F(Endurance, NothingIsLostWhateverHappens) {
  const auto end = steady_clock::now() + Length();
  while (steady_clock::now() < end) {
    for (Writers& each : writers_) each.Start();
    const auto settle = std::min(end, steady_clock::now() + seconds(20));
    do {
      director_->Round();
      ASSERT_NO_FATAL_FAILURE(Calm());
    } while (steady_clock::now() < settle);
    ASSERT_NO_FATAL_FAILURE(Settle());
  }
  ASSERT_EQ(daemon_.End(SIGTERM), "");
  // What Settle found there, another daemon finds as well.
  ASSERT_TRUE(daemon_.EnsureRunning()) << daemon_.log();
  EXPECT_EQ(Probe(), absl::OkStatus());
  fmt::print("{} writes were acknowledged\n", acknowledged_);
}

}  // namespace
}  // namespace penstock::testing
