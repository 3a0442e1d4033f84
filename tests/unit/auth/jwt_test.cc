// Which keys and algorithms verify a token.
#include "server/auth/jwt.h"

#include <openssl/hmac.h>

#include <tuple>

#include "fmt/format.h"
#include "tests/unit/auth/jwt_fixture.h"

namespace penstock::server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class JwtAlgorithmTest
    : public JwtTest,
      public ::testing::WithParamInterface<std::tuple<const char*, const char*>> {
 protected:
  std::string algorithm_ = std::get<0>(GetParam());
  SigningKey key_{std::get<1>(GetParam())};
};

TEST_P(JwtAlgorithmTest, VerifiesItsSignatures) {
  config_.algorithms = {algorithm_};
  WriteKeys({key_.Jwk()});
  Open();
  const Members header = {{"alg", fmt::format("\"{}\"", algorithm_)}};
  const std::string token = TokenBy(key_, algorithm_, header, Claims());
  EXPECT_EQ(Reason(token), "");
  EXPECT_EQ(Reason(Forged(token)), "the token is not signed by the daemon's key");
  // Another's claims with the signature of these.
  Members others = Claims();
  others["sub"] = R"("root")";
  const std::string other = TokenBy(key_, algorithm_, header, others);
  EXPECT_EQ(Reason(other.substr(0, other.rfind('.')) + token.substr(token.rfind('.'))),
            "the token is not signed by the daemon's key");
}

TEST_P(JwtAlgorithmTest, IsRefusedUnlessItIsConfigured) {
  config_.algorithms = {algorithm_ == "RS384" ? "RS512" : "RS384"};
  WriteKeys({key_.Jwk(), RsaKey().Jwk()});
  Open();
  const Members header = {{"alg", fmt::format("\"{}\"", algorithm_)}};
  EXPECT_EQ(Reason(TokenBy(key_, algorithm_, header, Claims())),
            fmt::format("the token's alg '{}' is not accepted", algorithm_));
}

INSTANTIATE_TEST_SUITE_P(All, JwtAlgorithmTest,
                         ::testing::Values(std::tuple("RS256", "RSA"), std::tuple("RS384", "RSA"),
                                           std::tuple("RS512", "RSA"), std::tuple("PS256", "RSA"),
                                           std::tuple("PS384", "RSA"), std::tuple("PS512", "RSA"),
                                           std::tuple("ES256", "P-256"),
                                           std::tuple("ES384", "P-384"),
                                           std::tuple("EdDSA", "Ed25519")));

TEST_F(JwtTest, NoneIsNoAlgorithmHoweverItIsWritten) {
  for (int upper = 0; upper < 16; ++upper) {
    std::string none = "none";
    for (int i = 0; i < 4; ++i) {
      if ((upper >> i & 1) != 0) none[i] = static_cast<char>(none[i] - 'a' + 'A');
    }
    const Members header = {{"alg", fmt::format("\"{}\"", none)}};
    const std::string message = Base64Url(Json(header)) + "." + Base64Url(Json(Claims()));
    EXPECT_EQ(Reason(message + "."), fmt::format("the token's alg '{}' is not accepted", none));
    config_.algorithms = {none};
    EXPECT_THAT(std::string(JwtVerifier::Open(config_).status().message()), HasSubstr(none));
  }
}

