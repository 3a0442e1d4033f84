// The parts of a JSON Web Token.
#ifndef PENSTOCK_SERVER_AUTH_JWT_TOKEN_H_
#define PENSTOCK_SERVER_AUTH_JWT_TOKEN_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/auth/jwt/outcomes.h"
#include "server/config/identity.h"

namespace penstock::server::jwt {

// A token whose signature has not been looked at yet. It borrows the token's text.
struct SignedToken {
  std::string algorithm;
  std::optional<std::string> key_id;
  // What is signed: the first two parts, as they came.
  std::string_view message;
  // The second part, in base64url still: nobody reads it before the signature is known to be right.
  std::string_view payload;
  std::string signature;
};

// Takes a token in compact form (RFC 7515, 7.1) apart. Returns kUnauthenticated if it has another
// form, if `alg` is missing or `kid` is not a text, or if it has `crit`: no extension is known
// here. What else a header may say, where to find a key for instance, is not looked at.
absl::StatusOr<SignedToken> ParseToken(std::string_view token);

// Reads the payload of a token whose signature is right. Returns kUnauthenticated if a claim is not
// as `config` wants it. The times are for the caller to compare.
Outcome ReadClaims(std::string_view payload, const JwtConfig& config);

}  // namespace penstock::server::jwt

#endif  // PENSTOCK_SERVER_AUTH_JWT_TOKEN_H_
