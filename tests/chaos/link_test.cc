// The network between the daemon and the server misbehaves.
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/chaos/fixture.h"

namespace penstock::testing {
namespace {

using Door = PgwireProxy::Door;
using Direction = PgwireProxy::Direction;
using std::chrono::milliseconds;

class LinkFaults : public ChaosTest {
 protected:
  // A query that may take so long; how long it did take is said.
  Outcome Within(milliseconds timeout, const std::string& sql, milliseconds* took = nullptr) {
    v1::QueryRequest request;
    request.set_sql(sql);
    request.mutable_timeout()->set_nanos(static_cast<int32_t>(timeout.count()) * 1'000'000);
    const auto began = std::chrono::steady_clock::now();
    Outcome outcome = wire().Query(request);
    if (took != nullptr) {
      *took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began);
    }
    return outcome;
  }
};

TEST_F(LinkFaults, ASlowLinkInSmallPiecesLosesNothing) {
  proxy().Trickle(7);
  const Outcome outcome =
      wire().Query("SELECT i, 'row ' || i FROM generate_series(1, 1000) AS g(i)");
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.error_message();
  ASSERT_EQ(outcome.rows.size(), 1000);
  EXPECT_EQ(ToText(outcome.rows.back()), "1000|'row 1000'");
  proxy().Trickle(0);
  proxy().Delay(milliseconds(50));
  EXPECT_EQ(Ask("SELECT 1"), "1");
}

TEST_F(LinkFaults, AHalfOpenLinkIsGivenUpWhenTheTimeIsUp) {
  database().driver.options["cancel_grace_ms"] = "300";
  EXPECT_EQ(Ask("SELECT 1"), "1");
  proxy().Stall(Direction::kToServer);
  milliseconds took{};
  const Outcome outcome = Within(milliseconds(200), "SELECT 1", &took);
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(outcome.detail.reason(), v1::REASON_REQUEST_TIMEOUT);
  EXPECT_LT(took, milliseconds(3000));
  // What was stuck is thrown away, and not waited for. On a busy machine a statement may be
  // given up before it was sent, which leaves its connection as it was.
  Eventually([this] {
    const bool idle = Pool().in_use() == 0;
    if (idle && Pool().broken_closed() == 0) Within(milliseconds(200), "SELECT 1");
    return Pool().broken_closed() == 1 && Pool().in_use() == 0;
  });
  proxy().Resume();
  EXPECT_EQ(Ask("SELECT 2"), "2");
}

TEST_F(LinkFaults, ALinkWhoseAnswersNoLongerComeIsGivenUp) {
  database().driver.options["cancel_grace_ms"] = "300";
  database().pool.connect_timeout = milliseconds(300);
  EXPECT_EQ(Ask("SELECT 1"), "1");
  // The connection is there to be used again, and no other is made.
  Eventually([this] { return Pool().in_use() == 0; });
  proxy().Stall(Direction::kToClient);
  const Outcome outcome = Within(milliseconds(400), "SELECT 1");
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  proxy().Resume();
  EXPECT_EQ(Ask("SELECT 3"), "3");
}

// As by a firewall that has forgotten them: the first caller pays with its time, and
// then none of the others is trusted.
TEST_F(LinkFaults, IdleLinksThatAreHalfOpenAreReplaced) {
  database().driver.options["cancel_grace_ms"] = "100";
  database().pool.connect_timeout = milliseconds(100);
  EXPECT_EQ(Ask("SELECT 1"), "1");
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) callers.emplace_back([this] { Ask("SELECT pg_sleep(0.2)"); });
  for (std::thread& caller : callers) caller.join();
  const int frozen = proxy().Freeze();
  EXPECT_GT(frozen, 1);
  const Outcome first = Within(milliseconds(200), "SELECT 1");
  EXPECT_EQ(first.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  for (int i = 0; i < frozen; ++i) EXPECT_EQ(Ask("SELECT 2"), "2");
  Eventually([this] { return Pool().in_use() == 0; });
}

TEST_F(LinkFaults, AServerThatAcceptsAndNeverAnswersIsUnavailable) {
  database().pool.connect_timeout = milliseconds(200);
  proxy().SetDoor(Door::kMute);
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) {
    const Outcome outcome = wire().Query("SELECT 1");
    EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(outcome.detail.reason(), v1::REASON_CONNECTION_FAILED);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
  EXPECT_GE(proxy().counts().held, 1);
  proxy().SetDoor(Door::kOpen);
  Eventually([this] { return wire().Query("SELECT 2").text() == "2"; });
}

TEST_F(LinkFaults, RefusedConnectionsAreToldAtOnceAndEndWithTheTrouble) {
  EXPECT_EQ(Ask("SELECT 1"), "1");
  proxy().SetDoor(Door::kClosed);
  proxy().Cut();
  const Outcome outcome = wire().Query("SELECT 1");
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(outcome.detail.retry(), v1::RETRY_STATEMENT);
  proxy().SetDoor(Door::kOpen);
  Eventually([this] { return wire().Query("SELECT 2").text() == "2"; });
}

TEST_F(LinkFaults, AResultThatEndsWithinAMessageIsAnError) {
  database().pool.max_open = database().pool.max_idle = 1;
  EXPECT_EQ(Ask("SELECT 1"), "1");
  proxy().CutAfterBytes(123'457);
  const Outcome outcome =
      wire().Query("SELECT i, repeat('x', 100) FROM generate_series(1, 100000) AS g(i)");
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_FALSE(outcome.has_summary);
  EXPECT_LT(outcome.rows.size(), 2000);
  EXPECT_EQ(Ask("SELECT 2"), "2");
}

// Whoever waits for an answer over a link that stalls and comes back gets it.
TEST_F(LinkFaults, AStallThatPassesIsOnlyADelay) {
  EXPECT_EQ(Ask("SELECT 42"), "42");
  proxy().Stall(Direction::kToClient);
  std::string answer;
  std::thread caller([&] { answer = Ask("SELECT 42"); });
  EXPECT_TRUE(proxy().WaitFor([](const PgwireCounts& counts) { return counts.executed >= 2; }));
  proxy().Resume();
  caller.join();
  EXPECT_EQ(answer, "42");
}

}  // namespace
}  // namespace penstock::testing
