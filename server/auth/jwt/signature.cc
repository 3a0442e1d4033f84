#include "server/auth/jwt/signature.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <memory>

namespace penstock::server::jwt {
namespace {

constexpr Algorithm kAlgorithms[] = {
    {"RS256", "RSA", "", EVP_sha256, RSA_PKCS1_PADDING, 0},
    {"RS384", "RSA", "", EVP_sha384, RSA_PKCS1_PADDING, 0},
    {"RS512", "RSA", "", EVP_sha512, RSA_PKCS1_PADDING, 0},
    {"PS256", "RSA", "", EVP_sha256, RSA_PKCS1_PSS_PADDING, 0},
    {"PS384", "RSA", "", EVP_sha384, RSA_PKCS1_PSS_PADDING, 0},
    {"PS512", "RSA", "", EVP_sha512, RSA_PKCS1_PSS_PADDING, 0},
    {"ES256", "EC", "P-256", EVP_sha256, 0, 32},
    {"ES384", "EC", "P-384", EVP_sha384, 0, 48},
    {"EdDSA", "OKP", "Ed25519", nullptr, 0, 0},
};

struct Free {
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Number = std::unique_ptr<BIGNUM, Free>;

const unsigned char* Data(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// Returns the two numbers of an EC signature as OpenSSL wants them, or nothing if there are not
// just two of their length.
std::string DerOf(std::string_view signature, size_t number_bytes) {
  if (signature.size() != 2 * number_bytes) return {};
  const int size = static_cast<int>(number_bytes);
  Number r(BN_bin2bn(Data(signature), size, nullptr));
  Number s(BN_bin2bn(Data(signature) + size, size, nullptr));
  const std::unique_ptr<ECDSA_SIG, Free> pair(ECDSA_SIG_new());
  if (r == nullptr || s == nullptr || pair == nullptr) return {};
  // It takes both over.
  ECDSA_SIG_set0(pair.get(), r.release(), s.release());
  std::string der(std::max(i2d_ECDSA_SIG(pair.get(), nullptr), 0), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  if (i2d_ECDSA_SIG(pair.get(), &out) != static_cast<int>(der.size())) return {};
  return der;
}

bool Verify(const Algorithm& algorithm, EVP_PKEY* key, std::string_view message,
            std::string_view signature) {
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;  // a part of `context`
  const EVP_MD* const digest = algorithm.digest == nullptr ? nullptr : algorithm.digest();
  if (context == nullptr ||
      EVP_DigestVerifyInit(context.get(), &options, digest, nullptr, key) != 1) {
    return false;
  }
  if (algorithm.padding != 0 && EVP_PKEY_CTX_set_rsa_padding(options, algorithm.padding) != 1) {
    return false;
  }
  // RFC 7518, 3.5: the salt has the size of the digest.
  if (algorithm.padding == RSA_PKCS1_PSS_PADDING &&
      EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) != 1) {
    return false;
  }
  return EVP_DigestVerify(context.get(), Data(signature), signature.size(), Data(message),
                          message.size()) == 1;
}

}  // namespace

const Algorithm* FindAlgorithm(std::string_view name) {
  for (const Algorithm& algorithm : kAlgorithms) {
    if (algorithm.name == name) return &algorithm;
  }
  return nullptr;
}

std::string AlgorithmNames() {
  std::string names;
  for (const Algorithm& algorithm : kAlgorithms) {
    if (!names.empty()) names += ", ";
    names += algorithm.name;
  }
  return names;
}

bool IsSignature(const Algorithm& algorithm, EVP_PKEY* key, std::string_view message,
                 std::string_view signature) {
  std::string der;
  if (algorithm.number_bytes != 0) {
    der = DerOf(signature, algorithm.number_bytes);
    signature = der;
  }
  const bool verified = !signature.empty() && Verify(algorithm, key, message, signature);
  // gRPC's use of OpenSSL on this thread begins with no error left.
  ERR_clear_error();
  return verified;
}

}  // namespace penstock::server::jwt
