// The largest sizes of answers.
#ifndef PENSTOCK_SERVER_RPC_BASE_ANSWER_LIMITS_H_
#define PENSTOCK_SERVER_RPC_BASE_ANSWER_LIMITS_H_

#include <cstddef>
#include <string_view>

#include "server/config/config.h"

namespace penstock::server {

// The metadata in which a client says how many bytes a message that it receives may have.
inline constexpr const char* kMessageLimitKey = "x-penstock-max-message-bytes";

// All limits are in bytes. A message that a client cannot take is lost in its gRPC, and with it the
// answer of a committed write. So the daemon keeps to both sides' limits.
struct AnswerLimits {
  // The largest message.
  size_t message = 0;
  // The sizes at which a message with rows ends, later ones and the first one of a result.
  size_t batch = 0;
  size_t first_batch = 0;
  // Returns the limit of all rows together of a statement that writes, on a database with this
  // limit of its own.
  size_t Returning(size_t max_returning_bytes) const;

  // `said` is the client's metadata; empty, or no number, if the client has said nothing.
  static AnswerLimits For(const ServerConfig& server, std::string_view said);
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_ANSWER_LIMITS_H_
