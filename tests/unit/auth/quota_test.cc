// The limits of an identity.
#include "server/auth/quota.h"

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "drivers/api/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace penstock::server {
namespace {

using driver::GetErrorInfo;
using driver::Reason;
using driver::Retry;
using driver::TimePoint;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using Limit = Quota::Limit;

const TimePoint kNow = TimePoint() + hours(1);

void ExpectRefused(const absl::Status& status, const std::string& limit, Retry retry) {
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("identity 'app'"));
  EXPECT_THAT(std::string(status.message()), HasSubstr(limit));
  const driver::ErrorInfo info = GetErrorInfo(status);
  EXPECT_EQ(info.reason, Reason::kLimitExceeded);
  EXPECT_EQ(info.retry, retry);
  EXPECT_THAT(info.hint, HasSubstr("of the identity"));
}

TEST(QuotaTest, WithoutLimitsEverythingIsAdmitted) {
  const auto quota = Quota::Make("app");
  std::vector<Quota::Share> shares;
  for (int i = 0; i < 1000; ++i) {
    auto share = quota->Admit(/*transaction=*/true, kNow);
    ASSERT_TRUE(share.ok()) << share.status();
    shares.push_back(*std::move(share));
  }
  EXPECT_EQ(quota->calls(), 1000);
  shares.clear();
  EXPECT_EQ(quota->calls(), 0);
  ResultMeter meter;
  meter.Start(quota.get());
  EXPECT_TRUE(meter.Check({.bytes = size_t{1} << 40, .rows = size_t{1} << 40}).ok());
}

TEST(QuotaTest, EachQuotaHasANumberOfItsOwn) {
  const auto one = Quota::Make("app");
  const auto other = Quota::Make("app");
  EXPECT_NE(one->number(), 0u);
  EXPECT_NE(one->number(), other->number());
}

TEST(QuotaTest, CallsInFlightAreLimitedUntilOneEnds) {
  const auto quota = Quota::Make("app", {.max_calls = 2});
  auto first = quota->Admit(false, kNow);
  auto second = quota->Admit(true, kNow);
  ASSERT_TRUE(first.ok() && second.ok());
  ExpectRefused(quota->Admit(false, kNow).status(), "2 calls and streams in flight already",
                Retry::kStatement);
  EXPECT_EQ(quota->exceeded(Limit::kCalls), 1);
  Quota::Share moved = *std::move(first);
  EXPECT_FALSE(quota->Admit(false, kNow).ok()) << "a share that was moved still counts";
  moved.Release();
  moved.Release();
  EXPECT_EQ(quota->calls(), 1);
  EXPECT_TRUE(quota->Admit(false, kNow).ok());
}

TEST(QuotaTest, TransactionsAreLimitedAndOtherCallsGoOn) {
  const auto quota = Quota::Make("app", {.max_transactions = 1});
  const auto transaction = quota->Admit(true, kNow);
  ASSERT_TRUE(transaction.ok());
  ExpectRefused(quota->Admit(true, kNow).status(), "1 transactions open already (max_transactions)",
                Retry::kStatement);
  EXPECT_TRUE(quota->Admit(false, kNow).ok());
}

TEST(QuotaTest, TheRateAllowsABurstAndTellsWhenToComeBack) {
  const auto quota = Quota::Make("app", {.calls_per_second = 4});
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(quota->Admit(false, kNow).ok()) << i;
  const absl::Status refused = quota->Admit(false, kNow).status();
  ExpectRefused(refused, "more than 4 calls a second (calls_per_second)", Retry::kStatement);
  EXPECT_THAT(GetErrorInfo(refused).hint, HasSubstr("make the call again after 250 ms"));
  EXPECT_FALSE(quota->Admit(false, kNow + milliseconds(249)).ok());
  EXPECT_TRUE(quota->Admit(false, kNow + milliseconds(250)).ok());
  EXPECT_FALSE(quota->Admit(false, kNow + milliseconds(250)).ok());
  // However long nobody calls, no more than a second's calls come at once.
  const TimePoint later = kNow + hours(1);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(quota->Admit(false, later).ok()) << i;
  EXPECT_FALSE(quota->Admit(false, later).ok());
}

TEST(QuotaTest, ACallThatIsRefusedTakesNothingFromTheRate) {
  const auto quota = Quota::Make("app", {.max_calls = 1, .calls_per_second = 2});
  {
    const auto share = quota->Admit(false, kNow);
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(quota->Admit(false, kNow).ok());
  }
  EXPECT_TRUE(quota->Admit(false, kNow).ok());
}

TEST(QuotaTest, ResultsAreLimitedInBytesAndRows) {
  const auto quota = Quota::Make("app", {.max_result_bytes = 100, .max_result_rows = 10});
  ResultMeter meter;
  meter.Start(quota.get());
  EXPECT_TRUE(meter.Check({.bytes = 100, .rows = 10}).ok());
  ExpectRefused(meter.Check({.bytes = 100, .rows = 11}), "more than 10 rows (max_result_rows",
                Retry::kNever);
  meter.Start(quota.get());
  ExpectRefused(meter.Check({.bytes = 101, .rows = 1}), "more than 100 bytes (max_result_bytes",
                Retry::kNever);
  EXPECT_EQ(quota->exceeded(Limit::kResultRows), 1);
  EXPECT_EQ(quota->exceeded(Limit::kResultBytes), 1);
}

TEST(QuotaTest, WhatIsNotEnforcedIsCountedAndGoesOn) {
  const auto quota = Quota::Make(
      "app", {.max_calls = 1, .calls_per_second = 1, .max_result_rows = 1, .enforce = false});
  const auto first = quota->Admit(false, kNow);
  const auto second = quota->Admit(false, kNow);
  EXPECT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(quota->calls(), 2);
  EXPECT_EQ(quota->exceeded(Limit::kCalls), 1);
  ResultMeter meter;
  meter.Start(quota.get());
  for (size_t rows = 1; rows < 5; ++rows) EXPECT_TRUE(meter.Check({.bytes = 1, .rows = rows}).ok());
  EXPECT_EQ(quota->exceeded(Limit::kResultRows), 1) << "once for each result";
}

TEST(QuotaTest, NewLimitsHoldForWhatBeginsAndCountWhatIsUnderWay) {
  const auto quota = Quota::Make("app");
  const auto first = quota->Admit(false, kNow);
  const auto second = quota->Admit(false, kNow);
  quota->SetLimits({.max_calls = 2});
  EXPECT_FALSE(quota->Admit(false, kNow).ok());
  quota->SetLimits({});
  EXPECT_TRUE(quota->Admit(false, kNow).ok());
}

TEST(QuotaTest, AShareKeepsItsQuotaAlive) {
  auto quota = Quota::Make("app");
  auto share = quota->Admit(false, kNow);
  quota.reset();
  share->Release();
}

TEST(QuotaTest, ThreadsNeverExceedTheLimitTogether) {
  constexpr int kMost = 3;
  const auto quota = Quota::Make("app", {.max_calls = kMost});
  std::atomic<int> in_flight{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 2000; ++n) {
        const auto share = quota->Admit(false, kNow);
        if (!share.ok()) continue;
        EXPECT_LE(in_flight.fetch_add(1) + 1, kMost);
        in_flight.fetch_sub(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(quota->calls(), 0);
}

}  // namespace
}  // namespace penstock::server
