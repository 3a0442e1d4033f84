// Cancellation, the deadline ladder, streaming and limits.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "fmt/format.h"
#include "tests/conformance/backend.h"

namespace penstock::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Of a message and of a value, by default.
constexpr int64_t kLargestMessage = int64_t{64} << 20;

class Limits : public Conformance {
 protected:
  v1::QueryRequest Endless() {
    v1::QueryRequest request;
    request.set_sql(backend().endless_query());
    return request;
  }
  // No statement holds a connection any more.
  bool AtRest() {
    grpc::ClientContext context;
    EXPECT_TRUE(admin().GetStats(&context, {}, &stats_).ok());
    for (const auto& pool : stats_.databases(0).pools()) {
      if (pool.in_use() != 0 || pool.waiting() != 0) return false;
    }
    return true;
  }
  v1::AdminService::Stub& admin() {
    if (admin_ == nullptr) admin_ = v1::AdminService::NewStub(wire().channel());
    return *admin_;
  }
  v1::GetStatsResponse stats_;

 private:
  std::unique_ptr<v1::AdminService::Stub> admin_;
};
PENSTOCK_CONFORMANCE_ON(Limits, KeyValueBackends());

// Those that need a table with columns of their own.
class TableLimits : public Limits {};
PENSTOCK_CONFORMANCE(TableLimits);

TEST_P(Limits, EachRungOfTheLadderIsNamed) {
  database().limits.query_timeout = milliseconds(400);
  Outcome outcome = wire().Query(Endless());
  EXPECT_EQ(outcome.detail.reason(), v1::REASON_QUERY_TIMEOUT) << outcome.status.error_message();
  v1::QueryRequest request = Endless();
  request.mutable_timeout()->set_nanos(100'000'000);
  outcome = wire().Query(request);
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(outcome.detail.reason(), v1::REASON_REQUEST_TIMEOUT);
  request.mutable_timeout()->set_seconds(-1);
  EXPECT_EQ(wire().Query(request).detail.reason(), v1::REASON_INVALID_PARAMETER);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + milliseconds(100));
  auto reader = wire().stub().Query(&context, Endless());
  v1::QueryResponse part;
  EXPECT_FALSE(reader->Read(&part));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  Eventually([this] { return AtRest(); });
}

