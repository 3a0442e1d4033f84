// The form of a token: its size, its parts, base64url and JSON.
#include <openssl/err.h>

#include "fmt/format.h"
#include "tests/unit/auth/jwt_fixture.h"

namespace penstock::server {
namespace {

using ::testing::HasSubstr;

constexpr char kBadHeader[] =
    "the token's header is not a JSON object in base64url with each name once";
constexpr char kBadPayload[] =
    "the token's payload is not a JSON object in base64url with each name once";

TEST_F(JwtTest, EveryPrefixIsRefused) {
  const std::string token = Token(Claims());
  ASSERT_EQ(Reason(token), "");
  for (size_t size = 0; size < token.size(); ++size) {
    EXPECT_NE(Reason(token.substr(0, size)), "") << size;
  }
  EXPECT_EQ(Reason(token + "."), "the token does not have three parts");
  EXPECT_EQ(Reason(token + ".a.b"), "the token does not have three parts");  // as an encrypted one
  EXPECT_EQ(Reason("." + token), "the token does not have three parts");
}

TEST_F(JwtTest, ATokenHasAtMost16KiB) {
  Members claims = Claims();
  const auto token_of = [&claims](size_t size) {
    claims["padding"] = fmt::format("\"{}\"", std::string(size, 'a'));
    return Token(claims);
  };
  size_t size = 11'900;
  while (token_of(size + 1).size() <= kLongestToken) ++size;
  EXPECT_EQ(Reason(token_of(size)), "");
  EXPECT_THAT(Reason(token_of(size + 1)), HasSubstr("bytes, more than 16384"));
  // It is refused for its size before anything is decoded.
  EXPECT_EQ(Reason(std::string(1'000'000, '.')), "the token has 1000000 bytes, more than 16384");
}

TEST_F(JwtTest, Base64UrlIsStrict) {
  // Claims whose encoding would need padding.
  std::string claims = Json(Claims());
  while (claims.size() % 3 != 1) claims += ' ';
  const std::string header = Base64Url(Json(Header()));
  const std::string payload = Base64Url(claims);
  ASSERT_EQ(Reason(TokenOfParts(header, payload)), "");
  // The last character has four bits that are left over; their signature is right.
  std::string left_over = payload;
  ++left_over.back();
  for (const std::string& wrong :
       {payload + "==", payload + "=", left_over, payload + "\n", " " + payload, payload + "+",
        payload + "/", payload + "*", payload + "A", std::string()}) {
    EXPECT_EQ(Reason(TokenOfParts(header, wrong)), kBadPayload) << wrong;
  }
  EXPECT_EQ(Reason(TokenOfParts(header + "=", payload)), kBadHeader);
  EXPECT_EQ(Reason(TokenOfParts("", payload)), kBadHeader);
  const std::string token = TokenOfParts(header, payload);
  EXPECT_EQ(Reason(token + "="), "the token's signature is not base64url");
  EXPECT_EQ(Reason(token + "=="), "the token's signature is not base64url");
  EXPECT_EQ(Reason(token + "\n"), "the token's signature is not base64url");
}

TEST_F(JwtTest, TheSameSignatureHasOneText) {
  // 64 bytes end in a character with four bits that are left over.
  std::string token = Token(Claims());
  ++token.back();
  EXPECT_EQ(Reason(token), "the token's signature is not base64url");
}

TEST_F(JwtTest, AnObjectHasEachNameOnce) {
  const std::string header = Json(Header());
  const std::string claims = Json(Claims());
  const std::string start = claims.substr(0, claims.size() - 1);
  EXPECT_EQ(Reason(TokenOf(header, start + R"(,"a":{"b":1},"c":[{"b":1}]})")), "");
  EXPECT_EQ(Reason(TokenOf(header, start + R"(,"sub":"root"})")), kBadPayload);
  EXPECT_EQ(Reason(TokenOf(header, start + R"(,"s\u0075b":"root"})")), kBadPayload);
  EXPECT_EQ(Reason(TokenOf(header, start + R"(,"a":[{"b":1,"b":1}]})")), kBadPayload);
  EXPECT_EQ(Reason(TokenOf(R"({"alg":"none","alg":"ES256","kid":"e"})", claims)), kBadHeader);
}

TEST_F(JwtTest, ObjectsAndListsAreNestedAtMost16Deep) {
  Members claims = Claims();
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  claims["a"] = nested(15);
  EXPECT_EQ(Reason(Token(claims)), "");
  claims["a"] = nested(16);
  EXPECT_EQ(Reason(Token(claims)), kBadPayload);
  claims["a"] = nested(5000);
  EXPECT_EQ(Reason(Token(claims)), kBadPayload);
  Members header = Header();
  header["a"] = nested(16);
  EXPECT_EQ(Reason(Token(header, Claims())), kBadHeader);
}

TEST_F(JwtTest, PartsAreWholeJsonObjectsInUtf8) {
  const std::string header = Json(Header());
  const std::string claims = Json(Claims());
  EXPECT_EQ(Reason(TokenOf(header, " " + claims + "\n")), "");
  for (const std::string& wrong :
       {std::string("[]"), std::string("null"), std::string("\"text\""), std::string("{"),
        claims + claims, claims + ",", claims + '\0', claims + std::string("\0x", 2),
        "/* */" + claims, std::string(R"({"sub":"\ud800"})"), std::string("{\"sub\":\"\xff\"}"),
        std::string(R"({"exp":1e400})"), std::string(R"({"exp":NaN})")}) {
    EXPECT_EQ(Reason(TokenOf(header, wrong)), kBadPayload) << wrong;
    EXPECT_EQ(Reason(TokenOf(wrong, claims)), kBadHeader) << wrong;
  }
}

TEST_F(JwtTest, AHeaderSaysItsAlgorithmAndNothingThatIsNotKnown) {
  EXPECT_EQ(Reason(Token({{"kid", R"("e")"}}, Claims())), "the token's header has no text 'alg'");
  EXPECT_EQ(Reason(Token({{"alg", "256"}, {"kid", R"("e")"}}, Claims())),
            "the token's header has no text 'alg'");
  EXPECT_EQ(Reason(Token({{"alg", R"("es256")"}, {"kid", R"("e")"}}, Claims())),
            "the token's alg 'es256' is not accepted");
  Members header = Header();
  header["kid"] = "7";
  EXPECT_EQ(Reason(Token(header, Claims())), "the token's kid is not a text");
  header = Header();
  header["typ"] = R"("JWT")";
  EXPECT_EQ(Reason(Token(header, Claims())), "");
  for (const char* crit : {R"(["b64"])", "[]", "null"}) {
    header["crit"] = crit;
    EXPECT_EQ(Reason(Token(header, Claims())),
              "the token's header has 'crit', and no extension is known here");
  }
}

TEST_F(JwtTest, AMessageShowsTheStartOfAKidEscaped) {
  Members header = Header();
  header["kid"] = fmt::format("\"{}\"", std::string(10'000, 'k'));
  EXPECT_EQ(Reason(Token(header, Claims())),
            fmt::format("the token's kid '{}...' is no known key", std::string(64, 'k')));
  header["kid"] = R"("a'\n\u001b[31m\u009b\u202e")";
  EXPECT_EQ(Reason(Token(header, Claims())),
            R"(the token's kid 'a\'\n\x1b[31m\xc2\x9b\xe2\x80\xae' is no known key)");
  header["alg"] = fmt::format("\"{}\"", std::string(10'000, 'A'));
  EXPECT_EQ(Reason(Token(header, Claims())),
            fmt::format("the token's alg '{}...' is not accepted", std::string(64, 'A')));
}

TEST_F(JwtTest, NoErrorIsLeftForTheNextUserOfOpenSsl) {
  EXPECT_NE(Reason(Forged(Token(Claims()))), "");
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace penstock::server
