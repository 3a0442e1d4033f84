// What a caller is told of a token that is refused.
#ifndef PENSTOCK_SERVER_AUTH_JWT_REFUSAL_H_
#define PENSTOCK_SERVER_AUTH_JWT_REFUSAL_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace penstock::server::jwt {

// Returns kUnauthenticated. Both texts may be logged and sent: they show nothing of the token but
// its `alg` and `kid`, as Shown has them.
absl::Status Refused(std::string_view what, std::string_view hint);

// Returns the text in quotes: its first 64 bytes, with all but printable ASCII escaped.
std::string Shown(std::string_view text);

}  // namespace penstock::server::jwt

#endif  // PENSTOCK_SERVER_AUTH_JWT_REFUSAL_H_
