#include "client/cli/token.h"

#include <sys/mman.h>
#include <unistd.h>

#include <set>
#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace penstock::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

absl::Time At(const char* text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error)) << error;
  return time;
}

const absl::Time kNow = At("2026-12-01T12:00:00.5Z");

TEST(Expiry, IsDaysOrATime) {
  EXPECT_EQ(*ParseExpiry("1", kNow), At("2026-12-02T12:00:00.5Z"));
  EXPECT_EQ(*ParseExpiry("090", kNow), At("2027-03-01T12:00:00.5Z"));
  EXPECT_EQ(*ParseExpiry("2027-03-01T00:00:00Z", kNow), At("2027-03-01T00:00:00Z"));
  EXPECT_EQ(*ParseExpiry("2027-03-01T01:00:00+01:00", kNow), At("2027-03-01T00:00:00Z"));
}

TEST(Expiry, WhatIsNeitherIsQuoted) {
  for (const std::string wrong :
       {"", "0", "-1", "36501", "99999999999", "1.5", "90d", "2027-03-01", "2027-02-30T00:00:00Z",
        "infinite-future", "3000-01-01T00:00:00Z"}) {
    const absl::Status status = ParseExpiry(wrong, kNow).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << wrong;
    EXPECT_THAT(std::string(status.message()), HasSubstr("\"" + wrong + "\" is not when"));
  }
  EXPECT_THAT(std::string(ParseExpiry("2026-12-01T12:00:00Z", kNow).status().message()),
              HasSubstr("has passed"));
}

TEST(Token, EachIsAnotherOne) {
  std::set<std::string> tokens;
  for (int i = 0; i < 100; ++i) tokens.insert(*MakeToken("a_b-1"));
  EXPECT_EQ(tokens.size(), 100);
  for (const std::string& token : tokens) {
    EXPECT_THAT(token, MatchesRegex("pst_a_b-1_[A-Za-z0-9_-]{43}"));
    EXPECT_EQ(DigestToken(token)->id, "a_b-1");
  }
}

// printf %s TOKEN | sha256sum
TEST(Token, ItsDigestIsThatOfTheWholeText) {
  const absl::StatusOr<TokenDigest> digest = DigestToken("pst_a_b_" + std::string(43, '_'));
  ASSERT_TRUE(digest.ok()) << digest.status();
  EXPECT_EQ(digest->id, "a_b");
  EXPECT_EQ(digest->sha256, "874c02860e882e8703bafbe2035a75ee713360f4d368e81117c14ad3a93ca385");
}

TEST(Token, WhatIsNoneIsRefusedAndNotQuoted) {
  const std::string secret(43, 's');
  for (const std::string& wrong :
       {std::string(), std::string("pst_"), "pst_app_" + secret.substr(1), "pst__" + secret,
        "pst_" + secret, "PST_app_" + secret, "app_" + secret, "pst_app-" + secret,
        "pst_a.b_" + secret, "pst_app_" + secret.substr(1) + "=", "pst_app_" + secret + "\n",
        "pst_" + std::string(65, 'a') + "_" + secret}) {
    const absl::Status status = DigestToken(wrong).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << wrong;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("sss")));
  }
}

TEST(Token, ANewOneGoesToTheOutputAndItsLinesToTheErrors) {
  const int file = memfd_create("output", 0);
  Output out(file);
  std::ostringstream err;
  ASSERT_EQ(RunNewToken({.id = "app", .expires = "90"}, kNow, &out, &err), absl::OkStatus());
  char bytes[256];
  const std::string written(bytes, pread(file, bytes, sizeof(bytes), 0));
  close(file);
  ASSERT_TRUE(written.ends_with('\n'));
  const absl::StatusOr<TokenDigest> digest =
      DigestToken(std::string_view(written).substr(0, written.size() - 1));
  ASSERT_TRUE(digest.ok()) << digest.status();
  EXPECT_EQ(err.str(),
            "- id: \"app\"\n  sha256: " + digest->sha256 + "\n  expires: 2027-03-01T12:00:00Z\n");
}

// Nobody could find out what the token was.
TEST(Token, LinesOfATokenThatCouldNotBeWrittenAreNotPrinted) {
  Output out(-1);
  std::ostringstream err;
  EXPECT_FALSE(RunNewToken({.id = "app"}, kNow, &out, &err).ok());
  EXPECT_EQ(err.str(), "");
}

}  // namespace
}  // namespace penstock::cli
