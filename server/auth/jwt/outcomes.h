// What has been found out about tokens.
#ifndef PENSTOCK_SERVER_AUTH_JWT_OUTCOMES_H_
#define PENSTOCK_SERVER_AUTH_JWT_OUTCOMES_H_

#include <array>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/auth/jwt.h"

namespace penstock::server::jwt {

// What a token says, or why it is refused. Tokens and keys decide it, and the time has no part in
// it: a token that has expired, or is not valid yet, has an outcome as well.
using Outcome = absl::StatusOr<VerifiedToken>;

// The SHA-256 of a token, so that none is kept.
using Digest = std::array<unsigned char, 32>;

Digest DigestOf(std::string_view token);

// The last outcomes under one key set: while that stays, they hold. Those of tokens that were
// verified and those of tokens that were refused do not take each other's room, so that a flood of
// wrong tokens does not make right ones cost a signature. Thread-safe.
class Outcomes {
 public:
  // Each of both sorts has room for so many.
  static constexpr size_t kMost = 4096;

  // Returns what was put for the token, or null. A use keeps it from being forgotten.
  std::shared_ptr<const Outcome> Find(const Digest& token);

  // Keeps the outcome; the one of its sort that was not used for the longest time may be forgotten.
  void Put(const Digest& token, std::shared_ptr<const Outcome> outcome);

 private:
  struct Entry {
    Digest token;
    std::shared_ptr<const Outcome> outcome;
  };
  // Outcomes of one sort, the last used first.
  using Order = std::list<Entry>;

  Order& OrderOf(const Outcome& outcome) { return outcome.ok() ? verified_ : refused_; }

  std::mutex mutex_;
  Order verified_;
  Order refused_;
  std::map<Digest, Order::iterator> by_token_;
};

}  // namespace penstock::server::jwt

#endif  // PENSTOCK_SERVER_AUTH_JWT_OUTCOMES_H_
