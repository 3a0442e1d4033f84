// Key-value calls are strictly serializable also if the daemon is killed among them.
#include <signal.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "tests/support/daemon_folder.h"
#include "tests/support/key_value_client.h"

namespace penstock::testing {
namespace {

constexpr int kClients = 5;
constexpr int kCallsEach = 12;

// The parameter is the driver's name.
class KilledDaemonHistory : public ::testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Provider> Connect() const {
    auto db = New(penstock::Config{.target = daemons_.target()});
    EXPECT_TRUE(db.ok()) << db.status();
    const absl::Status connected = (*db)->Connect(Context());
    EXPECT_TRUE(connected.ok()) << connected;
    return *std::move(db);
  }

  // Random calls until the daemon is killed, which is after so many of them.
  static KeyValueHistory RunUntilKilled(KeyValue* keyspace, const std::string& prefix,
                                        uint64_t seed, int calls, Process* daemon) {
    std::atomic<int> left = calls;
    const auto kill = [&] {
      if (--left == 0) daemon->Signal(SIGKILL);
    };
    return RunRandomClients(
        keyspace, prefix,
        {.clients = kClients, .calls = kCallsEach, .seed = seed, .after_each = kill});
  }

  const DaemonFolder daemons_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Drivers, KilledDaemonHistory,
                         ::testing::Values("pebble", "postgres", "sqlite"),
                         [](const auto& tested) { return tested.param; });

TEST_P(KilledDaemonHistory, IsStrictlySerializable) {
  const uint64_t seed = RandomCheckSeed();
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::duration<double>(RandomCheckSeconds(3));
  KeyValueHistory history;
  size_t in_flight = 0;
  for (uint64_t round = 0; round < 2 || std::chrono::steady_clock::now() < until; ++round) {
    const std::unique_ptr<Process> daemon = daemons_.Start();
    const auto db = Connect();
    const auto keyspace = db->KeyValue("");
    if (round > 0) {
      // What the last round has left is a part of its history.
      KeyValueClient reader(keyspace.get(), kClients, fmt::format("{}", round - 1), seed);
      ASSERT_TRUE(reader.Scan({})) << reader.error();
      history.push_back(reader.history().front());
      ASSERT_EQ(WhyNotSerializable(history, seed, round - 1), "");
    }
    const int calls = 1 + static_cast<int>((seed + 7 * round) % (kClients * kCallsEach - 10));
    history =
        RunUntilKilled(keyspace.get(), fmt::format("{}", round), seed + round, calls, daemon.get());
    EXPECT_EQ(daemon->Wait(), 128 + SIGKILL);
    for (const KeyValueCall& call : history) in_flight += call.known() ? 0 : 1;
  }
  EXPECT_GT(in_flight, 0u) << "the daemon was never killed among calls";
}

}  // namespace
}  // namespace penstock::testing
