#include "server/auth/jwt/outcomes.h"

#include <openssl/sha.h>

#include <utility>

namespace penstock::server::jwt {

Digest DigestOf(std::string_view token) {
  Digest digest;
  static_assert(std::tuple_size<Digest>() == SHA256_DIGEST_LENGTH);
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
  return digest;
}

std::shared_ptr<const Outcome> Outcomes::Find(const Digest& token) {
  std::lock_guard lock(mutex_);
  const auto found = by_token_.find(token);
  if (found == by_token_.end()) return nullptr;
  const Order::iterator entry = found->second;
  Order& order = OrderOf(*entry->outcome);
  order.splice(order.begin(), order, entry);
  return entry->outcome;
}

void Outcomes::Put(const Digest& token, std::shared_ptr<const Outcome> outcome) {
  std::lock_guard lock(mutex_);
  // Another thread may have found out the same.
  if (by_token_.contains(token)) return;
  Order& order = OrderOf(*outcome);
  order.push_front({token, std::move(outcome)});
  by_token_.emplace(token, order.begin());
  if (order.size() <= kMost) return;
  by_token_.erase(order.back().token);
  order.pop_back();
}

}  // namespace penstock::server::jwt
