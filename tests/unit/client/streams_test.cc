// Streams that are reused: Exec and prepared statements.
#include <future>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/client/fake_daemon.h"

namespace penstock {
namespace {

v1::ExecResponse Affected(int64_t rows) {
  v1::ExecResponse response;
  response.mutable_summary()->set_rows_affected(rows);
  return response;
}

// Answers each request with the number of its arguments, and "fail" with an error.
grpc::Status Serve(grpc::ServerContext*, ExecCall* stream) {
  v1::ExecRequest request;
  while (stream->Read(&request)) {
    v1::ExecResponse response = Affected(request.args_size() + request.rows_size());
    if (request.sql() == "fail") {
      response.clear_summary();
      response.mutable_error()->set_code(grpc::StatusCode::ABORTED);
    }
    stream->Write(response);
  }
  return grpc::Status::OK;
}

class ExecTest : public ::testing::Test {
 protected:
  ExecTest() { daemon_.on_exec = Serve; }

  FakeDaemon daemon_;
  std::unique_ptr<Provider> db_ = daemon_.Connect();
  const Context ctx_;
};

TEST_F(ExecTest, OneStreamServesManyCalls) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(db_->Exec(ctx_, "x", 1, 2)->RowsAffected(), 2);
  EXPECT_TRUE(absl::IsAborted(db_->Exec(ctx_, "fail").status()));
  EXPECT_EQ(db_->ExecRows(ctx_, "x", {{1}, {2}, {3}})->RowsAffected(), 3);
  EXPECT_EQ(daemon_.execs, 1);
}

TEST_F(ExecTest, NoRowsAreNoRun) {
  EXPECT_EQ(db_->ExecRows(ctx_, "x", {})->RowsAffected(), 0);
  EXPECT_EQ(daemon_.execs, 0);
}

TEST_F(ExecTest, ATraceHasAStreamOfItsOwn) {
  std::string parent;
  daemon_.on_exec = [&](grpc::ServerContext* call, ExecCall* stream) {
    const auto found = call->client_metadata().find("traceparent");
    if (found != call->client_metadata().end()) {
      parent.assign(found->second.data(), found->second.size());
    }
    return Serve(call, stream);
  };
  ASSERT_TRUE(db_->Exec(ctx_, "x").ok());
  EXPECT_EQ(parent, "");
  ASSERT_TRUE(db_->Exec(ctx_.WithTraceParent("00-1-2-01"), "x").ok());
  EXPECT_EQ(parent, "00-1-2-01");
  ASSERT_TRUE(db_->Exec(ctx_, "x").ok());
  EXPECT_EQ(daemon_.execs, 2);
}

TEST_F(ExecTest, ABatchHasAnOutcomeEach) {
  std::vector<BatchStatement> batch(3000, {.sql = "x", .args = {1}});
  batch[7] = {.sql = "fail"};
  batch[8] = {.sql = ""};
  batch[2999] = {.sql = "x", .args = {UINT64_MAX}};
  const std::vector<absl::StatusOr<Result>> outcomes = db_->ExecBatch(ctx_, batch);
  ASSERT_EQ(outcomes.size(), batch.size());
  for (size_t i = 0; i < outcomes.size(); ++i) {
    EXPECT_EQ(outcomes[i].ok(), i != 7 && i != 8 && i != 2999) << i;
  }
  EXPECT_TRUE(absl::IsAborted(outcomes[7].status()));
  EXPECT_TRUE(absl::IsInvalidArgument(outcomes[8].status()));
  EXPECT_TRUE(db_->ExecBatch(ctx_, {}).empty());
  EXPECT_EQ(daemon_.execs, 1);
}

TEST_F(ExecTest, ABatchCutOffKeepsWhatWasAnswered) {
  daemon_.on_exec = [](auto*, ExecCall* stream) {
    v1::ExecRequest request;
    stream->Read(&request);
    stream->Write(Affected(1));
    stream->Read(&request);
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone");
  };
  const auto outcomes = db_->ExecBatch(ctx_, std::vector<BatchStatement>(3, {.sql = "x"}));
  EXPECT_TRUE(outcomes[0].ok());
  EXPECT_TRUE(IsCommitOutcomeUnknown(outcomes[1].status())) << outcomes[1].status();
  EXPECT_FALSE(IsRetryable(outcomes[1].status())) << "it may have taken effect";
  EXPECT_TRUE(IsCommitOutcomeUnknown(outcomes[2].status()) || IsRetryable(outcomes[2].status()));
}

TEST_F(ExecTest, AStreamThatDiedIdleIsReplaced) {
  ASSERT_TRUE(db_->Exec(ctx_, "x").ok());
  daemon_.Stop();
  daemon_.Start();
  EXPECT_EQ(db_->Connect(ctx_), absl::OkStatus());
  EXPECT_EQ(db_->Exec(ctx_, "x").status(), absl::OkStatus());
  EXPECT_EQ(daemon_.execs, 2);
}

TEST_F(ExecTest, WhatMayHaveRunIsNotSentAgain) {
  std::atomic<int> runs = 0;
  daemon_.on_exec = [&](auto*, ExecCall* stream) {
    v1::ExecRequest request;
    stream->Read(&request);
    stream->Write(Affected(1));
    if (stream->Read(&request)) ++runs;
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone");
  };
  ASSERT_TRUE(db_->Exec(ctx_, "x").ok());
  const absl::Status status = db_->Exec(ctx_, "x").status();
  EXPECT_TRUE(IsCommitOutcomeUnknown(status)) << status;
  EXPECT_FALSE(IsRetryable(status));
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(daemon_.execs, 1);
}

TEST_F(ExecTest, AHungDaemonDoesNotHangTheCallerNorSpoilTheNextCall) {
  ASSERT_TRUE(db_->Exec(ctx_, "x").ok());
  daemon_.Stop();
  daemon_.on_exec = [](auto*, ExecCall* stream) {
    v1::ExecRequest request;
    return Hang(stream, &request);
  };
  daemon_.Start();
  ASSERT_TRUE(db_->Connect(ctx_).ok());
  const absl::Status status = db_->Exec(ctx_.WithTimeout(absl::Milliseconds(50)), "x").status();
  EXPECT_TRUE(IsTimeout(status)) << status;
  EXPECT_TRUE(IsCommitOutcomeUnknown(status)) << status;
  daemon_.on_exec = Serve;
  EXPECT_EQ(db_->Exec(ctx_, "x").status(), absl::OkStatus());
  EXPECT_EQ(daemon_.execs, 3) << "the cancelled stream was dropped";
}

TEST_F(ExecTest, CancelledFromAnotherThread) {
  std::promise<void> arrived;
  daemon_.on_exec = [&](auto*, ExecCall* stream) {
    v1::ExecRequest request;
    stream->Read(&request);
    arrived.set_value();
    return Hang(stream, &request);
  };
  std::thread canceller([&] {
    arrived.get_future().wait();
    ctx_.Cancel();
  });
  const absl::Status status = db_->Exec(ctx_, "x").status();
  canceller.join();
  EXPECT_TRUE(IsCancelled(status)) << status;
  EXPECT_TRUE(IsCommitOutcomeUnknown(status)) << status;
}

TEST_F(ExecTest, ManyThreadsShareAProvider) {
  std::vector<std::thread> threads;
  std::atomic<int> done = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 50; ++k) done += db_->Exec(Context(), "x", 1).ok() ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done, 400);
  EXPECT_LE(daemon_.execs, 8);
}

