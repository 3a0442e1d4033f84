// A JSON Web Key Set (RFC 7517).
#ifndef PENSTOCK_SERVER_AUTH_JWT_KEY_SET_H_
#define PENSTOCK_SERVER_AUTH_JWT_KEY_SET_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/auth/jwt/public_key.h"
#include "server/auth/jwt/signature.h"

namespace penstock::server::jwt {

// The keys of a set that verify signatures. Immutable but for its move; thread-safe.
class KeySet {
 public:
  // Reads a set. As RFC 7517, 5 asks, a key that is of no use here does not spoil the others: it is
  // left out if it has another kind or size than MakePublicKey takes, or is broken, or if its
  // `use`, `key_ops` or `alg` are for something else. The error's message says why there is no set,
  // as in "it is not a JSON object; …", or why no key was left.
  static absl::StatusOr<KeySet> Parse(std::string_view text);

  // Returns the key for a token with this `kid` and algorithm: the only one that has both or, for a
  // token without `kid`, the only one of the algorithm. The set owns it. Otherwise it returns
  // kUnauthenticated.
  absl::StatusOr<EVP_PKEY*> Find(const std::optional<std::string>& id,
                                 const Algorithm& algorithm) const;

  size_t size() const { return keys_.size(); }
  // Says of each key that was left out which it is and why, as in "key 'a': its use is 'enc'; …".
  const std::vector<std::string>& left_out() const { return left_out_; }

 private:
  struct Key {
    // Returns whether the key was made for the algorithm.
    bool Fits(const Algorithm& algorithm) const;

    std::optional<std::string> id;
    std::string type;
    std::string curve;
    // If not empty, the only algorithm that the key is for.
    std::string algorithm;
    PublicKey key;
  };

  static absl::StatusOr<Key> ParseKey(const nlohmann::json& member);

  std::vector<Key> keys_;
  std::vector<std::string> left_out_;
};

}  // namespace penstock::server::jwt

#endif  // PENSTOCK_SERVER_AUTH_JWT_KEY_SET_H_