TEST_F(JwtTest, APublicKeyIsNoSharedSecret) {
  const std::string pem = RsaKey().Pem();
  const Members header = {{"alg", R"("HS256")"}, {"kid", R"("r")"}};
  const std::string message = Base64Url(Json(header)) + "." + Base64Url(Json(Claims()));
  std::string mac(32, '\0');
  HMAC(EVP_sha256(), pem.data(), static_cast<int>(pem.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(),
       reinterpret_cast<unsigned char*>(mac.data()), nullptr);
  EXPECT_EQ(Reason(message + "." + Base64Url(mac)), "the token's alg 'HS256' is not accepted");
  // Nor is it one where the header tells the truth about the key and not about the signature.
  const std::string lie =
      Base64Url(Json({{"alg", R"("RS256")"}, {"kid", R"("r")"}})) + "." + Base64Url(Json(Claims()));
  HMAC(EVP_sha256(), pem.data(), static_cast<int>(pem.size()),
       reinterpret_cast<const unsigned char*>(lie.data()), lie.size(),
       reinterpret_cast<unsigned char*>(mac.data()), nullptr);
  EXPECT_EQ(Reason(lie + "." + Base64Url(mac)),
            "the token is not signed by the key of its kid 'r'");
  config_.algorithms = {"HS256"};
  EXPECT_THAT(std::string(JwtVerifier::Open(config_).status().message()),
              StartsWith("algorithms has 'HS256', which is not accepted; use one of RS256,"));
}

TEST_F(JwtTest, AnAlgorithmNeedsAKeyThatIsForIt) {
  const SigningKey p384("P-384");
  config_.algorithms = {"RS256", "PS256", "ES256", "ES384"};
  WriteKeys({RsaKey().Jwk({{"kid", R"("r")"}, {"alg", R"("RS256")"}}),
             EcKey().Jwk({{"kid", R"("e")"}}), p384.Jwk({{"kid", R"("p384")"}})});
  Open();
  // The key's `alg`.
  EXPECT_EQ(
      Reason(TokenBy(RsaKey(), "RS256", {{"alg", R"("RS256")"}, {"kid", R"("r")"}}, Claims())), "");
  EXPECT_EQ(
      Reason(TokenBy(RsaKey(), "PS256", {{"alg", R"("PS256")"}, {"kid", R"("r")"}}, Claims())),
      "0 keys with the token's kid 'r' are for its alg 'PS256', not 1");
  // Its `kty`.
  EXPECT_EQ(
      Reason(TokenBy(RsaKey(), "RS256", {{"alg", R"("RS256")"}, {"kid", R"("e")"}}, Claims())),
      "0 keys with the token's kid 'e' are for its alg 'RS256', not 1");
  // Its `crv`.
  EXPECT_EQ(Reason(TokenBy(p384, "ES256", {{"alg", R"("ES256")"}, {"kid", R"("p384")"}}, Claims())),
            "0 keys with the token's kid 'p384' are for its alg 'ES256', not 1");
}

TEST_F(JwtTest, TheKidChoosesTheKey) {
  WriteKeys({RsaKey().Jwk({{"kid", R"("a")"}}), OtherRsaKey().Jwk({{"kid", R"("b")"}})});
  Open();
  const auto header = [](const char* kid) {
    return Members{{"alg", R"("RS256")"}, {"kid", fmt::format("\"{}\"", kid)}};
  };
  EXPECT_EQ(Reason(TokenBy(RsaKey(), "RS256", header("a"), Claims())), "");
  EXPECT_EQ(Reason(TokenBy(OtherRsaKey(), "RS256", header("b"), Claims())), "");
  // Another key of the same kid.
  EXPECT_EQ(Reason(TokenBy(OtherRsaKey(), "RS256", header("a"), Claims())),
            "the token is not signed by the key of its kid 'a'");
  EXPECT_EQ(Reason(TokenBy(RsaKey(), "RS256", header("c"), Claims())),
            "the token's kid 'c' is no known key");
  EXPECT_EQ(Reason(TokenBy(RsaKey(), "RS256", header("A"), Claims())),
            "the token's kid 'A' is no known key");
}

TEST_F(JwtTest, WithoutAKidOneKeyHasToFit) {
  const Members header = {{"alg", R"("RS256")"}};
  // The EC key does not fit.
  EXPECT_EQ(Reason(TokenBy(RsaKey(), "RS256", header, Claims())), "");
  WriteKeys({RsaKey().Jwk(), OtherRsaKey().Jwk()});
  Open();
  EXPECT_EQ(Reason(TokenBy(RsaKey(), "RS256", header, Claims())),
            "the token has no kid, and 2 keys are for its alg 'RS256'");
}

TEST_F(JwtTest, TwoKeysOfOneKidAreAmbiguous) {
  WriteKeys({RsaKey().Jwk({{"kid", R"("r")"}}), OtherRsaKey().Jwk({{"kid", R"("r")"}}),
             EcKey().Jwk({{"kid", R"("r")"}})});
  Open();
  EXPECT_EQ(
      Reason(TokenBy(RsaKey(), "RS256", {{"alg", R"("RS256")"}, {"kid", R"("r")"}}, Claims())),
      "2 keys with the token's kid 'r' are for its alg 'RS256', not 1");
  EXPECT_EQ(Reason(Token({{"alg", R"("ES256")"}, {"kid", R"("r")"}}, Claims())), "");
}

TEST_F(JwtTest, AnEcSignatureIsRaw) {
  EXPECT_EQ(Reason(TokenBy(EcKey(), "ES256", Header(), Claims())), "");
  EXPECT_EQ(Reason(TokenBy(EcKey(), "ES256", Header(), Claims(), /*der=*/true)),
            "the token is not signed by the key of its kid 'e'");
}

TEST_F(JwtTest, AKeyInTheHeaderIsNotUsed) {
  Members header = {
      {"alg", R"("RS256")"}, {"jwk", Json(OtherRsaKey().Jwk())}, {"jku", R"("file:///jwks.json")"}};
  EXPECT_EQ(Reason(TokenBy(OtherRsaKey(), "RS256", header, Claims())),
            "the token is not signed by the daemon's key");
}

}  // namespace
}  // namespace penstock::server
