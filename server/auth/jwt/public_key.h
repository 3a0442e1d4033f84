// Public keys, as JSON Web Keys have them (RFC 7518, 6; RFC 8037, 2).
#ifndef PENSTOCK_SERVER_AUTH_JWT_PUBLIC_KEY_H_
#define PENSTOCK_SERVER_AUTH_JWT_PUBLIC_KEY_H_

#include <openssl/evp.h>

#include <memory>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace penstock::server::jwt {

struct FreePublicKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
// Any number of threads may verify with one key at once.
using PublicKey = std::unique_ptr<EVP_PKEY, FreePublicKey>;

// Makes the key that the members `kty`, `crv`, `n`, `e`, `x` and `y` describe: RSA of 2048 to 16384
// bits, EC on P-256 or P-384, or OKP on Ed25519. What else is in `key`, a private part for
// instance, is not looked at. The error's message is the reason alone, as in "it is an RSA key of
// 1024 bits; use one of 2048 to 16384".
absl::StatusOr<PublicKey> MakePublicKey(const nlohmann::json& key);

}  // namespace penstock::server::jwt

#endif  // PENSTOCK_SERVER_AUTH_JWT_PUBLIC_KEY_H_