// Prepares, and answers each run with its first argument in `parts` messages;
// a run without arguments fails.
grpc::Status ServePrepared(PrepareCall* stream, int parts) {
  v1::PrepareRequest request;
  if (!stream->Read(&request)) return grpc::Status::OK;
  if (request.sql() == "bad") return {grpc::StatusCode::INVALID_ARGUMENT, "bad"};
  v1::PrepareResponse response;
  response.mutable_prepared()->set_parameter_count(1);
  response.mutable_prepared()->add_columns()->set_name("n");
  stream->Write(response);
  while (stream->Read(&request)) {
    response.Clear();
    if (request.args().empty()) {
      response.mutable_error()->set_code(grpc::StatusCode::INVALID_ARGUMENT);
      stream->Write(response);
      continue;
    }
    for (int i = 0; i < parts; ++i) {
      response.Clear();
      v1::QueryResponse* result = response.mutable_result();
      result->set_row_count(1);
      result->add_data()->set_kind(v1::KIND_INTEGER);
      result->mutable_data(0)->add_integers(request.args(0).integer());
      if (i + 1 == parts) result->mutable_summary()->set_rows_affected(1);
      if (!stream->Write(response)) break;
    }
  }
  return grpc::Status::OK;
}

class StatementTest : public ::testing::Test {
 protected:
  StatementTest() {
    daemon_.on_prepare = [this](auto*, PrepareCall* stream) {
      return ServePrepared(stream, parts_);
    };
  }

