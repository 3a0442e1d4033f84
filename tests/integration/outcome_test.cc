// What a call ends with when it is drained or cut off tells what has become of its
// statement: done, not begun, or not known.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "drivers/api/error.h"
#include "gtest/gtest.h"
#include "tests/support/eventually.h"
#include "tests/support/scripted_gateway.h"

namespace penstock::testing {
namespace {

using driver::Reason;

// Statements that begin with "drain" cut everything off while they run, as the end of the
// grace time does, and take effect all the same.
class OutcomeTest : public ::testing::Test {
 protected:
  OutcomeTest() {
    gateway_.config().server.first_batch_bytes = 1 << 10;
    gateway_.config().server.batch_bytes = 1 << 10;
    gateway_.script().run = [this](driver::StatementRun& run) { OnRun(run); };
  }
  ~OutcomeTest() override {
    Release();
    gateway_.Stop();
  }

  void OnRun(driver::StatementRun& run) {
    if (run.sql.starts_with("wait")) {
      ++waiting_;
      release_.wait();
    }
    if (run.cancellation->cancelled()) {
      run.status = run.cancellation->status();
      return;
    }
    if (run.sql.find("drain") != std::string_view::npos) gateway_.registry().Drain(true);
    ++executed_;
    run.read_only = run.sql.starts_with("select");
    if (then_) then_(run);
    if (run.sql.find("unknown") != std::string_view::npos) {
      run.status = driver::MakeError(Reason::kCommitOutcomeUnknown, "the link was lost");
    } else {
      run.summary.rows_affected = 1;
    }
  }

  void Release() {
    if (!released_.exchange(true)) release_.count_down();
  }

  v1::ExecRequest Request(const std::string& sql) const {
    v1::ExecRequest request;
    request.set_sql(sql);
    request.set_on_error(on_error_);
    return request;
  }

  static driver::DriverInfo ManyWriters() { return {}; }

  ScriptedGateway gateway_{ManyWriters(), 4};
  v1::OnError on_error_ = v1::ON_ERROR_CONTINUE;
  std::function<void(driver::StatementRun&)> then_;
  std::atomic<int> executed_{0};
  std::atomic<int> waiting_{0};
  std::latch release_{1};
  std::atomic<bool> released_{false};
};

TEST_F(OutcomeTest, APreparedRunThatWasDoneIsAnsweredAsDone) {
  gateway_.Start();
  PrepareStream stream(gateway_.wire(), "insert and drain");
  const Outcome run = stream.Run({});
  EXPECT_TRUE(run.status.ok()) << run.status.error_message();
  EXPECT_EQ(run.summary.rows_affected(), 1);
  // The next one was not begun, and is to be sent again.
  const Outcome late = stream.Run({});
  EXPECT_FALSE(late.has_summary);
  EXPECT_EQ(late.detail.reason(), v1::REASON_DRAINING);
  EXPECT_EQ(late.detail.retry(), v1::RETRY_STATEMENT);
  EXPECT_EQ(executed_, 1);
}

TEST_F(OutcomeTest, AnExecThatWasDoneIsAnsweredAsDone) {
  gateway_.Start();
  grpc::ClientContext context;
  auto stream = gateway_.wire().stub().Exec(&context);
  ASSERT_TRUE(stream->Write(Request("insert and drain")));
  v1::ExecResponse answer;
  ASSERT_TRUE(stream->Read(&answer));
  EXPECT_EQ(answer.summary().rows_affected(), 1);
  EXPECT_FALSE(stream->Read(&answer));
  const grpc::Status end = stream->Finish();
  EXPECT_TRUE(end.ok()) << end.error_message();
}

// The first is cut off; those behind it were done meanwhile, by other connections.
TEST_F(OutcomeTest, WhatWasDoneBehindASlowRequestIsAnswered) {
  gateway_.Start();
  grpc::ClientContext context;
  auto stream = gateway_.wire().stub().Exec(&context);
  ASSERT_TRUE(stream->Write(Request("wait")));
  Eventually([&] { return waiting_ == 1; });
  ASSERT_TRUE(stream->Write(Request("insert 1")));
  ASSERT_TRUE(stream->Write(Request("insert 2")));
  Eventually([&] { return executed_ == 2; });
  gateway_.registry().Drain(true);
  Release();
  std::vector<v1::ExecResponse> answers;
  for (v1::ExecResponse answer; stream->Read(&answer);) answers.push_back(answer);
  const grpc::Status end = stream->Finish();
  ASSERT_EQ(answers.size(), 3u) << end.error_message();
  EXPECT_EQ(answers[0].error().detail().reason(), v1::REASON_DRAINING);
  EXPECT_EQ(answers[0].error().detail().retry(), v1::RETRY_STATEMENT);
  EXPECT_TRUE(answers[1].has_summary());
  EXPECT_TRUE(answers[2].has_summary());
  EXPECT_TRUE(end.ok()) << end.error_message();
}

TEST_F(OutcomeTest, AnUnknownOutcomeStaysUnknown) {
  gateway_.Start();
  PrepareStream prepared(gateway_.wire(), "unknown");
  grpc::ClientContext context;
  auto exec = gateway_.wire().stub().Exec(&context);
  const Outcome run = prepared.Run({});
  EXPECT_EQ(run.detail.reason(), v1::REASON_COMMIT_OUTCOME_UNKNOWN);
  on_error_ = v1::ON_ERROR_STOP;
  ASSERT_TRUE(exec->Write(Request("drain and unknown")));
  v1::ExecResponse answer;
  EXPECT_FALSE(exec->Read(&answer));
  EXPECT_EQ(DetailOf(exec->Finish()).reason(), v1::REASON_COMMIT_OUTCOME_UNKNOWN);
}

TEST_F(OutcomeTest, AnUnknownOutcomeOfAQueryStaysUnknown) {
  gateway_.Start();
  const Outcome outcome = gateway_.wire().Query("drain and unknown");
  EXPECT_EQ(outcome.detail.reason(), v1::REASON_COMMIT_OUTCOME_UNKNOWN);
  EXPECT_EQ(outcome.detail.retry(), v1::RETRY_NEVER);
}

// Many messages of rows, with the drain before the first of them.
void GiveManyRows(driver::StatementRun* run) {
  GiveRow(run, 0);
  for (int i = 1; i < 5000; ++i) {
    run->writer->Integer(i);
    run->writer->EndRow();
  }
  run->summary.rows_returned = 5000;
}

TEST_F(OutcomeTest, RowsOfWhatWasDoneAllArrive) {
  then_ = [](driver::StatementRun& run) { GiveManyRows(&run); };
  gateway_.Start();
  const Outcome outcome = gateway_.wire().Query("insert, drain, returning");
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.error_message();
  EXPECT_EQ(outcome.rows.size(), 5000u);
  EXPECT_TRUE(outcome.has_summary);
}

// A cursor whose statement ends well although it was cancelled, as one does whose cancel
// comes too late; or is found to be cut off.
class LateCursor final : public driver::Cursor {
 public:
  explicit LateCursor(absl::Status end) : end_(std::move(end)) {}
  absl::StatusOr<bool> Fetch(const driver::BatchLimits&, driver::RowWriter* writer) override {
    writer->Integer(2);
    writer->EndRow();
    if (!end_.ok()) return end_;
    return false;
  }
  const driver::Summary& summary() const override { return summary_; }

