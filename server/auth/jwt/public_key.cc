#include "server/auth/jwt/public_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include <cstddef>
#include <optional>
#include <string>

#include "fmt/format.h"
#include "server/auth/jwt/encoding.h"
#include "server/auth/jwt/refusal.h"

namespace penstock::server::jwt {
namespace {

using nlohmann::json;

constexpr int kFewestRsaBits = 2048;
// OpenSSL verifies with none that is longer.
constexpr int kMostRsaBits = 16384;

struct Free {
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(OSSL_PARAM* parameters) const { OSSL_PARAM_free(parameters); }
  void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
};
using Number = std::unique_ptr<BIGNUM, Free>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Free>;
using Parameters = std::unique_ptr<OSSL_PARAM, Free>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Free>;

absl::Status Unusable(const std::string& why) { return absl::InvalidArgumentError(why); }

const unsigned char* Data(const std::string& bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// Returns the bytes of a member.
absl::StatusOr<std::string> BytesOf(const json& key, const char* name) {
  const std::string* const text = FindText(key, name);
  if (text == nullptr) return Unusable(fmt::format("it has no text '{}'; give it one", name));
  std::optional<std::string> bytes = DecodeBase64Url(*text);
  if (!bytes.has_value()) {
    return Unusable(fmt::format("its '{}' is not base64url; write it without padding", name));
  }
  return *std::move(bytes);
}

// Returns the key of OpenSSL's `type`, or null.
PublicKey FromParameters(const char* type, OSSL_PARAM_BLD* builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (parameters == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return PublicKey(key);
}

absl::StatusOr<PublicKey> MakeRsaKey(const json& key) {
  const absl::StatusOr<std::string> n = BytesOf(key, "n");
  if (!n.ok()) return n.status();
  const absl::StatusOr<std::string> e = BytesOf(key, "e");
  if (!e.ok()) return e.status();
  const Number modulus(BN_bin2bn(Data(*n), static_cast<int>(n->size()), nullptr));
  const Number exponent(BN_bin2bn(Data(*e), static_cast<int>(e->size()), nullptr));
  const Builder builder(OSSL_PARAM_BLD_new());
  if (modulus == nullptr || exponent == nullptr || builder == nullptr) return nullptr;
  const int bits = BN_num_bits(modulus.get());
  if (bits < kFewestRsaBits || bits > kMostRsaBits) {
    return Unusable(fmt::format("it is an RSA key of {} bits; use one of {} to {}", bits,
                                kFewestRsaBits, kMostRsaBits));
  }
  if (OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    return nullptr;
  }
  return FromParameters("RSA", builder.get());
}

absl::StatusOr<PublicKey> MakeEcKey(const json& key, const std::string& curve) {
  if (curve != "P-256" && curve != "P-384") {
    return Unusable(fmt::format("its crv is {}; use P-256 or P-384", Shown(curve)));
  }
  const absl::StatusOr<std::string> x = BytesOf(key, "x");
  if (!x.ok()) return x.status();
  const absl::StatusOr<std::string> y = BytesOf(key, "y");
  if (!y.ok()) return y.status();
  const size_t size = curve == "P-256" ? 32 : 48;
  if (x->size() != size || y->size() != size) {
    return Unusable(fmt::format("its x and y have {} and {} bytes; write {} for each", x->size(),
                                y->size(), size));
  }
  // A point that is not compressed. OpenSSL checks that it is on the curve.
  const std::string point = "\x04" + *x + *y;
  const Builder builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.data(),
                                      curve.size()) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return nullptr;
  }
  return FromParameters("EC", builder.get());
}

absl::StatusOr<PublicKey> MakeEdwardsKey(const json& key, const std::string& curve) {
  if (curve != "Ed25519") {
    return Unusable(fmt::format("its crv is {}; use Ed25519", Shown(curve)));
  }
  const absl::StatusOr<std::string> x = BytesOf(key, "x");
  if (!x.ok()) return x.status();
  return PublicKey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Data(*x), x->size()));
}

// Returns the key, null if OpenSSL makes none of it, or what is wrong.
absl::StatusOr<PublicKey> Make(const json& key) {
  const std::string* const type = FindText(key, "kty");
  if (type == nullptr) return Unusable("it has no text 'kty'; give it one");
  const std::string* const curve = FindText(key, "crv");
  if (*type == "RSA") return MakeRsaKey(key);
  if (*type == "EC") return MakeEcKey(key, curve == nullptr ? "" : *curve);
  if (*type == "OKP") return MakeEdwardsKey(key, curve == nullptr ? "" : *curve);
  return Unusable(fmt::format("its kty is {}; use RSA, EC or OKP", Shown(*type)));
}

bool IsSound(EVP_PKEY* key) {
  if (key == nullptr) return false;
  const Context context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return context != nullptr && EVP_PKEY_public_check(context.get()) == 1;
}

}  // namespace

absl::StatusOr<PublicKey> MakePublicKey(const json& key) {
  absl::StatusOr<PublicKey> made = Make(key);
  const bool sound = !made.ok() || IsSound(made->get());
  // gRPC's use of OpenSSL on this thread begins with no error left.
  ERR_clear_error();
  if (!sound) return Unusable("its numbers are no public key; write it anew");
  return made;
}

}  // namespace penstock::server::jwt