// The quickest of several counts: what else the machine does can only delay one.
TEST_P(Limits, ACancelledEndlessQueryStopsAtOnce) {
  auto quickest = steady_clock::duration::max();
  for (int i = 0; i < 5; ++i) {
    grpc::ClientContext context;
    auto reader = wire().stub().Query(&context, Endless());
    Eventually([this] { return !AtRest(); });
    const auto cancelled = steady_clock::now();
    context.TryCancel();
    Eventually([this] { return AtRest(); });
    quickest = std::min(quickest, steady_clock::now() - cancelled);
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  EXPECT_LT(quickest, milliseconds(100));
}

TEST_P(Limits, AClientThatGoesAwayTakesItsStatementWithIt) {
  {
    Wire leaving(gateway().target());
    grpc::ClientContext context;
    auto reader = leaving.stub().Query(&context, Endless());
    Eventually([this] { return !AtRest(); });
  }
  Eventually([this] { return AtRest(); });
}

TEST_P(Limits, ALongQueryDoesNotHoldUpShortOnes) {
  grpc::ClientContext context;
  auto reader = wire().stub().Query(&context, Endless());
  Eventually([this] { return !AtRest(); });
  const auto began = steady_clock::now();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(Ask("SELECT 1"), "1");
  EXPECT_LT(steady_clock::now() - began, milliseconds(2000));
  context.TryCancel();
}

TEST_P(TableLimits, AWaiterIsToldWhichLimitPassed) {
  database().pool.acquire_timeout = milliseconds(100);
  Do("CREATE TABLE t (id INTEGER)");
  // As many as may be open at once; then one more.
  std::vector<std::unique_ptr<TransactionStream>> holders;
  grpc::Status status;
  for (int i = 0; i < 20 && status.ok(); ++i) {
    holders.push_back(std::make_unique<TransactionStream>(wire()));
    if (!holders.back()->Begin().has_begun()) status = holders.back()->Finish();
  }
  EXPECT_EQ(DetailOf(status).reason(), v1::REASON_ACQUIRE_TIMEOUT) << status.error_message();
}

TEST_P(Limits, ALargeResultIsStreamedWhole) {
  constexpr int kRows = 300'000;
  for (const v1::Format format : {v1::FORMAT_ROWS, v1::FORMAT_COLUMNS}) {
    v1::QueryRequest request;
    request.set_sql(backend().series(kRows));
    request.set_format(format);
    grpc::ClientContext context;
    auto reader = wire().stub().Query(&context, request);
    int64_t sum = 0;
    int64_t rows = 0;
    size_t largest = 0;
    bool summary = false;
    v1::QueryResponse part;
    for (bool first = true; reader->Read(&part); first = false) {
      EXPECT_EQ(part.columns_size(), first ? 2 : 0);
      EXPECT_FALSE(summary) << "something came after the summary";
      summary = part.has_summary();
      largest = std::max(largest, part.ByteSizeLong());
      for (const v1::Row& row : part.rows()) sum += row.values(0).integer();
      for (const v1::Row& row : Decode(part)) sum += row.values(0).integer();
      rows += part.rows_size() + static_cast<int64_t>(part.row_count());
    }
    EXPECT_TRUE(reader->Finish().ok());
    EXPECT_TRUE(summary);
    EXPECT_EQ(rows, kRows);
    EXPECT_EQ(sum, int64_t{kRows} * (kRows + 1) / 2);
    EXPECT_LE(largest, size_t{1} << 20) << "one message holds too much";
  }
}

// A reader that takes nothing holds neither the writer nor, for long, its stream.
TEST_P(TableLimits, AStalledReaderIsCutOffAndNeverHoldsTheWriter) {
  config().server.stall_timeout = milliseconds(500);
  Do("CREATE TABLE t (id INTEGER)");
  grpc::ClientContext context;
  v1::QueryRequest request;
  request.set_sql(backend().series(5'000'000));
  auto reader = wire().stub().Query(&context, request);
  v1::QueryResponse part;
  ASSERT_TRUE(reader->Read(&part));
  Do("INSERT INTO t VALUES (1)");
  Eventually([this] { return AtRest(); });
  bool summary = false;
  while (reader->Read(&part)) summary = part.has_summary();
  EXPECT_FALSE(summary);
  EXPECT_FALSE(reader->Finish().ok());
}

TEST_P(TableLimits, ReturningOfAnySizeIsStreamedOrUndoneBeyondItsBudget) {
  database().limits.max_returning_bytes = 1000;
  Do("CREATE TABLE t (id INTEGER, v TEXT)");
  const Outcome outcome =
      wire().Query("INSERT INTO t " + backend().series(1000) + " RETURNING id, v");
  if (backend().buffers_returning()) {
    EXPECT_EQ(outcome.detail.reason(), v1::REASON_LIMIT_EXCEEDED) << outcome.status.error_message();
    EXPECT_EQ(Ask("SELECT count(*) FROM t"), "0");
  } else {
    EXPECT_EQ(outcome.rows.size(), 1000u) << outcome.status.error_message();
    EXPECT_EQ(Ask("SELECT count(*) FROM t"), "1000");
  }
}

TEST_P(TableLimits, MessagesBeyondTheLimitAreRefusedInBothDirections) {
  config().server.max_message_bytes = size_t{1} << 20;
  Do(fmt::format("CREATE TABLE t (v {})", backend().blob_type()));
  const Outcome sent =
      wire().Exec("INSERT INTO t VALUES ($1)", {Blob(std::string(size_t{2} << 20, 'x'))});
  EXPECT_EQ(sent.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  Do("INSERT INTO t VALUES ($1)", {Blob(std::string(700'000, 'x'))});
  const Outcome received = wire().Query("SELECT v, v FROM t");
  EXPECT_EQ(received.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(received.detail.reason(), v1::REASON_LIMIT_EXCEEDED);
  PrepareStream prepared(wire(), "SELECT v, v FROM t WHERE $1");
  EXPECT_EQ(prepared.Run({Bool(true)}).detail.reason(), v1::REASON_LIMIT_EXCEEDED);
  EXPECT_TRUE(prepared.Run({Bool(false)}).status.ok());
  TransactionStream transaction(wire());
  transaction.Begin();
  EXPECT_EQ(transaction.Query("SELECT v, v FROM t").detail.reason(), v1::REASON_LIMIT_EXCEEDED);
  EXPECT_EQ(transaction.Query("SELECT 1").text(), "1");
}

// By default a message has at most 64 MiB: a blob that just fits, with its SQL and
// what it is wrapped in, makes the round trip.
TEST_P(TableLimits, ABlobThatJustFitsIntoAMessageMakesTheRoundTrip) {
  const std::string blob(kLargestMessage - 100, 'x');
  Do(fmt::format("CREATE TABLE t (v {})", backend().blob_type()));
  Do("INSERT INTO t VALUES ($1)", {Blob(blob)});
  const Outcome stored = wire().Query("SELECT v FROM t");
  ASSERT_EQ(stored.rows.size(), 1u) << stored.status.error_message();
  EXPECT_TRUE(stored.rows[0].values(0).blob() == blob);
  const std::string length = fmt::format("SELECT length(CAST($1 AS {}))", backend().blob_type());
  EXPECT_EQ(Ask(length, {Blob(blob)}), fmt::format("{}", blob.size()));
  PrepareStream prepared(wire(), length);
  EXPECT_EQ(prepared.Run({Blob(blob)}).text(), fmt::format("{}", blob.size()));
}

// A blob of 64 MiB does not fit. gRPC refuses it before the daemon sees it, and says both sizes.
TEST_P(TableLimits, ABlobOf64MiBIsRefusedAndNothingIsLost) {
  Do(fmt::format("CREATE TABLE t (v {})", backend().blob_type()));
  Do("INSERT INTO t VALUES ($1)", {Blob("before")});
  const Values blob = {Blob(std::string(kLargestMessage, 'x'))};
  PrepareStream prepared(wire(), "INSERT INTO t VALUES ($1)");
  for (const Outcome& outcome :
       {wire().Exec("INSERT INTO t VALUES ($1)", blob),
        wire().Query("INSERT INTO t VALUES ($1) RETURNING 1", blob), prepared.Run(blob)}) {
    EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_NE(outcome.status.error_message().find(fmt::format("vs. {}", kLargestMessage)),
              std::string::npos)
        << outcome.status.error_message();
    EXPECT_FALSE(outcome.has_summary);
  }
  EXPECT_EQ(Ask("SELECT v FROM t"), "blob:before");
}

// One that the database makes itself is told by the daemon, which names the limit.
TEST_P(Limits, ABlobOf64MiBThatIsReadIsRefusedByTheNameOfTheLimit) {
  const Outcome message = wire().Query("SELECT " + backend().blob_of(kLargestMessage));
  EXPECT_EQ(message.detail.reason(), v1::REASON_LIMIT_EXCEEDED) << message.status.error_message();
  EXPECT_NE(message.status.error_message().find("max_message_bytes (67108864)"), std::string::npos)
      << message.status.error_message();
  EXPECT_TRUE(message.rows.empty());
  const Outcome value = wire().Query("SELECT " + backend().blob_of(kLargestMessage + 1));
  EXPECT_EQ(value.detail.reason(), v1::REASON_LIMIT_EXCEEDED) << value.status.error_message();
  EXPECT_NE(value.detail.hint().find("max_value_bytes"), std::string::npos) << value.detail.hint();
  EXPECT_EQ(Ask("SELECT 1"), "1");
}

TEST_P(Limits, TooManySessionsAreRefused) {
  config().server.max_sessions = 10;
  config().server.max_sessions_by_peer = 10;
  std::vector<std::unique_ptr<PrepareStream>> streams;
  for (int i = 0; i < 10; ++i) {
    streams.push_back(std::make_unique<PrepareStream>(wire(), "SELECT 1"));
    EXPECT_EQ(streams.back()->prepared().columns_size(), 1);
  }
  EXPECT_EQ(wire().Query("SELECT 1").detail.reason(), v1::REASON_LIMIT_EXCEEDED);
  streams.clear();
  Eventually([this] { return wire().Query("SELECT 1").status.ok(); });
}

}  // namespace
}  // namespace penstock::testing
