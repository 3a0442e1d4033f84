#include <future>
#include <map>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "tests/unit/client/fake_daemon.h"

namespace penstock {
namespace {

class TransactionTest : public ::testing::Test {
 protected:
  TransactionTest() {
    daemon_.on_transaction = [this](auto*, TransactionCall* stream) { return Serve(stream); };
  }

  // Every step works, except "fail". A query has two messages.
  grpc::Status Serve(TransactionCall* stream) {
    v1::TransactionRequest request;
    while (stream->Read(&request)) {
      v1::TransactionResponse response;
      switch (request.step_case()) {
        case v1::TransactionRequest::kBegin: response.mutable_begun(); break;
        case v1::TransactionRequest::kQuery:
        case v1::TransactionRequest::kExecute:
          response.mutable_result()->add_columns()->set_name("n");
          response.mutable_result()->set_row_count(1);
          response.mutable_result()->add_data()->set_kind(v1::KIND_INTEGER);
          response.mutable_result()->mutable_data(0)->add_integers(1);
          stream->Write(response);
          response.mutable_result()->mutable_summary();
          break;
        case v1::TransactionRequest::kExec:
          if (request.exec().sql() == "fail") {
            response.mutable_error()->set_code(grpc::StatusCode::NOT_FOUND);
          } else if (request.exec().sql() == "hang") {
            hanging_.set_value();
            return Hang(stream, &request);
          } else {
            response.mutable_executed()->set_rows_affected(1);
          }
          break;
        case v1::TransactionRequest::kPrepare: response.mutable_prepared()->set_statement(3); break;
        case v1::TransactionRequest::kCommit:
          if (cut_at_commit_) return {grpc::StatusCode::UNAVAILABLE, "cut"};
          response.mutable_committed();
          break;
        case v1::TransactionRequest::kRollback:
          rolled_back_ = true;
          response.mutable_rolled_back();
          break;
        default: response.mutable_done();
      }
      stream->Write(response);
      if (request.has_commit() || request.has_rollback()) break;
    }
    return grpc::Status::OK;
  }

  std::unique_ptr<Transaction> Begin() { return *db_->Transaction(ctx_); }

