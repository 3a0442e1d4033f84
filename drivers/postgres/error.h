// PostgreSQL's errors as the project's.
#ifndef PENSTOCK_DRIVERS_POSTGRES_ERROR_H_
#define PENSTOCK_DRIVERS_POSTGRES_ERROR_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace penstock::postgres {

inline constexpr std::string_view kQueryCancelled = "57014";

// What the server reports, field by field.
struct ServerError {
  std::string severity;
  std::string sqlstate;
  std::string message;
  // Has values of the statement's in it: never shown.
  std::string detail;
  std::string hint;
  // Where the server was when it failed; may name a parameter.
  std::string context;
  std::string schema;
  std::string table;
  std::string column;
  std::string constraint;
  // The function of the server's source that has raised it.
  std::string routine;
  int32_t position = 0;
};

// What a failure means. The message is the server's without the values that it
// quotes.
absl::Status Classify(const ServerError& error);

// It is the last thing that the server says.
bool EndsSession(const ServerError& error);

// The prepared statement does not suit its table any more, or is gone: preparing
// it anew is all that is needed.
bool IsStalePlan(const ServerError& error);

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_ERROR_H_
