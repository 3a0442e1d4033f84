// Identities with tokens, for daemons of tests.
#ifndef PENSTOCK_TESTS_CONFORMANCE_IDENTITIES_H_
#define PENSTOCK_TESTS_CONFORMANCE_IDENTITIES_H_

#include <openssl/sha.h>

#include <chrono>
#include <string>

#include "fmt/format.h"
#include "server/config/identity.h"

namespace penstock::testing {

// The token of an identity that Identity has made.
inline std::string TokenOf(const std::string& identity) {
  return fmt::format("pst_{}_{}", identity, std::string(43, 'x'));
}

// An identity with a token and one grant.
inline server::IdentityConfig Identity(const std::string& name, const std::string& database,
                                       server::Rights rights) {
  const std::string token = TokenOf(name);
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  server::IdentityConfig identity;
  identity.tokens = {{.id = name,
                      .sha256 = digest,
                      .expires = std::chrono::system_clock::now() + std::chrono::hours(1)}};
  identity.grants = {{.database = database, .rights = rights, .keyspaces = {}, .key_prefix = {}}};
  return identity;
}

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_CONFORMANCE_IDENTITIES_H_
