// Every sort of call that writes, while the daemon is killed, told to stop and cut off from its
// clients and from its server again and again: what was acknowledged is there once, and what
// was said to have had no effect is not there.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/daemon_folder.h"
#include "tests/support/eventually.h"
#include "tests/support/link_proxy.h"
#include "tests/support/pgwire_proxy.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/writers.h"

namespace penstock::testing {
namespace {

using ::testing::IsEmpty;

// How often something is ended: PENSTOCK_TEST_ENDS, for a long run; 4.
int Ends() {
  const char* said = std::getenv("PENSTOCK_TEST_ENDS");
  return said == nullptr ? 4 : std::max(1, std::atoi(said));
}

// A daemon whose clients, and whose server if it has one, are reached through proxies.
class AtMostOnce : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (HasServer()) {
      PostgresCluster& cluster = PostgresCluster::Shared();
      server_ = std::make_unique<PgwireProxy>(cluster.socket_folder());
      if (GetParam() == "cockroachdb") server_->ReportCockroach("CockroachDB CCL v24.1.2");
      connection_string_ = server_->connection_string(cluster.CreateDatabase());
      if (GetParam() == "cockroachdb") {
        connection_string_ += " options=''-c default_transaction_isolation=serializable''";
      }
    }
    daemons_ = std::make_unique<DaemonFolder>(GetParam(), "drain_grace: 10ms", connection_string_);
    link_ = std::make_unique<LinkProxy>(daemons_->target());
    daemon_ = daemons_->Start();
  }

  static bool HasServer() { return GetParam() == "postgres" || GetParam() == "cockroachdb"; }

  // Does `end` again and again in the midst of the calls that go to `target`, and compares.
  void Check(const std::string& target, const std::function<void(int)>& end) {
    Writers writers({.target = target, .driver = GetParam()});
    ASSERT_TRUE(writers.Prepare().ok());
    writers.Start();
    for (int i = 0; i < Ends() && !HasFailure(); ++i) {
      const size_t before = writers.account().acknowledged();
      while (writers.account().acknowledged() < before + 200) std::this_thread::yield();
      end(i);
    }
    writers.Stop();
    const auto there = writers.There();
    ASSERT_TRUE(there.ok()) << there.status();
    EXPECT_THAT(writers.account().Check(*there), IsEmpty());
    EXPECT_THAT(writers.account().NotRetryable(), IsEmpty());
    RecordProperty("account", writers.account().Summary());
    fmt::print("{}: {}\n", GetParam(), writers.account().Summary());
  }

  std::unique_ptr<PgwireProxy> server_;
  std::string connection_string_;
  std::unique_ptr<DaemonFolder> daemons_;
  std::unique_ptr<LinkProxy> link_;
  std::unique_ptr<Process> daemon_;
};
INSTANTIATE_TEST_SUITE_P(Drivers, AtMostOnce,
                         ::testing::Values("postgres", "cockroachdb", "sqlite", "pebble"),
                         [](const auto& tested) { return tested.param; });

TEST_P(AtMostOnce, HoldsHoweverTheDaemonEnds) {
  Check(daemons_->target(), [&](int i) {
    daemon_->Signal(i % 2 == 0 ? SIGTERM : SIGKILL);
    daemon_->Wait();
    daemon_ = daemons_->Start();
  });
}

// The daemon lives on: what it had received may be done.
TEST_P(AtMostOnce, HoldsHoweverTheLinkIsCut) {
  Check(link_->target(), [&](int i) {
    // What arrives in some of the silences is done, and nobody hears of it; in the others
    // it does not arrive, which nobody hears of either.
    if (i % 4 == 1) link_->SwallowAnswers();
    if (i % 4 == 3) link_->Swallow();
    if (i % 2 == 1) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    link_->Cut(i % 4 < 2 ? LinkProxy::End::kClose : LinkProxy::End::kReset);
    link_->SwallowAnswers(false);
    link_->Swallow(false);
  });
}

// Nobody is told that the link is gone: limits in time end the calls.
TEST_P(AtMostOnce, HoldsWhenTheLinkIsSilentForLongerThanCallersWait) {
  Writers writers(
      {.target = link_->target(), .driver = GetParam(), .limit = absl::Milliseconds(400)});
  ASSERT_TRUE(writers.Prepare().ok());
  writers.Start();
  for (int i = 0; i < Ends(); ++i) {
    const size_t before = writers.account().acknowledged();
    Eventually([&] { return writers.account().acknowledged() >= before + 50; });
    if (i % 2 == 0) link_->Swallow();
    if (i % 2 == 1) link_->SwallowAnswers();
    // Each caller has had a call ended by its limit: of all but the first nothing was sent
    // that can arrive.
    const std::vector<int64_t> calls = writers.calls();
    Eventually([&] {
      const std::vector<int64_t> now = writers.calls();
      return std::ranges::equal(calls, now, [](int64_t then, int64_t n) { return n > then + 1; });
    });
    link_->Cut();
    link_->Swallow(false);
    link_->SwallowAnswers(false);
  }
  writers.Stop();
  const auto there = writers.There();
  ASSERT_TRUE(there.ok()) << there.status();
  EXPECT_THAT(writers.account().Check(*there), IsEmpty());
  fmt::print("{}: {}\n", GetParam(), writers.account().Summary());
}

class AtMostOnceOfServers : public AtMostOnce {};
INSTANTIATE_TEST_SUITE_P(Drivers, AtMostOnceOfServers, ::testing::Values("postgres", "cockroachdb"),
                         [](const auto& tested) { return tested.param; });

TEST_P(AtMostOnceOfServers, HoldsHoweverTheDaemonsLinksAreCut) {
  int64_t bytes = 1;
  Check(daemons_->target(), [&](int i) {
    // Somewhere in the midst of an answer, before it, or after what came was lost.
    if (i % 3 == 0) return server_->CutAfterBytes(bytes = bytes * 7 % 1009);
    if (i % 3 == 1) {
      server_->Freeze();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    server_->Cut();
  });
}

}  // namespace
}  // namespace penstock::testing
