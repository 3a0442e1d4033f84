// The limits of identities, and whose turn it is when they wait for connections.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "tests/conformance/backend.h"
#include "tests/conformance/identities.h"
#include "tests/support/pipeline_stream.h"

namespace penstock::testing {
namespace {

using server::IdentityLimits;
using server::Rights;
using std::chrono::steady_clock;

class IdentityLimitsTest : public Conformance {
 protected:
  IdentityLimitsTest() {
    config().server.listen = {"127.0.0.1:0"};
    for (const char* name : {"small", "large"}) {
      config().identities.emplace(name, Identity(name, "main", Rights::All()));
    }
  }

  IdentityLimits& limits() { return config().identities.at("small").limits; }
  // A client of the identity.
  Wire& As(const std::string& identity) {
    std::unique_ptr<Wire>& client = clients_[identity];
    if (client == nullptr) client = std::make_unique<Wire>(gateway().target(), TokenOf(identity));
    return *client;
  }

 private:
  std::map<std::string, std::unique_ptr<Wire>> clients_;
};
PENSTOCK_CONFORMANCE(IdentityLimitsTest);

TEST_P(IdentityLimitsTest, CallsInFlight) {
  limits().max_calls = 1;
  TransactionStream stream(As("small"));
  stream.Begin(/*read_only=*/true);
  const Outcome refused = As("small").Query("SELECT 1");
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(refused.detail.reason(), v1::REASON_LIMIT_EXCEEDED);
  EXPECT_EQ(refused.detail.retry(), v1::RETRY_STATEMENT);
  EXPECT_NE(refused.status.error_message().find("(max_calls)"), std::string::npos)
      << refused.status.error_message();
  EXPECT_EQ(As("large").Query("SELECT 1").text(), "1");
  stream.Commit();
  EXPECT_TRUE(stream.Finish().ok());
  // The daemon notes the end after the client has heard of it.
  Eventually([this] { return As("small").Query("SELECT 1").text() == "1"; });
}

// A call within a Pipeline counts as a call; the stream does not.
TEST_P(IdentityLimitsTest, CallsOfAPipeline) {
  limits().max_calls = 1;
  PipelineStream stream(As("small"));
  stream.Send(
      {PipelineStream::Query(1, backend().endless_query()), PipelineStream::Query(2, "SELECT 1")});
  const PipelineStream::Answer refused = stream.Receive(2);
  EXPECT_EQ(refused.error().detail().reason(), v1::REASON_LIMIT_EXCEEDED);
  EXPECT_NE(refused.error().message().find("(max_calls)"), std::string::npos);
  stream.Cancel(1);
  EXPECT_EQ(stream.Receive(1).error().detail().reason(), v1::REASON_CANCELLED);
  EXPECT_EQ(stream.Do(PipelineStream::Query(1, "SELECT 1")).text(), "1");
  EXPECT_EQ(As("small").Query("SELECT 1").text(), "1");
}

TEST_P(IdentityLimitsTest, Transactions) {
  limits().max_transactions = 1;
  TransactionStream first(As("small"));
  first.Begin(/*read_only=*/true);
  TransactionStream second(As("small"));
  second.Begin(/*read_only=*/true);
  EXPECT_EQ(DetailOf(second.Finish()).reason(), v1::REASON_LIMIT_EXCEEDED);
  EXPECT_EQ(As("small").Query("SELECT 1").text(), "1");
}

TEST_P(IdentityLimitsTest, Rate) {
  limits().calls_per_second = 1;
  ASSERT_EQ(As("small").Query("SELECT 1").text(), "1");
  const auto began = steady_clock::now();
  const Outcome refused = As("small").Query("SELECT 1");
  if (steady_clock::now() - began < std::chrono::milliseconds(500)) {
    EXPECT_EQ(refused.detail.reason(), v1::REASON_LIMIT_EXCEEDED) << refused.text();
    EXPECT_NE(refused.detail.hint().find("make the call again after"), std::string::npos);
  }
  Eventually([this] { return As("small").Query("SELECT 1").text() == "1"; });
}

TEST_P(IdentityLimitsTest, RowsOfAResult) {
  limits().max_result_rows = 1000;
  const std::string fits = backend().series(1000);
  const std::string too_many = backend().series(200'000);
  const auto expect_refused = [](const Outcome& outcome) {
    EXPECT_EQ(outcome.detail.reason(), v1::REASON_LIMIT_EXCEEDED) << outcome.status.error_message();
    EXPECT_NE(outcome.detail.hint().find("max_result_rows"), std::string::npos);
    EXPECT_FALSE(outcome.has_summary);
    EXPECT_LE(outcome.rows.size(), 1000u);
  };
  EXPECT_EQ(As("small").Query(fits).rows.size(), 1000u);
  expect_refused(As("small").Query(too_many));
  EXPECT_EQ(As("large").Query(too_many).rows.size(), 200'000u);
  PrepareStream prepared(As("small"), too_many);
  expect_refused(prepared.Run({}));
  expect_refused(PipelineStream(As("small")).Do(PipelineStream::Query(1, too_many)));
  TransactionStream transaction(As("small"));
  transaction.Begin(/*read_only=*/true);
  expect_refused(transaction.Query(too_many));
  // A server may have to cancel what is left of the result, and that aborts the transaction.
  const Outcome next = transaction.Query(fits);
  const bool may_abort = !backend().buffers_returning();
  if (may_abort && next.detail.reason() == v1::REASON_TRANSACTION_ABORTED) {
    EXPECT_TRUE(transaction.Rollback().has_rolled_back());
  } else {
    EXPECT_EQ(next.rows.size(), 1000u) << next.status.error_message();
  }
}

TEST_P(IdentityLimitsTest, BytesOfAResult) {
  limits().max_result_bytes = 10'000;
  const Outcome refused = As("small").Query(backend().series(200'000));
  EXPECT_EQ(refused.detail.reason(), v1::REASON_LIMIT_EXCEEDED) << refused.status.error_message();
  EXPECT_NE(refused.detail.hint().find("max_result_bytes"), std::string::npos);
  EXPECT_EQ(As("small").Query(backend().series(10)).rows.size(), 10u);
}

// Where the rows are held until the commit, nothing has been written.
TEST_P(IdentityLimitsTest, BytesOfWhatAWriteReturns) {
  limits().max_result_bytes = 1000;
  ASSERT_TRUE(As("large").Exec("CREATE TABLE t (id INTEGER, v TEXT)").status.ok());
  const Outcome refused =
      As("small").Query("INSERT INTO t " + backend().series(1000) + " RETURNING id, v");
  EXPECT_FALSE(refused.status.ok());
  if (!backend().buffers_returning()) return;
  EXPECT_EQ(refused.detail.reason(), v1::REASON_LIMIT_EXCEEDED) << refused.status.error_message();
  EXPECT_EQ(As("large").Query("SELECT count(*) FROM t").text(), "0");
}

TEST_P(IdentityLimitsTest, WhoKeepsFailingIsNotToldWhyAndOthersAreLetIn) {
  Wire wrong(gateway().target(), TokenOf("nobody"));
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(wrong.Query("SELECT 1").status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  }
  EXPECT_EQ(wrong.Query("SELECT 1").detail.reason(), v1::REASON_LIMIT_EXCEEDED);
  EXPECT_EQ(As("small").Query("SELECT 1").text(), "1");
}

// Callers that ask one question after the other until they are told to stop.
class Callers {
 public:
  Callers(Wire& wire, int count, const std::string& sql) {
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back([this, &wire, sql] {
        while (!stop_) {
          const Outcome outcome = wire.Query(sql);
          EXPECT_TRUE(outcome.status.ok()) << outcome.status.error_message();
          ++answers_;
        }
      });
    }
  }
  ~Callers() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  int answers() const { return answers_; }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<int> answers_{0};
  std::vector<std::thread> threads_;
};

// In its turn the small one has about as many answers as the large one. In one queue it would have
// a twenty-fifth.
TEST_P(IdentityLimitsTest, WhoHasFewCallersIsNotHeldUpByWhoHasMany) {
  constexpr int kAnswers = 40;
  database().pool.max_open = 4;
  // Something that takes some milliseconds.
  const std::string sql = backend().name() == "sqlite"
                              ? "SELECT count(*) FROM (" + backend().series(20'000) + ")"
                              : "SELECT pg_sleep(0.01)";
  ASSERT_TRUE(As("small").Query(sql).status.ok());
  const Callers many(As("large"), 100, sql);
  Eventually([&many] { return many.answers() > 20; });
  const Callers few(As("small"), 4, sql);
  const int before = many.answers();
  Eventually([&few] { return few.answers() >= kAnswers; });
  EXPECT_LE(many.answers() - before, 10 * kAnswers);
}

}  // namespace
}  // namespace penstock::testing
