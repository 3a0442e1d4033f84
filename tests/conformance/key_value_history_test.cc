// KeyValueService's promise that its calls are strictly serializable: random clients, and
// what has been seen to go wrong.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <iostream>
#include <mutex>
#include <pqxx/pqxx>
#include <thread>

#include "fmt/format.h"
#include "penstock/penstock.h"
#include "tests/conformance/backend.h"
#include "tests/support/key_value_client.h"
#include "tests/support/postgres_cluster.h"

namespace penstock::testing {
namespace {

using std::string;
using std::chrono::steady_clock;

constexpr int kClients = 5;
constexpr int kCallsEach = 6;

class KeyValueHistoryTopic : public ::testing::TestWithParam<const Backend*> {
 protected:
  KeyValueHistoryTopic() : config_(GetParam()->Config(folder_.path())), gateway_(config_) {
    auto made = New(penstock::Config{.target = gateway_.target()});
    EXPECT_TRUE(made.ok()) << made.status();
    db_ = *std::move(made);
    kv_ = db_->KeyValue("");
  }

  // Runs all of them at the same time.
  static void AtOnce(const std::vector<std::function<void()>>& actions) {
    std::vector<std::thread> threads;
    for (const auto& action : actions) threads.emplace_back(action);
    for (std::thread& thread : threads) thread.join();
  }

  void Fill(const string& prefix, int count) {
    std::vector<Mutation> mutations;
    for (int i = 0; i < count; ++i) {
      mutations.push_back(Mutation::Put(fmt::format("{}{:05}", prefix, i), "v"));
    }
    const auto written = kv_->Write(ctx_, {}, mutations);
    ASSERT_TRUE(written.ok()) << written.status();
  }

  std::optional<string> Get(const string& key) {
    const auto value = kv_->Get(ctx_, key);
    EXPECT_TRUE(value.ok()) << value.status();
    return value.value_or(std::nullopt);
  }

