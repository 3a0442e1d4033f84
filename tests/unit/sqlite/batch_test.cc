// RunBatch on readers, cursors, cancellation and deadlines.
#include <future>
#include <thread>

#include "tests/unit/sqlite/fixture.h"

namespace penstock::sqlite {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class BatchTest : public SqliteTest {
 protected:
  // Inserts the numbers from 1 to `count`.
  void Fill(int count) {
    Exec("CREATE TABLE t(i INTEGER PRIMARY KEY)");
    Exec(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT $1) "
        "INSERT INTO t SELECT i FROM n",
        {Value::Integer(count)});
  }
};

TEST_F(BatchTest, ReadsShareABatch) {
  Fill(3);
  const Calls calls = MakeCalls({"SELECT count(*) FROM t", "SELECT nothing", "SELECT max(i) FROM t",
                                 "SELECT i FROM t WHERE i > 5"});
  RunTogether(reader_.get(), calls);
  EXPECT_EQ(calls[0]->row(), "integer 3");
  EXPECT_EQ(calls[0]->run.summary.rows_returned, 1);
  EXPECT_EQ(calls[1]->reason(), Reason::kSyntax);
  EXPECT_EQ(calls[2]->row(), "integer 3");
  EXPECT_EQ(calls[3]->output.begun, 1);
  EXPECT_TRUE(calls[3]->output.rows.empty());
}

TEST_F(BatchTest, WritesAreOfTheWrongLane) {
  Fill(3);
  driver::Chain chain;
  const Calls calls = MakeCalls({"DELETE FROM t", "SELECT count(*) FROM t"});
  for (const auto& call : calls) call->run.chain = &chain;
  RunTogether(reader_.get(), calls);
  EXPECT_TRUE(calls[0]->run.wrong_lane);
  EXPECT_TRUE(calls[0]->run.status.ok());
  EXPECT_FALSE(chain.failed);
  EXPECT_EQ(calls[1]->row(), "integer 3");
}

TEST_F(BatchTest, AFailedReadStopsItsChain) {
  driver::Chain chain;
  const Calls calls = MakeCalls({"SELECT nothing", "SELECT 1", "SELECT 2"});
  calls[0]->run.chain = &chain;
  calls[1]->run.chain = &chain;
  RunTogether(reader_.get(), calls);
  EXPECT_TRUE(chain.failed);
  EXPECT_EQ(calls[1]->reason(), Reason::kCancelled);
  EXPECT_EQ(calls[2]->row(), "integer 2");
}

TEST_F(BatchTest, AResultThatDoesNotFitLeavesACursorWithItsSnapshot) {
  Fill(1000);
  Calls calls =
      MakeCalls({"SELECT count(*) FROM t", "SELECT i FROM t WHERE i > $1 ORDER BY i", "SELECT 3"});
  std::string text = "0";
  auto args = std::make_unique<std::vector<Value>>(1, Value::Integer(0));
  calls[1]->run.args = *args;
  calls[1]->run.limits.max_bytes = 100;
  std::vector<driver::StatementRun*> runs;
  for (const auto& call : calls) runs.push_back(&call->run);
  EXPECT_EQ(reader_->RunBatch(runs), 2u);
  args.reset();
  ASSERT_NE(calls[1]->run.cursor, nullptr);
  EXPECT_TRUE(calls[2]->output.rows.empty());

  // Neither holds the writer nor sees what it does.
  Exec("DELETE FROM t WHERE i > 500");
  TextRows& output = calls[1]->output;
  absl::StatusOr<bool> more = true;
  while (more.ok() && *more) {
    output.TakeAway();
    const size_t before = output.rows.size();
    more = calls[1]->run.cursor->Fetch({.max_bytes = 200}, &output);
    EXPECT_LT(output.rows.size() - before, 200u);
  }
  ASSERT_TRUE(more.ok()) << more.status();
  EXPECT_EQ(output.rows.size(), 1000u);
  EXPECT_EQ(output.begun, 1);
  EXPECT_EQ(calls[1]->run.cursor->summary().rows_returned, 1000);
  calls[1]->run.cursor.reset();
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 500");
}

