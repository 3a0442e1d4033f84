#include "tests/unit/auth/jwt_fixture.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/escaping.h"
#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Quote(std::string_view text) { return fmt::format("\"{}\"", text); }

// Returns a number of the public key, with zeros in front where it has fewer bytes than `size`.
std::string NumberOf(EVP_PKEY* key, const char* name, int size = 0) {
  BIGNUM* number = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key, name, &number), 1);
  std::string bytes(size == 0 ? BN_num_bytes(number) : size, '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()),
               static_cast<int>(bytes.size()));
  BN_free(number);
  return bytes;
}

EVP_PKEY* MakeKey(const std::string& type, size_t bits) {
  if (type == "RSA") return EVP_RSA_gen(bits);
  if (type == "Ed25519") return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  return EVP_EC_gen(type.c_str());
}

const EVP_MD* DigestFor(const std::string& algorithm) {
  if (algorithm == "EdDSA") return nullptr;
  return algorithm.ends_with("256")   ? EVP_sha256()
         : algorithm.ends_with("384") ? EVP_sha384()
                                      : EVP_sha512();
}

std::string RawOf(const std::string& der, int size) {
  const auto* in = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* const pair = d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(der.size()));
  std::string raw(2 * size, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(raw.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, size);
  BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + size, size);
  ECDSA_SIG_free(pair);
  return raw;
}

}  // namespace

std::string Json(const Members& members) {
  std::string text;
  for (const auto& [name, value] : members) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", Quote(name), value);
  }
  return fmt::format("{{{}}}", text);
}

std::string Base64Url(std::string_view bytes) {
  return absl::WebSafeBase64Escape(absl::string_view(bytes.data(), bytes.size()));
}

SigningKey::SigningKey(const std::string& type, size_t bits)
    : type_(type), key_(MakeKey(type, bits), EVP_PKEY_free) {
  EXPECT_NE(key_, nullptr);
}

Members SigningKey::Jwk(const Members& more) const {
  Members jwk;
  const auto number = [this](const char* name, int size = 0) {
    return Quote(Base64Url(NumberOf(key_.get(), name, size)));
  };
  if (type_ == "RSA") {
    jwk = {{"kty", R"("RSA")"},
           {"n", number(OSSL_PKEY_PARAM_RSA_N)},
           {"e", number(OSSL_PKEY_PARAM_RSA_E)}};
  } else if (type_ == "Ed25519") {
    std::string x(32, '\0');
    size_t size = x.size();
    EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(x.data()), &size);
    jwk = {{"kty", R"("OKP")"}, {"crv", R"("Ed25519")"}, {"x", Quote(Base64Url(x))}};
  } else {
    const int size = type_ == "P-256" ? 32 : 48;
    jwk = {{"kty", R"("EC")"},
           {"crv", Quote(type_)},
           {"x", number(OSSL_PKEY_PARAM_EC_PUB_X, size)},
           {"y", number(OSSL_PKEY_PARAM_EC_PUB_Y, size)}};
  }
  for (const auto& [name, value] : more) jwk[name] = value;
  return jwk;
}

std::string SigningKey::Pem() const {
  BIO* const out = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(out, key_.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(out, &text);
  std::string pem(text, size);
  BIO_free(out);
  return pem;
}

std::string SigningKey::Sign(const std::string& algorithm, std::string_view message,
                             bool der) const {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                   EVP_MD_CTX_free);
  EVP_PKEY_CTX* options = nullptr;
  EXPECT_EQ(EVP_DigestSignInit(context.get(), &options, DigestFor(algorithm), nullptr, key_.get()),
            1);
  if (algorithm.starts_with("PS")) {
    EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING), 1);
    EXPECT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST), 1);
  }
  const auto* const data = reinterpret_cast<const unsigned char*>(message.data());
  size_t size = 0;
  EXPECT_EQ(EVP_DigestSign(context.get(), nullptr, &size, data, message.size()), 1);
  std::string signature(size, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(signature.data());
  EXPECT_EQ(EVP_DigestSign(context.get(), out, &size, data, message.size()), 1);
  signature.resize(size);
  if (type_.starts_with("P-") && !der) return RawOf(signature, type_ == "P-256" ? 32 : 48);
  return signature;
}

const SigningKey& RsaKey() {
  static const SigningKey key("RSA");
  return key;
}

const SigningKey& OtherRsaKey() {
  static const SigningKey key("RSA");
  return key;
}

const SigningKey& EcKey() {
  static const SigningKey key("P-256");
  return key;
}

std::string KeySetText(const std::vector<Members>& keys) {
  std::string list;
  for (const Members& key : keys) list += (list.empty() ? "" : ",") + Json(key);
  return fmt::format(R"({{"keys":[{}]}})", list);
}

JwtTest::JwtTest() {
  config_ = {.jwks_file = folder_.path() + "/jwks.json",
             .algorithms = {"RS256", "ES256"},
             .audience = "penstock"};
  WriteKeys({RsaKey().Jwk({{"kid", R"("r")"}}), EcKey().Jwk({{"kid", R"("e")"}})});
  Open();
}

void JwtTest::Write(std::string_view content) const {
  const std::string fresh = config_.jwks_file + ".new";
  std::ofstream(fresh, std::ios::binary) << content;
  std::filesystem::rename(fresh, config_.jwks_file);
}

void JwtTest::Open() {
  absl::StatusOr<std::unique_ptr<JwtVerifier>> opened = JwtVerifier::Open(config_);
  ASSERT_TRUE(opened.ok()) << opened.status();
  verifier_ = *std::move(opened);
}

Members JwtTest::Claims() {
  return {{"sub", R"("app@example.org")"},
          {"aud", R"("penstock")"},
          {"nbf", "1999999900"},
          {"exp", "2000003600"},
          {"tenant", R"("s3cret")"}};
}

std::string JwtTest::Token(const Members& header, const Members& claims) {
  return TokenOf(Json(header), Json(claims));
}

std::string JwtTest::TokenBy(const SigningKey& key, const std::string& algorithm,
                             const Members& header, const Members& claims, bool der) {
  const std::string message = Base64Url(Json(header)) + "." + Base64Url(Json(claims));
  return message + "." + Base64Url(key.Sign(algorithm, message, der));
}

std::string JwtTest::TokenOf(std::string_view header, std::string_view claims) {
  return TokenOfParts(Base64Url(header), Base64Url(claims));
}

std::string JwtTest::TokenOfParts(const std::string& header, const std::string& payload) {
  const std::string message = header + "." + payload;
  return message + "." + Base64Url(EcKey().Sign("ES256", message));
}

std::string JwtTest::Forged(std::string token) {
  char& changed = token[token.rfind('.') + 3];
  changed = changed == 'A' ? 'B' : 'A';
  return token;
}

std::string JwtTest::Reason(std::string_view token, Time now) {
  const absl::StatusOr<VerifiedToken> verified = Verify(token, now);
  if (verified.ok()) return "";
  EXPECT_EQ(verified.status().code(), absl::StatusCode::kUnauthenticated);
  const driver::ErrorInfo info = driver::GetErrorInfo(verified.status());
  EXPECT_EQ(info.reason, driver::Reason::kUnauthenticated);
  EXPECT_NE(info.hint, "");
  const std::string reason(verified.status().message());
  EXPECT_LT(reason.size(), 400u);
  EXPECT_THAT(reason + info.hint, Not(HasSubstr("s3cret")));
  EXPECT_THAT(reason + info.hint, Not(HasSubstr("app@example.org")));
  return reason;
}

}  // namespace penstock::server