  FakeDaemon daemon_;
  std::unique_ptr<Provider> db_ = daemon_.Connect();
  const Context ctx_;
  std::atomic<bool> rolled_back_ = false;
  bool cut_at_commit_ = false;
  std::promise<void> hanging_;
};

TEST_F(TransactionTest, StepByStep) {
  const auto tx = Begin();
  EXPECT_EQ(tx->Exec(ctx_, "x", 1)->RowsAffected(), 1);
  EXPECT_TRUE(absl::IsNotFound(tx->Exec(ctx_, "fail").status()));
  EXPECT_EQ(tx->Savepoint(ctx_, "a"), absl::OkStatus());
  EXPECT_EQ(tx->RollbackTo(ctx_, "a"), absl::OkStatus());
  EXPECT_EQ(tx->Release(ctx_, "a"), absl::OkStatus());
  {
    const auto statement = *tx->Prepare(ctx_, "x");
    EXPECT_TRUE(statement->Exec(ctx_, 1).ok());
  }
  EXPECT_EQ(tx->Commit(ctx_), absl::OkStatus());
  EXPECT_TRUE(absl::IsFailedPrecondition(tx->Exec(ctx_, "x").status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(tx->Commit(ctx_)));
  EXPECT_TRUE(absl::IsFailedPrecondition(tx->Rollback(ctx_)));
  EXPECT_FALSE(rolled_back_);
}

TEST_F(TransactionTest, DestroyedWithoutCommitItIsRolledBack) {
  { const auto tx = Begin(); }
  EXPECT_TRUE(rolled_back_) << "the destructor waits for it";
}

TEST_F(TransactionTest, OpenRowsHoldItUpAndAreDrainedWhenDestroyed) {
  const auto tx = Begin();
  {
    const auto rows = *tx->Query(ctx_, "x");
    ASSERT_TRUE(rows->Next());
    const absl::Status refused = tx->Exec(ctx_, "x").status();
    EXPECT_TRUE(absl::IsFailedPrecondition(refused));
    EXPECT_EQ(GetErrorDetails(refused).reason, "WRONG_STATE");
    EXPECT_NE(GetErrorDetails(refused).hint, "");
    EXPECT_TRUE(absl::IsFailedPrecondition(tx->Commit(ctx_)));
  }
  EXPECT_EQ(tx->Exec(ctx_, "x").status(), absl::OkStatus());
  EXPECT_EQ(tx->Commit(ctx_), absl::OkStatus());
}

// The rule does not depend on what has arrived already.
TEST_F(TransactionTest, RowsAreOpenUntilTheirEnd) {
  const auto tx = Begin();
  const auto rows = *tx->Query(ctx_, "x");
  ASSERT_TRUE(rows->Next());
  ASSERT_TRUE(rows->Next()) << "the last one";
  EXPECT_TRUE(absl::IsFailedPrecondition(tx->Exec(ctx_, "x").status()));
  EXPECT_FALSE(rows->Next());
  EXPECT_EQ(tx->Exec(ctx_, "x").status(), absl::OkStatus());
  const auto others = *tx->Query(ctx_, "x");
  EXPECT_TRUE(absl::IsFailedPrecondition(tx->Exec(ctx_, "x").status()));
  EXPECT_EQ(others->Close(), absl::OkStatus());
  EXPECT_EQ(tx->Exec(ctx_, "x").status(), absl::OkStatus());
}

TEST_F(TransactionTest, RowsOfADestroyedTransactionEndWithAnError) {
  auto tx = Begin();
  const auto rows = *tx->Query(ctx_, "x");
  tx = nullptr;
  EXPECT_TRUE(rows->Next()) << "it is here already";
  EXPECT_FALSE(rows->Next());
  EXPECT_TRUE(absl::IsFailedPrecondition(rows->Err())) << rows->Err();
}

TEST_F(TransactionTest, ALostAnswerToCommitIsAnUnknownOutcome) {
  cut_at_commit_ = true;
  const auto tx = Begin();
  const absl::Status status = tx->Commit(ctx_);
  EXPECT_TRUE(IsCommitOutcomeUnknown(status)) << status;
  EXPECT_FALSE(IsTransactionRetryable(status));
}

TEST_F(TransactionTest, AHungStepEndsTheTransaction) {
  const auto tx = Begin();
  EXPECT_TRUE(IsTimeout(tx->Exec(ctx_.WithTimeout(absl::Milliseconds(50)), "hang").status()));
  EXPECT_TRUE(IsTimeout(tx->Exec(ctx_, "x").status())) << "what ended it";
}

TEST_F(TransactionTest, CancelledFromAnotherThread) {
  const auto tx = Begin();
  const Context step;
  std::thread canceller([&] {
    hanging_.get_future().wait();
    step.Cancel();
  });
  EXPECT_TRUE(IsCancelled(tx->Exec(step, "hang").status()));
  canceller.join();
  EXPECT_TRUE(IsCancelled(tx->Commit(ctx_)));
}

TEST_F(TransactionTest, ABrokenLinkEndsIt) {
  const auto tx = Begin();
  daemon_.Stop();
  const absl::Status status = tx->Exec(ctx_, "x").status();
  EXPECT_TRUE(IsUnavailable(status)) << status;
  EXPECT_EQ(GetErrorDetails(status).retry, Retry::kTransaction) << "COMMIT was never sent";
  EXPECT_EQ(tx->Commit(ctx_), status);
}

TEST_F(TransactionTest, IsRunAgainAfterALinkThatBrokeBeforeCommit) {
  int runs = 0;
  const absl::Status done = RunInTransaction(ctx_, *db_, [&](const Context& ctx, Transaction& tx) {
    if (++runs == 1) {
      daemon_.Stop();
      daemon_.Start();
    }
    return tx.Exec(ctx, "x").status();
  });
  EXPECT_EQ(done, absl::OkStatus());
  EXPECT_EQ(runs, 2);
}

TEST_F(TransactionTest, ABodyEndsWithTheContextWhateverItsOwn) {
  const absl::Time began = absl::Now();
  const Context other;
  const absl::Status late = RunInTransaction(
      ctx_.WithTimeout(absl::Milliseconds(100)), *db_,
      [&](Transaction& tx) { return tx.Exec(other, "hang").status(); }, {.max_attempts = 1});
  EXPECT_TRUE(IsTimeout(late)) << late;
  EXPECT_LT(absl::Now() - began, absl::Seconds(5));
}

TEST_F(TransactionTest, ABodyIsCancelledWithTheContextWhateverItsOwn) {
  const Context run;
  std::thread canceller([&] {
    hanging_.get_future().wait();
    run.Cancel();
  });
  const Context other;
  const absl::Status ended =
      RunInTransaction(run, *db_, [&](Transaction& tx) { return tx.Exec(other, "hang").status(); });
  canceller.join();
  EXPECT_TRUE(IsCancelled(ended)) << ended;
}

TEST_F(TransactionTest, ABodyMayReturnAValue) {
  const absl::StatusOr<int64_t> rows = RunInTransaction(
      ctx_, *db_, [](const Context& ctx, Transaction& tx) -> absl::StatusOr<int64_t> {
        const absl::StatusOr<Result> result = tx.Exec(ctx, "x");
        if (!result.ok()) return result.status();
        return result->RowsAffected();
      });
  EXPECT_EQ(*rows, 1);
  EXPECT_TRUE(absl::IsNotFound(
      RunInTransaction(ctx_, *db_, [](const Context& ctx, Transaction& tx) -> absl::StatusOr<int> {
        return tx.Exec(ctx, "fail").status();
      }).status()));
}

TEST_F(TransactionTest, ItsSettingsAreThoseOfItsBeginning) {
  std::map<std::string, std::string> begun;
  daemon_.on_transaction = [&](auto*, TransactionCall* stream) {
    v1::TransactionRequest request;
    stream->Read(&request);
    begun.insert(request.begin().settings().begin(), request.begin().settings().end());
    v1::TransactionResponse response;
    response.mutable_begun();
    stream->Write(response);
    return Serve(stream);
  };
  const Context ada = ctx_.WithSetting("app.user", "ada");
  auto tx = db_->Transaction(ada);
  ASSERT_TRUE(tx.ok()) << tx.status();
  EXPECT_EQ(begun, ada.settings());
  EXPECT_TRUE((*tx)->Exec(ada, "x").ok());
  EXPECT_TRUE((*tx)->Exec(ctx_, "x").ok());
  for (const Context& other : {ada.WithSetting("app.user", "eve"), ada.WithSetting("a.b", "")}) {
    const absl::Status refused = (*tx)->Exec(other, "x").status();
    EXPECT_TRUE(absl::IsInvalidArgument(refused)) << refused;
  }
  EXPECT_TRUE((*tx)->Commit(ada).ok());
  const absl::Status wrong = db_->Transaction(ctx_.WithSetting("app.user", "\xff")).status();
  EXPECT_TRUE(absl::IsInvalidArgument(wrong)) << wrong;
}

TEST_F(TransactionTest, CallsWithoutUseForSettingsRefuseThem) {
  const Context ada = ctx_.WithSetting("app.user", "ada");
  const absl::Status keys = db_->KeyValue("")->Put(ada, "k", "v");
  EXPECT_TRUE(absl::IsInvalidArgument(keys)) << keys;
  const absl::Status migration = db_->Migrate(ada, "/nowhere");
  EXPECT_TRUE(absl::IsInvalidArgument(migration)) << migration;
}

}  // namespace
}  // namespace penstock