TEST_F(BatchTest, ACursorOutlivesItsArguments) {
  auto text = std::make_unique<std::string>(200, 'x');
  Call call(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20) "
      "SELECT $1 FROM n");
  auto args = std::make_unique<std::vector<Value>>(1, Value::Text(*text));
  call.run.args = *args;
  call.run.limits.max_bytes = 1;
  driver::StatementRun* const run = &call.run;
  reader_->RunBatch({&run, 1});
  ASSERT_NE(run->cursor, nullptr) << run->status;
  text.reset();
  args.reset();
  ASSERT_TRUE(run->cursor->Fetch({}, &call.output).ok());
  EXPECT_EQ(call.output.rows.back(), "text " + std::string(200, 'x'));
}

TEST_F(BatchTest, ACursorDroppedEarlyLeavesTheConnectionClean) {
  Fill(1000);
  {
    Call call("SELECT i FROM t");
    call.run.limits.max_bytes = 1;
    driver::StatementRun* const run = &call.run;
    reader_->RunBatch({&run, 1});
    ASSERT_NE(run->cursor, nullptr);
  }
  EXPECT_TRUE(reader_->Reset().ok());
  Exec("DELETE FROM t");
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 0");
}

TEST_F(BatchTest, CancelEndsAnEndlessQuery) {
  Call call(kEndless);
  driver::StatementRun* const run = &call.run;
  std::promise<void> started;
  std::future<steady_clock::time_point> ended = std::async(std::launch::async, [&] {
    started.set_value();
    reader_->RunBatch({&run, 1});
    return steady_clock::now();
  });
  started.get_future().wait();
  // It runs until it is cancelled, however long that takes.
  EXPECT_EQ(ended.wait_for(milliseconds(20)), std::future_status::timeout);
  const auto cancelled = steady_clock::now();
  call.cancellation.Cancel(driver::MakeError(Reason::kCancelled, "the client has gone"));
  EXPECT_LT(ended.get() - cancelled, milliseconds(100));
  EXPECT_EQ(call.reason(), Reason::kCancelled);
  EXPECT_EQ(call.message(), "the client has gone");
  EXPECT_EQ(Read("SELECT 1"), "integer 1");
}

TEST_F(BatchTest, DeadlinesNameTheirRung) {
  for (driver::Connection* connection : {reader_.get(), writer_.get()}) {
    Call call(kEndless);
    call.run.deadline = In(milliseconds(20), Reason::kQueryTimeout);
    driver::StatementRun* const run = &call.run;
    const auto began = steady_clock::now();
    connection->RunBatch({&run, 1});
    EXPECT_EQ(call.reason(), Reason::kQueryTimeout);
    EXPECT_GE(steady_clock::now() - began, milliseconds(20));
    EXPECT_LT(steady_clock::now() - began, milliseconds(500));
  }
}

TEST_F(BatchTest, ACursorKeepsItsDeadline) {
  Call call("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n");
  call.run.limits.max_bytes = 1;
  call.run.deadline = In(milliseconds(30));
  driver::StatementRun* const run = &call.run;
  reader_->RunBatch({&run, 1});
  ASSERT_NE(run->cursor, nullptr);
  EXPECT_EQ(
      driver::GetErrorInfo(run->cursor->Fetch({.max_bytes = size_t{1} << 40}, nullptr).status())
          .reason,
      Reason::kRequestTimeout);
}

TEST_F(BatchTest, WhatIsOverBeforeItsTurnDoesNotRun) {
  Fill(3);
  const Calls calls = MakeCalls(
      {"DELETE FROM t WHERE i = 1", "DELETE FROM t WHERE i = 2", "DELETE FROM t WHERE i = 3"});
  calls[0]->run.deadline = In(milliseconds(-1), Reason::kCallDeadline);
  calls[1]->cancellation.Cancel(driver::MakeError(Reason::kStallTimeout, "stalled"));
  RunTogether(writer_.get(), calls);
  EXPECT_EQ(calls[0]->reason(), Reason::kCallDeadline);
  EXPECT_EQ(calls[1]->reason(), Reason::kStallTimeout);
  EXPECT_TRUE(calls[2]->run.status.ok());
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 2");
}

TEST_F(BatchTest, AReaderCannotWrite) {
  EXPECT_EQ(reader_->Begin({}).code(), absl::StatusCode::kInternal);
  ASSERT_TRUE(reader_->Begin({.read_only = true}).ok());
  Call call("CREATE TABLE t(a)");
  reader_->Run(call.run);
  EXPECT_EQ(call.reason(), Reason::kReadOnly);
  EXPECT_TRUE(reader_->Rollback().ok());
}

}  // namespace
}  // namespace penstock::sqlite
