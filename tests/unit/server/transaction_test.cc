#include "server/database/transaction.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "drivers/fake/fake_driver.h"
#include "gtest/gtest.h"

namespace penstock::server {
namespace {

using driver::GetErrorInfo;
using driver::Reason;
using Journal = std::vector<std::string>;

class TransactionTest : public ::testing::Test {
 protected:
  struct Waiter final : Pool::Waiter {
    void OnLease(absl::StatusOr<Lease> granted) override { lease = *std::move(granted); }
    Lease lease;
  };

  TransactionTest() {
    DatabaseConfig config;
    config.limits.max_transaction_statements = 2;
    database_ =
        std::make_unique<Database>("main", config, std::make_unique<fake::FakeDriver>(script_));
  }

  absl::Status Begin(Transaction& transaction) {
    Waiter waiter;
    database_->pool(driver::Lane::kWrite).Acquire(&waiter);
    return transaction.Begin(std::move(waiter.lease), {});
  }

  absl::Status Run(Transaction& transaction, std::string_view sql) {
    driver::StatementRun run;
    run.sql = sql;
    transaction.Run(run);
    return run.status;
  }

  int in_use() const { return database_->Stats()[0].second.in_use; }

  std::shared_ptr<fake::Script> script_ = std::make_shared<fake::Script>();
  std::unique_ptr<Database> database_;
};

TEST_F(TransactionTest, CommitGivesTheConnectionBack) {
  Transaction transaction(database_.get());
  ASSERT_TRUE(Begin(transaction).ok());
  EXPECT_EQ(in_use(), 1);
  EXPECT_TRUE(Run(transaction, "a").ok());
  EXPECT_TRUE(transaction.Commit().ok());
  EXPECT_EQ(transaction.conclusion(), Transaction::Conclusion::kCommitted);
  EXPECT_EQ(in_use(), 0);
  EXPECT_EQ(script_->Journal(), (Journal{"connect", "begin", "run a", "commit", "reset"}));
}

TEST_F(TransactionTest, DestroyedWithoutCommitItIsRolledBack) {
  {
    Transaction transaction(database_.get());
    ASSERT_TRUE(Begin(transaction).ok());
  }
  EXPECT_EQ(script_->Journal(), (Journal{"connect", "begin", "rollback", "reset"}));
  EXPECT_EQ(database_->metrics().transactions_killed.value(), 1);
  EXPECT_EQ(database_->metrics().open_transactions.value(), 0);
}

TEST_F(TransactionTest, AFailedBeginLeavesNothing) {
  script_->begin = [] { return driver::MakeError(Reason::kBusy, "locked"); };
  Transaction transaction(database_.get());
  EXPECT_EQ(GetErrorInfo(Begin(transaction)).reason, Reason::kBusy);
  EXPECT_EQ(in_use(), 0);
  EXPECT_EQ(Run(transaction, "a").code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(TransactionTest, AFailedCommitEndsIt) {
  script_->commit = [] { return driver::MakeError(Reason::kDiskFull, "full"); };
  Transaction transaction(database_.get());
  ASSERT_TRUE(Begin(transaction).ok());
  EXPECT_EQ(GetErrorInfo(transaction.Commit()).reason, Reason::kDiskFull);
  EXPECT_EQ(transaction.state(), Transaction::State::kEnded);
  EXPECT_EQ(in_use(), 0);
}

TEST_F(TransactionTest, OnceAbortedOnlyRollbacksAreAccepted) {
  Transaction transaction(database_.get());
  ASSERT_TRUE(Begin(transaction).ok());
  script_->aborted = true;
  EXPECT_EQ(GetErrorInfo(Run(transaction, "a")).reason, Reason::kTransactionAborted);
  EXPECT_EQ(GetErrorInfo(transaction.Savepoint("s")).reason, Reason::kTransactionAborted);
  EXPECT_TRUE(transaction.RollbackTo("s").ok());
  EXPECT_EQ(GetErrorInfo(transaction.Commit()).reason, Reason::kTransactionAborted);
  EXPECT_EQ(in_use(), 0);
}

TEST_F(TransactionTest, ALostConnectionFreesItsPlaceBeforeAnybodyIsTold) {
  bool healthy = true;
  script_->healthy = [&healthy] { return healthy; };
  script_->run = [&healthy](driver::StatementRun& run) {
    healthy = false;
    run.status = driver::MakeError(Reason::kConnectionLost, "gone");
  };
  Transaction transaction(database_.get());
  ASSERT_TRUE(Begin(transaction).ok());
  const absl::Status lost = Run(transaction, "a");
  EXPECT_EQ(in_use(), 0);
  EXPECT_EQ(transaction.conclusion(), Transaction::Conclusion::kKilled);
  driver::StatementInfo info;
  for (const absl::Status& status :
       {lost, Run(transaction, "b"), transaction.Savepoint("s"), transaction.RollbackTo("s"),
        transaction.Release("s"), transaction.Commit(),
        transaction.Prepare("c", driver::Deadline::None(), nullptr, &info).status()}) {
    EXPECT_EQ(GetErrorInfo(status).reason, Reason::kConnectionLost) << status;
    EXPECT_EQ(GetErrorInfo(status).retry, driver::Retry::kTransaction) << status;
  }
  EXPECT_EQ(script_->Journal(), (Journal{"connect", "begin", "run a", "close"}));
}

TEST_F(TransactionTest, ARollbackOfWhatTheBackendHasEndedIsNotToldAsOne) {
  const std::pair<Reason, bool> outcomes[] = {{Reason::kCommitOutcomeUnknown, false},
                                              // With the connection it is rolled back.
                                              {Reason::kConnectionLost, true}};
  for (const auto& [reason, rolled_back] : outcomes) {
    script_->rollback = [reason = reason] { return driver::MakeError(reason, "it has ended"); };
    Transaction transaction(database_.get());
    ASSERT_TRUE(Begin(transaction).ok());
    EXPECT_EQ(transaction.Rollback().ok(), rolled_back);
    EXPECT_EQ(transaction.conclusion(), rolled_back ? Transaction::Conclusion::kRolledBack
                                                    : Transaction::Conclusion::kKilled);
    EXPECT_EQ(in_use(), 0);
  }
}

TEST_F(TransactionTest, WhatHasTakenTheTransactionWithItIsRetriedFromItsBeginning) {
  for (const Reason reason : {Reason::kConnectionLost, Reason::kDraining, Reason::kDiskFull,
                              Reason::kBackendResources, Reason::kConnectionFailed}) {
    for (const bool aborted : {true, false}) {
      script_->aborted = false;
      script_->run = [&](driver::StatementRun& run) {
        script_->aborted = aborted;
        run.status = driver::MakeError(reason, "failed");
      };
      Transaction transaction(database_.get());
      ASSERT_TRUE(Begin(transaction).ok());
      EXPECT_EQ(GetErrorInfo(Run(transaction, "a")).retry,
                aborted ? driver::Retry::kTransaction : driver::Retry::kStatement);
    }
    script_->aborted = false;
    script_->run = nullptr;
    script_->commit = [reason] { return driver::MakeError(reason, "failed"); };
    Transaction transaction(database_.get());
    ASSERT_TRUE(Begin(transaction).ok());
    EXPECT_EQ(GetErrorInfo(transaction.Commit()).retry, driver::Retry::kTransaction);
  }
}

TEST_F(TransactionTest, PreparedStatementsAreNumberedLimitedAndClosed) {
  Transaction transaction(database_.get());
  ASSERT_TRUE(Begin(transaction).ok());
  driver::StatementInfo info;
  const auto prepare = [&](std::string_view sql) {
    return transaction.Prepare(sql, driver::Deadline::None(), nullptr, &info);
  };
  EXPECT_EQ(prepare("a").value(), 1u);
  EXPECT_EQ(prepare("b").value(), 2u);
  EXPECT_EQ(GetErrorInfo(prepare("c").status()).reason, Reason::kLimitExceeded);
  EXPECT_EQ(transaction.statement(1).value(), "a");
  EXPECT_TRUE(transaction.CloseStatement(1).ok());
  EXPECT_EQ(transaction.statement(1).status().message(), "statement 1 was closed");
  EXPECT_EQ(transaction.statement(7).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(prepare("c").value(), 3u);
}

TEST_F(TransactionTest, NamesOfSavepointsAreChecked) {
  Transaction transaction(database_.get());
  ASSERT_TRUE(Begin(transaction).ok());
  EXPECT_TRUE(transaction.Savepoint("good_1").ok());
  for (const std::string& bad :
       {std::string(), std::string("1a"), std::string("a b"), std::string("a\"; DROP"),
        std::string(64, 'a'), std::string("a\0b", 3)}) {
    EXPECT_EQ(GetErrorInfo(transaction.Savepoint(bad)).reason, Reason::kInvalidParameter) << bad;
    EXPECT_EQ(GetErrorInfo(transaction.RollbackTo(bad)).reason, Reason::kInvalidParameter) << bad;
    EXPECT_EQ(GetErrorInfo(transaction.Release(bad)).reason, Reason::kInvalidParameter) << bad;
  }
}

}  // namespace
}  // namespace penstock::server
