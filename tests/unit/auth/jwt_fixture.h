// Makes keys, key sets and tokens, also ones that nobody should make.
#ifndef PENSTOCK_TESTS_UNIT_AUTH_JWT_FIXTURE_H_
#define PENSTOCK_TESTS_UNIT_AUTH_JWT_FIXTURE_H_

#include <openssl/evp.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/auth/jwt.h"
#include "tests/support/temp_dir.h"

namespace penstock::server {

// The members of a JSON object; the values are JSON.
using Members = std::map<std::string, std::string>;

std::string Json(const Members& members);
std::string Base64Url(std::string_view bytes);

// A private key for tests.
class SigningKey {
 public:
  // `type` is "RSA", "P-256", "P-384" or "Ed25519"; `bits` are for RSA.
  explicit SigningKey(const std::string& type, size_t bits = 2048);

  // Returns the public key as a JSON Web Key, with the members of `more`.
  Members Jwk(const Members& more = {}) const;
  // Returns the public key in PEM.
  std::string Pem() const;
  // Signs for an algorithm of this type of key: an EC signature is raw or, as JWS forbids, in DER.
  std::string Sign(const std::string& algorithm, std::string_view message, bool der = false) const;

 private:
  std::string type_;
  std::shared_ptr<EVP_PKEY> key_;
};

// Keys that all tests share, because making one takes a while.
const SigningKey& RsaKey();
const SigningKey& OtherRsaKey();
const SigningKey& EcKey();

std::string KeySetText(const std::vector<Members>& keys);

// A folder with a key set, and a verifier of it. The set has RsaKey() as 'r' and EcKey() as 'e'
// unless a test writes another.
class JwtTest : public ::testing::Test {
 protected:
  using Time = std::chrono::system_clock::time_point;

  JwtTest();

  // When the tokens of Claims() are valid.
  static constexpr Time kNow{std::chrono::seconds(2'000'000'000)};

  // Replaces the key set as a mounted secret is: by a rename.
  void Write(std::string_view content) const;
  void WriteKeys(const std::vector<Members>& keys) const { Write(KeySetText(keys)); }
  // Opens the verifier anew.
  void Open();

  // Good ones, to be spoiled.
  static Members Header() { return {{"alg", R"("ES256")"}, {"kid", R"("e")"}}; }
  static Members Claims();
  // Returns the token of a header and claims as they are, signed by EcKey().
  static std::string Token(const Members& header, const Members& claims);
  static std::string Token(const Members& claims) { return Token(Header(), claims); }
  // Returns a token that `key` has signed, with an EC signature in DER if told so.
  static std::string TokenBy(const SigningKey& key, const std::string& algorithm,
                             const Members& header, const Members& claims, bool der = false);
  // Returns a token of texts that need not be JSON.
  static std::string TokenOf(std::string_view header, std::string_view claims);
  // Signs two parts that need not be base64url.
  static std::string TokenOfParts(const std::string& header, const std::string& payload);
  // Returns the token with another signature.
  static std::string Forged(std::string token);

  absl::StatusOr<VerifiedToken> Verify(std::string_view token, Time now = kNow) {
    return verifier_->Verify(token, now);
  }
  // Returns why the token is refused, or "" if it is accepted. Fails the test if the reason is long
  // or shows what it must not.
  std::string Reason(std::string_view token, Time now = kNow);

  testing::TempDir folder_;
  JwtConfig config_;
  std::unique_ptr<JwtVerifier> verifier_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_TESTS_UNIT_AUTH_JWT_FIXTURE_H_