 private:
  const absl::Status end_;
  const driver::Summary summary_{.rows_affected = 1, .rows_returned = 2};
};

TEST_F(OutcomeTest, TheDriverSaysWhatBecameOfAStatementWithACursor) {
  then_ = [](driver::StatementRun& run) {
    GiveRow(&run, 1);
    run.cursor = std::make_unique<LateCursor>(absl::OkStatus());
  };
  gateway_.Start();
  PrepareStream well(gateway_.wire(), "insert and drain");
  const Outcome outcome = well.Run({});
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.error_message();
  EXPECT_EQ(outcome.text(), "1; 2");
}

TEST_F(OutcomeTest, ACursorThatWasCutOffTellsWhatTheDriverTells) {
  then_ = [](driver::StatementRun& run) {
    GiveRow(&run, 1);
    run.cursor = std::make_unique<LateCursor>(
        driver::MakeError(Reason::kCommitOutcomeUnknown, "nobody knows"));
  };
  gateway_.Start();
  const Outcome outcome = gateway_.wire().Query("insert and drain");
  EXPECT_EQ(outcome.detail.reason(), v1::REASON_COMMIT_OUTCOME_UNKNOWN);
}

TEST_F(OutcomeTest, AReadThatIsCutOffMayBeRepeated) {
  then_ = [](driver::StatementRun& run) {
    GiveRow(&run, 1);
    run.cursor = std::make_unique<LateCursor>(absl::OkStatus());
  };
  gateway_.Start();
  const Outcome outcome = gateway_.wire().Query("select and drain");
  EXPECT_EQ(outcome.detail.reason(), v1::REASON_DRAINING);
  EXPECT_EQ(outcome.detail.retry(), v1::RETRY_STATEMENT);
}

// Rows without an end.
class EndlessCursor final : public driver::Cursor {
 public:
  absl::StatusOr<bool> Fetch(const driver::BatchLimits& limits,
                             driver::RowWriter* writer) override {
    while (writer->bytes() < limits.max_bytes) {
      writer->Integer(1);
      writer->EndRow();
    }
    return true;
  }
  const driver::Summary& summary() const override { return summary_; }

