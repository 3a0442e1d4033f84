// Pipeline on a daemon in a process of its own: what it takes, and what it leaves behind.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "tests/support/daemon_folder.h"
#include "tests/support/eventually.h"
#include "tests/support/pipeline_stream.h"
#include "tests/support/process.h"
#include "tests/support/wire.h"

namespace penstock::testing {
namespace {

using Call = PipelineStream::Call;

constexpr int64_t kMiB = int64_t{1} << 20;
constexpr uint64_t kCalls = 10'000;

// 120 MB of answers would wait for a client that reads none, where 16 MiB are allowed.
TEST(PipelineProcessTest, TenThousandCallsWhoseAnswersNobodyTakesAreBounded) {
  const DaemonFolder folder("sqlite", "max_pipeline_calls: 10000, max_pipeline_bytes: 16MiB");
  const std::unique_ptr<Process> daemon = folder.Start();
  const Wire wire(folder.target());
  PipelineStream stream(wire);
  ASSERT_TRUE(stream.Read());
  const int64_t before = daemon->resident_bytes();
  std::vector<Call> calls;
  for (uint64_t id = 1; id <= kCalls; ++id) {
    calls.push_back(PipelineStream::Query(id, "SELECT hex(zeroblob(6000)), $1",
                                          {Int(static_cast<int64_t>(id))}));
  }
  ASSERT_TRUE(stream.Send(calls));
  // Another caller has his turn, and none of it is in his way.
  Wire other(folder.target());
  int64_t most = 0;
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(other.Query("SELECT 1").text(), "1");
    most = std::max(most, daemon->resident_bytes());
  }
  EXPECT_LT(most - before, 90 * kMiB);
  // Each has its answer all the same.
  for (const Call& call : calls) {
    const Outcome outcome = stream.Receive(call);
    ASSERT_TRUE(outcome.status.ok()) << outcome.status.error_message();
    ASSERT_EQ(outcome.rows.size(), 1u);
    EXPECT_EQ(outcome.rows[0].values(1).integer(), static_cast<int64_t>(call.id()));
  }
  EXPECT_TRUE(stream.Finish().ok());
  EXPECT_EQ(other.Query("SELECT 1").text(), "1");
}

// Small calls in flight cost little: a KiB or two for each, whatever the budget is.
TEST(PipelineProcessTest, TenThousandSmallCallsTakeLittleMemory) {
  const DaemonFolder folder("sqlite", "max_pipeline_calls: 10001");
  const std::unique_ptr<Process> daemon = folder.Start();
  Wire wire(folder.target());
  ASSERT_TRUE(wire.Exec("CREATE TABLE t (id INTEGER)").status.ok());
  TransactionStream writer(wire);
  ASSERT_TRUE(writer.Begin().has_begun());
  ASSERT_TRUE(writer.Exec("INSERT INTO t VALUES (0)").has_executed());
  PipelineStream stream(wire);
  ASSERT_TRUE(stream.Read());
  const int64_t before = daemon->resident_bytes();
  std::vector<Call> calls;
  for (uint64_t id = 1; id <= kCalls; ++id) {
    calls.push_back(
        PipelineStream::Exec(id, "INSERT INTO t VALUES ($1)", {Int(static_cast<int64_t>(id))}));
  }
  // They wait for the only writer.
  ASSERT_TRUE(stream.Send(calls));
  EXPECT_EQ(stream.Do(PipelineStream::Query(kCalls + 1, "SELECT 1")).text(), "1");
  const int64_t grown = daemon->resident_bytes() - before;
  EXPECT_LT(grown, 80 * kMiB);
  RecordProperty("bytes_by_call", static_cast<int>(grown / static_cast<int64_t>(kCalls)));
  EXPECT_TRUE(writer.Commit().has_committed());
  for (const Call& call : calls) ASSERT_TRUE(stream.Receive(call).status.ok());
  EXPECT_EQ(wire.Query("SELECT count(*) FROM t").text(), "10001");
  EXPECT_LT(stream.messages(), 2000) << "writes share commits, and answers messages";
}

}  // namespace
}  // namespace penstock::testing
