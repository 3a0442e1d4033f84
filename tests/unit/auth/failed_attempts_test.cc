// Addresses that keep failing.
#include "server/auth/failed_attempts.h"

#include <chrono>
#include <string>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace penstock::server {
namespace {

using driver::GetErrorInfo;
using driver::Reason;
using driver::TimePoint;
using std::chrono::hours;
using std::chrono::seconds;
using ::testing::HasSubstr;

const TimePoint kNow = TimePoint() + hours(1);

void FailOften(FailedAttempts* attempts, const std::string& peer, TimePoint now) {
  for (int i = 0; i < FailedAttempts::kMost; ++i) {
    EXPECT_TRUE(attempts->Note(peer, now).ok()) << i;
  }
}

TEST(FailedAttemptsTest, WhoFailsTooOftenIsToldNoMoreForAWhile) {
  FailedAttempts attempts;
  FailOften(&attempts, "10.0.0.1", kNow);
  const absl::Status refused = attempts.Note("10.0.0.1", kNow + seconds(4));
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  EXPECT_EQ(GetErrorInfo(refused).reason, Reason::kLimitExceeded);
  EXPECT_THAT(GetErrorInfo(refused).hint, HasSubstr("wait for 6 s"));
  EXPECT_TRUE(attempts.Note("10.0.0.2", kNow + seconds(4)).ok()) << "another address";
  FailOften(&attempts, "10.0.0.1", kNow + FailedAttempts::kPeriod);
}

TEST(FailedAttemptsTest, WhoFailsNowAndThenIsTold) {
  FailedAttempts attempts;
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(attempts.Note("10.0.0.1", kNow + i * seconds(2)).ok()) << i;
  }
}

TEST(FailedAttemptsTest, ThePeersThatFailedLastAreRemembered) {
  FailedAttempts attempts;
  FailOften(&attempts, "often", kNow);
  FailOften(&attempts, "seldom", kNow);
  for (size_t i = 0; i < 2 * FailedAttempts::kMostPeers; ++i) {
    attempts.Note(fmt::format("peer {}", i), kNow).IgnoreError();
    EXPECT_FALSE(attempts.Note("often", kNow).ok());
  }
  EXPECT_EQ(attempts.peers(), FailedAttempts::kMostPeers);
  EXPECT_TRUE(attempts.Note("seldom", kNow).ok());
}

}  // namespace
}  // namespace penstock::server