 private:
  const driver::Summary summary_;
};

// Whoever leaves his stream without reading it delays nobody's end.
TEST_F(OutcomeTest, AnAbandonedStreamDoesNotDelayADrain) {
  gateway_.config().server.batch_bytes = 1 << 20;
  then_ = [](driver::StatementRun& run) {
    GiveRow(&run, 1);
    run.cursor = std::make_unique<EndlessCursor>();
  };
  gateway_.Start();
  grpc::ClientContext context;
  v1::QueryRequest request;
  request.set_sql("select");
  auto reader = gateway_.wire().stub().Query(&context, request);
  v1::QueryResponse part;
  ASSERT_TRUE(reader->Read(&part));
  gateway_.registry().Drain(false);
  EXPECT_TRUE(
      gateway_.registry().WaitUntilEmpty(server::Clock::System().Now() + std::chrono::seconds(4)));
}

// A row that is too large for a message: the statement was executed nevertheless.
TEST_F(OutcomeTest, WhatCannotBeSentWasDoneAllTheSame) {
  gateway_.config().server.max_message_bytes = 64 << 10;
  then_ = [](driver::StatementRun& run) {
    static const driver::Columns columns = std::make_shared<const std::vector<driver::Column>>(
        std::vector<driver::Column>{{.name = "t", .kind = driver::Kind::kText}});
    run.writer->Begin(columns);
    run.writer->Bytes(driver::Kind::kText, std::string(128 << 10, 'x'));
    run.writer->EndRow();
    run.summary.rows_returned = 1;
  };
  gateway_.Start();
  EXPECT_EQ(gateway_.wire().Query("insert").detail.reason(), v1::REASON_COMMIT_OUTCOME_UNKNOWN);
  EXPECT_EQ(gateway_.wire().Query("select").detail.reason(), v1::REASON_LIMIT_EXCEEDED);
  PrepareStream stream(gateway_.wire(), "insert");
  EXPECT_EQ(stream.Run({}).detail.reason(), v1::REASON_COMMIT_OUTCOME_UNKNOWN);
  // The stream goes on.
  then_ = nullptr;
  EXPECT_TRUE(stream.Run({}).status.ok());
}

TEST_F(OutcomeTest, IdleExecStreamsEndWellIfAllWasAnswered) {
  gateway_.Start();
  grpc::ClientContext used_context;
  grpc::ClientContext new_context;
  auto used = gateway_.wire().stub().Exec(&used_context);
  auto fresh = gateway_.wire().stub().Exec(&new_context);
  ASSERT_TRUE(used->Write(Request("insert")));
  v1::ExecResponse answer;
  ASSERT_TRUE(used->Read(&answer));
  // Until the daemon has seen the second one.
  Eventually([&] { return gateway_.registry().size() == 2; });
  gateway_.registry().Drain(false);
  EXPECT_FALSE(used->Read(&answer));
  const grpc::Status end = used->Finish();
  EXPECT_TRUE(end.ok()) << end.error_message();
  EXPECT_FALSE(fresh->Read(&answer));
  EXPECT_EQ(DetailOf(fresh->Finish()).reason(), v1::REASON_DRAINING);
}

// What waits behind a request that runs is read up to a bound of bytes.
TEST(ReadAhead, IsBounded) {
  constexpr size_t kEach = size_t{1} << 20;
  constexpr int kMost = 4;
  ScriptedGateway gateway({}, 1);
  std::atomic<int> most{0};
  std::latch release{1};
  const auto waiting = [&] {
    return gateway.databases().Find("main").value()->Stats()[0].second.waiting;
  };
  gateway.script().run = [&](driver::StatementRun& run) {
    if (run.sql.starts_with("wait")) release.wait();
    most = std::max<int>(most, waiting());
  };
  gateway.Start();
  std::vector<v1::ExecRequest> requests(21);
  for (v1::ExecRequest& request : requests) {
    request.set_sql("insert " + std::string(kEach, ' '));
    request.set_on_error(v1::ON_ERROR_CONTINUE);
  }
  requests.front().set_sql("wait");
  std::vector<v1::ExecResponse> answers;
  grpc::Status end;
  std::thread caller([&] { answers = gateway.wire().ExecAll(requests, &end); });
  Eventually([&] { return waiting() >= kMost; });
  release.count_down();
  caller.join();
  EXPECT_TRUE(end.ok()) << end.error_message();
  EXPECT_EQ(answers.size(), requests.size());
  EXPECT_LE(most, kMost);
}

}  // namespace
}  // namespace penstock::testing
