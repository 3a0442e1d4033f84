#include "server/rpc/base/answer_limits.h"

#include <algorithm>
#include <charconv>

namespace penstock::server {

size_t AnswerLimits::Returning(size_t max_returning_bytes) const {
  // Leaves room for what a message has around its rows.
  return std::min(max_returning_bytes, message - message / 8);
}

AnswerLimits AnswerLimits::For(const ServerConfig& server, std::string_view said) {
  // The room for a status and for the columns of most results.
  constexpr size_t kLeast = 1024;
  size_t client = 0;
  const auto [end, error] = std::from_chars(said.data(), said.data() + said.size(), client);
  AnswerLimits limits{.message = server.max_message_bytes,
                      .batch = server.batch_bytes,
                      .first_batch = server.first_batch_bytes};
  if (error != std::errc() || end != said.data() + said.size()) return limits;
  limits.message = std::min(limits.message, std::max(client, kLeast));
  // A row that comes on top of an almost full message has room in it.
  limits.batch = std::min(limits.batch, limits.message / 2);
  limits.first_batch = std::min(limits.first_batch, limits.batch);
  return limits;
}

}  // namespace penstock::server
