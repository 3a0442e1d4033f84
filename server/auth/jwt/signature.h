// The signatures of JSON Web Tokens (RFC 7518, 3; RFC 8037, 3.1).
//
// They are verified with OpenSSL itself. Debian 12 has two libraries of tokens, libjwt and
// libcpp-jwt. Neither reads a key set, so that they would save no more than this file; both lack
// PS256 and EdDSA, read base64 and JSON leniently, and know `none` and shared secrets, which
// nothing here can ever take because it does not exist.
#ifndef PENSTOCK_SERVER_AUTH_JWT_SIGNATURE_H_
#define PENSTOCK_SERVER_AUTH_JWT_SIGNATURE_H_

#include <openssl/evp.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace penstock::server::jwt {

// How a signature is made, and by which keys.
struct Algorithm {
  // `alg`.
  std::string_view name;
  // The members `kty` and `crv` of its keys; RSA keys have no `crv`.
  std::string_view key_type;
  std::string_view curve;
  // Null if the scheme has a digest of its own.
  const EVP_MD* (*digest)();
  // RSA: the padding, RSA_PKCS1_PADDING or RSA_PKCS1_PSS_PADDING. Otherwise 0.
  int padding;
  // EC: the bytes of each of the two numbers of a signature. Otherwise 0.
  size_t number_bytes;
};

// Returns the algorithm of that name, or null: RS256, RS384, RS512, PS256, PS384, PS512, ES256,
// ES384 and EdDSA are known.
const Algorithm* FindAlgorithm(std::string_view name);

// Returns the names of all algorithms, as in "RS256, RS384".
std::string AlgorithmNames();

// Tells whether the signature is that of `message` by `key`, which has the type and curve of the
// algorithm. Thread-safe.
bool IsSignature(const Algorithm& algorithm, EVP_PKEY* key, std::string_view message,
                 std::string_view signature);

}  // namespace penstock::server::jwt

#endif  // PENSTOCK_SERVER_AUTH_JWT_SIGNATURE_H_