  const Context ctx_;
  TempDir folder_;
  const server::Config config_;
  Gateway gateway_;
  std::unique_ptr<Provider> db_;
  std::unique_ptr<penstock::KeyValue> kv_;
};
INSTANTIATE_TEST_SUITE_P(Drivers, KeyValueHistoryTopic, ::testing::ValuesIn(KeyValueBackends()),
                         [](const auto& tested) { return tested.param->name(); });

// Not sqlite, where whoever has written in a transaction is the only one who writes.
class OpenTransactionTopic : public KeyValueHistoryTopic {};
std::vector<const Backend*> WithSeveralWriters() {
  std::vector<const Backend*> backends = KeyValueBackends();
  std::erase_if(backends, [](const Backend* backend) { return backend->name() == "sqlite"; });
  return backends;
}
INSTANTIATE_TEST_SUITE_P(Drivers, OpenTransactionTopic, ::testing::ValuesIn(WithSeveralWriters()),
                         [](const auto& tested) { return tested.param->name(); });

TEST_P(KeyValueHistoryTopic, RandomCallsAreStrictlySerializable) {
  const uint64_t seed = RandomCheckSeed();
  const auto until = steady_clock::now() + std::chrono::duration<double>(RandomCheckSeconds(3));
  size_t calls = 0;
  uint64_t round = 0;
  for (; steady_clock::now() < until; ++round) {
    string failures;
    const KeyValueHistory history = RunRandomClients(
        kv_.get(), fmt::format("{}", round),
        {.clients = kClients, .calls = kCallsEach, .seed = seed + round}, &failures);
    ASSERT_EQ(WhyNotSerializable(history, seed, round), "") << failures;
    calls += history.size();
  }
  std::cout << round << " histories, " << calls << " calls\n";
  // Most of them have to have been done for the check to mean something.
  EXPECT_GT(calls, round * kClients * kCallsEach * 9 / 10) << "seed " << seed;
}

TEST_P(KeyValueHistoryTopic, AKeyIsDeletedByOneOfThoseWhoDeleteItsRange) {
  constexpr int kKeys = 500;
  for (int round = 0; round < 5; ++round) {
    const string prefix = fmt::format("{}/", round);
    Fill(prefix, kKeys);
    std::atomic<int64_t> deleted = 0;
    const auto remove = [&] {
      const auto count = kv_->DeletePrefix(ctx_, prefix);
      ASSERT_TRUE(count.ok()) << count.status();
      deleted += *count;
    };
    AtOnce({remove, remove, remove});
    EXPECT_EQ(deleted, kKeys);
  }
}

// Each key is deleted once, by one of those who say so.
TEST_P(KeyValueHistoryTopic, ADeletedRangeDoesNotCountWhatOthersDeleted) {
  constexpr int kKeys = 200;
  for (int round = 0; round < 5; ++round) {
    const string prefix = fmt::format("{}/", round);
    Fill(prefix, kKeys);
    std::atomic<int> single = 0;
    std::atomic<int64_t> ranges = 0;
    const auto remove_singly = [&] {
      // From the last one, which a range comes to last.
      for (int i = kKeys - 1; i >= 0; --i) {
        const string key = fmt::format("{}{:05}", prefix, i);
        const auto written = kv_->Write(ctx_, {Condition::Present(key)}, {Mutation::Delete(key)});
        ASSERT_TRUE(written.ok()) << written.status();
        if (!written->applied) continue;
        ++single;
        single.notify_all();
      }
    };
    const auto remove_range = [&] {
      single.wait(0);
      const auto count = kv_->DeletePrefix(ctx_, prefix);
      ASSERT_TRUE(count.ok()) << count.status();
      ranges += *count;
    };
    AtOnce({remove_singly, remove_range});
    EXPECT_EQ(single + ranges, kKeys);
  }
}

TEST_P(KeyValueHistoryTopic, AKeyThatWasDeletedIsNotPutBackByACondition) {
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(kv_->Put(ctx_, "a", "old").ok());
    // So much that there is time for the other one.
    std::vector<Mutation> mutations;
    for (int i = 0; i < 200; ++i) mutations.push_back(Mutation::Put(fmt::format("z{:03}", i), "v"));
    mutations.push_back(Mutation::Put("a", "new"));
    const auto write = [&] {
      const auto written = kv_->Write(ctx_, {Condition::ValueEquals("a", "old")}, mutations);
      ASSERT_TRUE(written.ok()) << written.status();
    };
    const auto remove = [&] { ASSERT_TRUE(kv_->Delete(ctx_, "a").ok()); };
    AtOnce({write, remove});
    // Whichever was first: the other one did not put it back.
    EXPECT_EQ(Get("a"), std::nullopt);
    ASSERT_TRUE(kv_->DeletePrefix(ctx_, "").ok());
  }
}

// The condition is on a key that is not there, which has no row to lock.
TEST_P(KeyValueHistoryTopic, AnAbsentKeyStaysAbsentUntilTheWriteIsDone) {
  for (int round = 0; round < 20; ++round) {
    std::vector<Mutation> mutations;
    for (int i = 0; i < 200; ++i) mutations.push_back(Mutation::Put(fmt::format("z{:03}", i), "v"));
    std::atomic<bool> applied = false;
    std::optional<string> before;
    AtOnce({[&] {
              const auto written = kv_->Write(ctx_, {Condition::Absent("lock")}, mutations);
              ASSERT_TRUE(written.ok()) << written.status();
              applied = written->applied;
            },
            [&] {
              ASSERT_TRUE(kv_->Put(ctx_, "lock", "mine").ok());
              // With the lock in hand: what the other one does it has done by now.
              before = Get("z000");
            }});
    EXPECT_TRUE(!applied || before.has_value());
    ASSERT_TRUE(kv_->DeletePrefix(ctx_, "").ok());
  }
}

TEST_P(KeyValueHistoryTopic, ADeletedRangeWaitsForNobodyWhoOnlyReads) {
  Fill("", 1000);
  const auto entries = kv_->Scan(ctx_);
  ASSERT_TRUE(entries.ok()) << entries.status();
  ASSERT_TRUE((*entries)->Next());
  const auto deleted = kv_->DeletePrefix(ctx_, "");
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_EQ(*deleted, 1000);
  int count = 1;
  while ((*entries)->Next()) ++count;
  EXPECT_EQ(count, 1000);
}

// One transaction that stays open must not stop all who write while a range waits for it.
TEST_P(OpenTransactionTopic, WhoeverWaitsToDeleteARangeStopsNobodyForLong) {
  Fill("", 10);
  auto tx = db_->Transaction(ctx_);
  ASSERT_TRUE(tx.ok()) << tx.status();
  ASSERT_TRUE((*tx)->KeyValue("")->Put(ctx_, "00003", "mine").ok());
  std::atomic<bool> done = false;
  std::thread remover([&] {
    for (;;) {
      const auto deleted = kv_->DeletePrefix(ctx_, "0");
      if (!deleted.ok() && IsTransactionRetryable(deleted.status())) continue;
      ASSERT_TRUE(deleted.ok()) << deleted.status();
      EXPECT_EQ(*deleted, 10);
      break;
    }
    done = true;
  });
  const auto began = steady_clock::now();
  int puts = 0;
  // Others go on: well more than one put for each wait of the range's.
  while (puts < 100) {
    ASSERT_TRUE(kv_->Put(ctx_, fmt::format("x{}", puts++), "v").ok());
  }
  EXPECT_FALSE(done);
  EXPECT_LT(steady_clock::now() - began, std::chrono::seconds(10));
  ASSERT_TRUE((*tx)->Commit(ctx_).ok());
  remover.join();
  EXPECT_EQ(Get("00003"), std::nullopt);
}

// A default isolation that is not the server's own.
struct OtherDefault {
  const Backend* backend;
  string isolation;
};

class OtherDefaultTopic : public ::testing::TestWithParam<OtherDefault> {
 protected:
  OtherDefaultTopic() : config_(GetParam().backend->Config(folder_.path())) {
    string escaped;
    for (const char c : GetParam().isolation) escaped += c == ' ' ? "\\\\ " : string(1, c);
    driver::Config& driver = config_.databases.at("main").driver;
    // A cluster that somebody named has what it has.
    if (!driver.connection_string.starts_with("postgres")) {
      driver.connection_string +=
          fmt::format(" options='-c default_transaction_isolation={}'", escaped);
    }
    gateway_ = std::make_unique<Gateway>(config_);
    auto made = New(penstock::Config{.target = gateway_->target()});
    EXPECT_TRUE(made.ok()) << made.status();
    db_ = *std::move(made);
  }