  FakeDaemon daemon_;
  std::unique_ptr<Provider> db_ = daemon_.Connect();
  const Context ctx_;
  int parts_ = 1;
};

TEST_F(StatementTest, RunsShareAStreamAndSurviveAFailure) {
  const auto statement = *db_->Prepare(ctx_, "SELECT $1");
  EXPECT_EQ(statement->ParameterCount(), 1);
  for (int64_t i = 0; i < 3; ++i) {
    const auto rows = statement->Query(ctx_, i);
    ASSERT_TRUE(rows.ok()) << rows.status();
    EXPECT_THAT((*rows)->Columns(), ::testing::ElementsAre("n"));
    ASSERT_TRUE((*rows)->Next());
    EXPECT_EQ((*rows)->Values(), std::vector<Value>{i});
    EXPECT_FALSE((*rows)->Next());
    EXPECT_TRUE(absl::IsInvalidArgument(statement->Exec(ctx_).status()));
  }
  EXPECT_EQ(statement->Exec(ctx_, 1)->RowsAffected(), 1);
  EXPECT_EQ(daemon_.prepares, 1);
  EXPECT_EQ(statement->Close(), absl::OkStatus());
  EXPECT_TRUE(absl::IsFailedPrecondition(statement->Exec(ctx_, 1).status()));
}

TEST_F(StatementTest, WhatCannotBePreparedIsTheErrorOfPrepare) {
  EXPECT_TRUE(absl::IsInvalidArgument(db_->Prepare(ctx_, "bad").status()));
}

TEST_F(StatementTest, OpenRowsHaveTheirStreamAndGiveUpAtDestruction) {
  parts_ = 1000;
  const auto statement = *db_->Prepare(ctx_, "SELECT $1");
  auto first = *statement->Query(ctx_, 1);
  auto second = *statement->Query(ctx_, 2);
  ASSERT_TRUE(first->Next());
  ASSERT_TRUE(second->Next());
  EXPECT_EQ(first->Values(), std::vector<Value>{1});
  EXPECT_EQ(second->Values(), std::vector<Value>{2});
  EXPECT_EQ(daemon_.prepares, 2);
  EXPECT_EQ(first->Close(), absl::OkStatus());
  while (second->Next()) {
  }
  EXPECT_EQ(second->Err(), absl::OkStatus());
  EXPECT_EQ(statement->Exec(ctx_, 3)->RowsAffected(), 1);
  EXPECT_EQ(daemon_.prepares, 2) << "the stream that was read to its end is used again";
}

TEST_F(StatementTest, PreparedAgainAfterARestart) {
  const auto statement = *db_->Prepare(ctx_, "SELECT $1");
  daemon_.Stop();
  daemon_.Start();
  ASSERT_TRUE(db_->Connect(ctx_).ok());
  EXPECT_EQ(statement->Exec(ctx_, 1).status(), absl::OkStatus());
}

TEST_F(StatementTest, RowsOutliveStatementAndProvider) {
  parts_ = 3;
  std::unique_ptr<Rows> rows;
  {
    const auto statement = *db_->Prepare(ctx_, "SELECT $1");
    rows = *statement->Query(ctx_, 1);
  }
  db_ = nullptr;
  int count = 0;
  while (rows->Next()) ++count;
  EXPECT_EQ(count, 3);
  EXPECT_EQ(rows->Err(), absl::OkStatus());
}

// The fake daemon does not know Pipeline. The other tests of it have seen blocking calls go on.
TEST(OldDaemonTest, AsynchronousCallsSayWhatTheyNeed) {
  FakeDaemon daemon;
  daemon.on_exec = Serve;
  const auto db = daemon.Connect();
  for (int i = 0; i < 2; ++i) {
    std::promise<absl::Status> ended;
    db->ExecAsync(Context(), "x").Start([&](const absl::StatusOr<Result>& result) {
      ended.set_value(result.status());
    });
    const absl::Status status = ended.get_future().get();
    EXPECT_TRUE(absl::IsUnimplemented(status)) << status;
    EXPECT_EQ(GetErrorDetails(status).reason, "UNSUPPORTED");
    EXPECT_EQ(db->Exec(Context(), "x").status(), absl::OkStatus());
  }
  EXPECT_EQ(daemon.execs, 1);
}

}  // namespace
}  // namespace penstock
