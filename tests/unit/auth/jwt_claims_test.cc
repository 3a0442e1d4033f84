// What a token has to say, and for how long what was found out about it is kept.
#include <optional>

#include "fmt/format.h"
#include "server/auth/jwt/outcomes.h"
#include "tests/unit/auth/jwt_fixture.h"

namespace penstock::server {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr char kBadAudience[] = "the token's aud does not have this daemon's audience";
constexpr char kBadIssuer[] = "the token's iss is not this daemon's issuer";
constexpr char kBadSubject[] = "the token's sub is not 1 to 255 printable ASCII characters";
constexpr char kBadTime[] = "the token's nbf or exp is not a number";

class JwtClaimsTest : public JwtTest {
 protected:
  // Returns why good claims are refused with this one changed, or removed.
  std::string ReasonWith(const std::string& name, std::optional<std::string> value,
                         Time now = kNow) {
    Members claims = Claims();
    claims.erase(name);
    if (value.has_value()) claims[name] = *value;
    return Reason(Token(claims), now);
  }
};

TEST_F(JwtClaimsTest, WhatATokenSaysIsReturned) {
  Members claims = Claims();
  claims["roles"] = R"(["reader"])";
  claims["level"] = "7";
  claims["name"] = R"("\u00c5da")";
  claims["app"] = R"({"b": [1, 0.5, null], "a": "x"})";
  claims["nothing"] = "null";
  const absl::StatusOr<VerifiedToken> token = Verify(Token(claims));
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(token->subject, "app@example.org");
  EXPECT_EQ(token->valid_from, Time(seconds(1'999'999'870)));
  EXPECT_EQ(token->expires, Time(seconds(2'000'003'630)));
  EXPECT_THAT(token->claims->by_name,
              UnorderedElementsAre(Pair("sub", "app@example.org"), Pair("aud", "penstock"),
                                   Pair("tenant", "s3cret"), Pair("name", "\u00c5da"),
                                   Pair("roles", R"(["reader"])"), Pair("level", "7"),
                                   Pair("app", R"({"a":"x","b":[1,0.5,null]})"),
                                   Pair("nbf", "1999999900"), Pair("exp", "2000003600")));
  EXPECT_EQ(token->claims->json, Json(claims));
}

// A double would make one of two numbers.
TEST_F(JwtClaimsTest, ANumberThatIsNotKeptExactlyIsNotThere) {
  Members claims = Claims();
  claims["largest"] = "18446744073709551615";
  claims["smallest"] = "-9223372036854775808";
  claims["larger"] = "18446744073709551616";
  claims["smaller"] = "-9223372036854775809";
  claims["inside"] = R"({"ids": [1, 100000000000000000001]})";
  const absl::StatusOr<VerifiedToken> token = Verify(Token(claims));
  ASSERT_TRUE(token.ok()) << token.status();
  const auto& by_name = token->claims->by_name;
  EXPECT_EQ(by_name.at("largest"), "18446744073709551615");
  EXPECT_EQ(by_name.at("smallest"), "-9223372036854775808");
  for (const char* name : {"larger", "smaller", "inside"}) EXPECT_FALSE(by_name.contains(name));
  EXPECT_EQ(token->claims->json, Json(claims));
}

TEST_F(JwtClaimsTest, TheAudienceIsATextOrInAList) {
  EXPECT_EQ(ReasonWith("aud", R"(["other","penstock"])"), "");
  for (const char* wrong : {R"("other")", R"("Penstock")", R"("")", R"(["other"])", "[]", "7",
                            R"(["penstock",7])", R"({"penstock":1})", "null"}) {
    EXPECT_EQ(ReasonWith("aud", wrong), kBadAudience) << wrong;
  }
  EXPECT_EQ(ReasonWith("aud", std::nullopt), kBadAudience);
}

TEST_F(JwtClaimsTest, TheIssuerIsCheckedIfItIsConfigured) {
  EXPECT_EQ(ReasonWith("iss", std::nullopt), "");
  EXPECT_EQ(ReasonWith("iss", R"("https://anybody.example.org")"), "");
  config_.issuer = "https://issuer.example.org";
  Open();
  EXPECT_EQ(ReasonWith("iss", R"("https://issuer.example.org")"), "");
  for (const char* wrong :
       {R"("https://issuer.example.org/")", R"("")", "7", R"(["https://issuer.example.org"])"}) {
    EXPECT_EQ(ReasonWith("iss", wrong), kBadIssuer) << wrong;
  }
  EXPECT_EQ(ReasonWith("iss", std::nullopt), kBadIssuer);
}

TEST_F(JwtClaimsTest, TheSubjectIsPrintable) {
  EXPECT_EQ(ReasonWith("sub", fmt::format("\"{}\"", std::string(255, 's'))), "");
  EXPECT_EQ(ReasonWith("sub", fmt::format("\"{}\"", std::string(256, 's'))), kBadSubject);
  for (const char* wrong : {R"("")", R"("a\nb")", R"("a\u0000")", R"("a\u007f")", R"("\u00e4")",
                            "7", R"(["a"])", "null"}) {
    EXPECT_EQ(ReasonWith("sub", wrong), kBadSubject) << wrong;
  }
  EXPECT_EQ(ReasonWith("sub", std::nullopt), kBadSubject);
}

TEST_F(JwtClaimsTest, BothTimesAreNumbers) {
  for (const char* name : {"nbf", "exp"}) {
    EXPECT_EQ(ReasonWith(name, std::nullopt), kBadTime);
    for (const char* wrong : {R"("2000000000")", "true", "null", "[2000000000]"}) {
      EXPECT_EQ(ReasonWith(name, wrong), kBadTime) << name << " " << wrong;
    }
  }
  // No number is beyond what a clock can say.
  EXPECT_EQ(ReasonWith("exp", "1e300"), "");
  EXPECT_EQ(ReasonWith("exp", "18446744073709551616"), "");
  EXPECT_EQ(ReasonWith("exp", "-1e300"), "the token has expired");
  EXPECT_EQ(ReasonWith("nbf", "-1e300"), "");
  EXPECT_EQ(ReasonWith("nbf", "1e300"), "the token is not valid yet");
}

TEST_F(JwtClaimsTest, TimesHaveALeewayOf30Seconds) {
  EXPECT_EQ(ReasonWith("exp", "2000000000", kNow + seconds(30) - milliseconds(1)), "");
  EXPECT_EQ(ReasonWith("exp", "2000000000", kNow + seconds(30)), "the token has expired");
  EXPECT_EQ(ReasonWith("exp", "2000000000.5", kNow + seconds(30)), "");
  EXPECT_EQ(ReasonWith("nbf", "2000000000", kNow - seconds(30)), "");
  EXPECT_EQ(ReasonWith("nbf", "2000000000", kNow - seconds(30) - milliseconds(1)),
            "the token is not valid yet");
}

TEST_F(JwtClaimsTest, ATokenThatWasSeenCostsNoSignature) {
  const std::string token = Token(Claims());
  const std::string forged = Forged(token);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(Reason(token), "");
    EXPECT_NE(Reason(forged), "");
  }
  EXPECT_EQ(verifier_->signatures(), 2u);
}

TEST_F(JwtClaimsTest, ATokenThatWasSeenIsStillJudgedByItsTimes) {
  const std::string token = Token(Claims());
  EXPECT_EQ(Reason(token, kNow - hours(1)), "the token is not valid yet");
  EXPECT_EQ(Reason(token, kNow), "");
  EXPECT_EQ(Reason(token, kNow + hours(2)), "the token has expired");
  EXPECT_EQ(verifier_->signatures(), 1u);
}

TEST_F(JwtClaimsTest, AFloodOfWrongTokensDoesNotTakeTheRoomOfRightOnes) {
  const std::string token = Token(Claims());
  EXPECT_EQ(Reason(token), "");
  for (size_t i = 0; i <= jwt::Outcomes::kMost; ++i) {
    EXPECT_FALSE(Verify(fmt::format("{}.b.c", i)).ok());
  }
  EXPECT_EQ(Reason(token), "");
  EXPECT_EQ(verifier_->signatures(), 1u);
}

TEST(OutcomesTest, ForgetsWhatWasNotUsedForTheLongestTime) {
  jwt::Outcomes outcomes;
  const auto name = [](size_t i) { return jwt::DigestOf(fmt::format("{}", i)); };
  const auto verified = std::make_shared<const jwt::Outcome>(VerifiedToken{.subject = "a"});
  for (size_t i = 0; i < jwt::Outcomes::kMost; ++i) outcomes.Put(name(i), verified);
  ASSERT_NE(outcomes.Find(name(0)), nullptr);
  outcomes.Put(name(jwt::Outcomes::kMost), verified);
  EXPECT_NE(outcomes.Find(name(0)), nullptr);
  EXPECT_EQ(outcomes.Find(name(1)), nullptr);
  EXPECT_NE(outcomes.Find(name(2)), nullptr);
  EXPECT_NE(outcomes.Find(name(jwt::Outcomes::kMost)), nullptr);
}

}  // namespace
}  // namespace penstock::server
