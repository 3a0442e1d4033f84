#include "penstock/run_in_transaction.h"

#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/mocks.h"

namespace penstock {
namespace {

using ::testing::_;
using ::testing::NiceMock;
using ::testing::Return;

const absl::Status kAborted =
    MakeError(absl::StatusCode::kAborted, "another was first",
              {.reason = "SERIALIZATION_FAILURE", .retry = Retry::kTransaction});
const absl::Status kUnavailable =
    MakeError(absl::StatusCode::kUnavailable, "no",
              {.reason = "CONNECTION_FAILED", .retry = Retry::kStatement});
const absl::Status kUnknown =
    MakeError(absl::StatusCode::kUnknown, "who knows", {.reason = "COMMIT_OUTCOME_UNKNOWN"});

class RunInTransactionTest : public ::testing::Test {
 protected:
  // Opening, the body and commits end as their lists say, then well.
  RunInTransactionTest() {
    ON_CALL(db_, Transaction(_, _)).WillByDefault([this](auto&&...) { return Open(); });
  }

  absl::StatusOr<std::unique_ptr<Transaction>> Open() {
    ++opened_;
    if (!opens_.empty() && !Next(&opens_).ok()) return last_;
    auto transaction = std::make_unique<NiceMock<MockTransaction>>();
    ON_CALL(*transaction, Commit).WillByDefault([this](auto&&...) {
      ++committed_;
      return commits_.empty() ? absl::OkStatus() : Next(&commits_);
    });
    ON_CALL(*transaction, Rollback).WillByDefault([this](auto&&...) {
      ++rolled_back_;
      return absl::OkStatus();
    });
    return transaction;
  }

  absl::Status Next(std::vector<absl::Status>* outcomes) {
    last_ = outcomes->front();
    outcomes->erase(outcomes->begin());
    return last_;
  }

  absl::Status Run(const Context& ctx = Context(), const RunOptions& options = {}) {
    return RunInTransaction(
        ctx, db_,
        [this](Transaction&) {
          ++ran_;
          return bodies_.empty() ? absl::OkStatus() : Next(&bodies_);
        },
        options);
  }

  NiceMock<MockProvider> db_;
  std::vector<absl::Status> opens_, bodies_, commits_;
  absl::Status last_;
  int opened_ = 0, ran_ = 0, committed_ = 0, rolled_back_ = 0;
};

TEST_F(RunInTransactionTest, WithinABodyOfTheSameProviderIsRefused) {
  NiceMock<MockProvider> other;
  EXPECT_CALL(other, Transaction(_, _)).WillOnce([this](auto&&...) { return Open(); });
  absl::Status direct, beneath_another;
  const auto inner = [&](absl::Status* refused) {
    return [this, refused](Transaction&) { return *refused = Run(); };
  };
  EXPECT_FALSE(RunInTransaction(Context(), db_, inner(&direct)).ok());
  const auto middle = [&](Transaction&) {
    return RunInTransaction(Context(), other, inner(&beneath_another));
  };
  EXPECT_FALSE(RunInTransaction(Context(), db_, middle).ok());
  for (const absl::Status& refused : {direct, beneath_another}) {
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
    EXPECT_EQ(GetErrorDetails(refused).reason, "WRONG_STATE");
    EXPECT_NE(refused.message().find("use the transaction that the body received"),
              std::string::npos);
  }
  EXPECT_EQ(opened_, 3);
  EXPECT_EQ(ran_, 0);
  EXPECT_EQ(committed_, 0);
  EXPECT_EQ(Run(), absl::OkStatus());
}

TEST_F(RunInTransactionTest, RunsOnceAndCommits) {
  EXPECT_EQ(Run(), absl::OkStatus());
  EXPECT_EQ(opened_, 1);
  EXPECT_EQ(ran_, 1);
  EXPECT_EQ(committed_, 1);
  EXPECT_EQ(rolled_back_, 0);
}

TEST_F(RunInTransactionTest, RepeatsWhatWasAborted) {
  opens_ = {absl::OkStatus(), kUnavailable};
  bodies_ = {kAborted};
  commits_ = {kAborted, kAborted, absl::OkStatus()};
  EXPECT_EQ(Run(), absl::OkStatus());
  EXPECT_EQ(opened_, 5);
  EXPECT_EQ(ran_, 4);
  EXPECT_EQ(committed_, 3);
  EXPECT_EQ(rolled_back_, 1) << "a failed commit needs none";
}

TEST_F(RunInTransactionTest, NeverRepeatsWhatMayHaveHappened) {
  commits_ = {kUnknown};
  EXPECT_EQ(Run(), kUnknown);
  EXPECT_EQ(ran_, 1);
}

// Without details nobody has said that nothing was done.
TEST_F(RunInTransactionTest, NeverRepeatsACommitWhoseDaemonIsGone) {
  commits_ = {absl::UnavailableError("the daemon is gone")};
  EXPECT_EQ(Run(), absl::UnavailableError("the daemon is gone"));
  EXPECT_EQ(ran_, 1);
}

TEST_F(RunInTransactionTest, ReturnsAnErrorOfTheBody) {
  bodies_ = {absl::NotFoundError("no such user")};
  EXPECT_EQ(Run(), absl::NotFoundError("no such user"));
  EXPECT_EQ(ran_, 1);
  EXPECT_EQ(rolled_back_, 1);
  EXPECT_EQ(committed_, 0);
}

TEST_F(RunInTransactionTest, EndsWithItsAttempts) {
  commits_.assign(10, kAborted);
  EXPECT_EQ(Run(Context(), {.max_attempts = 4}), kAborted);
  EXPECT_EQ(ran_, 4);
}

TEST_F(RunInTransactionTest, EndsWithItsDeadline) {
  commits_.assign(10, kAborted);
  const absl::Time began = absl::Now();
  EXPECT_EQ(Run(Context().WithTimeout(absl::Minutes(1)),
                {.initial_backoff = absl::Hours(1), .max_backoff = absl::Hours(1)}),
            kAborted);
  EXPECT_EQ(ran_, 1);
  EXPECT_LT(absl::Now() - began, absl::Seconds(30));
}

TEST_F(RunInTransactionTest, IsCancelledInAPause) {
  commits_.assign(10, kAborted);
  const Context ctx;
  std::thread canceller;
  ON_CALL(db_, Transaction(_, _)).WillByDefault([&](auto&&...) {
    canceller = std::thread([ctx] { ctx.Cancel(); });
    return Open();
  });
  const absl::Status outcome =
      Run(ctx, {.initial_backoff = absl::Hours(1), .max_backoff = absl::Hours(1)});
  canceller.join();
  EXPECT_TRUE(IsCancelled(outcome)) << outcome;
  EXPECT_EQ(ran_, 1);
}

TEST_F(RunInTransactionTest, PassesItsOptionsOn) {
  EXPECT_CALL(db_, Transaction(_, ::testing::Field(&TransactionOptions::isolation,
                                                   Isolation::kSerializable)));
  EXPECT_EQ(Run(Context(), {.transaction = {.isolation = Isolation::kSerializable}}),
            absl::OkStatus());
}

}  // namespace
}  // namespace penstock