  const Context ctx_;
  TempDir folder_;
  server::Config config_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<Provider> db_;
};
INSTANTIATE_TEST_SUITE_P(Drivers, OtherDefaultTopic,
                         ::testing::Values(OtherDefault{&CockroachDbBackend(), "read committed"},
                                           OtherDefault{&PostgresBackend(), "serializable"},
                                           OtherDefault{&PostgresBackend(), "repeatable read"}),
                         [](const auto& tested) {
                           string name =
                               tested.param.backend->name() + "_" + tested.param.isolation;
                           std::replace(name.begin(), name.end(), ' ', '_');
                           return name;
                         });

TEST_P(OtherDefaultTopic, RandomCallsAreStrictlySerializable) {
  const uint64_t seed = RandomCheckSeed();
  const auto kv = db_->KeyValue("");
  const auto isolation = [&] {
    const auto rows = db_->Query(ctx_, "SHOW transaction_isolation");
    EXPECT_TRUE(rows.ok()) << rows.status();
    string text;
    if (!rows.ok()) return text;
    EXPECT_TRUE((*rows)->Next()) << (*rows)->Err();
    EXPECT_TRUE((*rows)->Scan(&text).ok());
    return text;
  };
  const string before = isolation();
  if (!config_.databases.at("main").driver.connection_string.starts_with("postgres")) {
    ASSERT_EQ(before, GetParam().isolation);
  }
  const auto until = steady_clock::now() + std::chrono::duration<double>(RandomCheckSeconds(3));
  size_t calls = 0;
  uint64_t round = 0;
  for (; steady_clock::now() < until; ++round) {
    const KeyValueHistory history =
        RunRandomClients(kv.get(), fmt::format("{}", round),
                         {.clients = kClients, .calls = kCallsEach, .seed = seed + round});
    ASSERT_EQ(WhyNotSerializable(history, seed, round), "");
    calls += history.size();
    // Statements of SQL have what was set.
    ASSERT_EQ(isolation(), before);
  }
  EXPECT_GT(calls, round * kClients * kCallsEach * 9 / 10) << "seed " << seed;
}

// The sessions on a PostgreSQL that is to end them.
class EndedSessionsTopic : public KeyValueHistoryTopic {};
INSTANTIATE_TEST_SUITE_P(Drivers, EndedSessionsTopic, ::testing::Values(&PostgresBackend()),
                         [](const auto& tested) { return tested.param->name(); });

TEST_P(EndedSessionsTopic, RandomCallsAreStrictlySerializable) {
  const uint64_t seed = RandomCheckSeed();
  const string& database = config_.databases.at("main").driver.database;
  pqxx::connection server(PostgresCluster::Shared().connection_string(database));
  const auto until = steady_clock::now() + std::chrono::duration<double>(RandomCheckSeconds(2));
  size_t lost = 0;
  for (uint64_t round = 0; steady_clock::now() < until; ++round) {
    std::atomic<int> calls = 0;
    std::mutex mutex;
    const auto end_sessions = [&] {
      if (++calls % 13 != 0) return;
      std::lock_guard lock(mutex);
      pqxx::nontransaction(server).exec(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
          "WHERE datname = current_database() AND pid <> pg_backend_pid()");
    };
    string failures;
    const KeyValueHistory history = RunRandomClients(
        kv_.get(), fmt::format("{}", round),
        {.calls = 10, .seed = seed + round, .after_each = end_sessions}, &failures);
    ASSERT_EQ(WhyNotSerializable(history, seed, round), "") << failures;
    lost += failures.size();
  }
  EXPECT_GT(lost, 0u) << "no session was ended in time";
}

TEST_P(OpenTransactionTopic, WhoeverWaitsToDeleteARangeDoesSoUntilItsDeadline) {
  Fill("", 3);
  auto tx = db_->Transaction(ctx_);
  ASSERT_TRUE(tx.ok()) << tx.status();
  ASSERT_TRUE((*tx)->KeyValue("")->Put(ctx_, "00001", "mine").ok());
  const auto began = steady_clock::now();
  const auto deleted = kv_->DeletePrefix(ctx_.WithTimeout(absl::Milliseconds(400)), "0");
  EXPECT_TRUE(IsTimeout(deleted.status())) << deleted.status();
  EXPECT_LT(steady_clock::now() - began, std::chrono::seconds(10));
  EXPECT_TRUE(kv_->Put(ctx_, "x", "v").ok());
  ASSERT_TRUE((*tx)->Rollback(ctx_).ok());
  EXPECT_EQ(*kv_->DeletePrefix(ctx_, "0"), 3);
}

}  // namespace
}  // namespace penstock::testing
