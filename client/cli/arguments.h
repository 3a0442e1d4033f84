// The parameters of a statement, as they are written on a command line.
#ifndef PENSTOCK_CLIENT_CLI_ARGUMENTS_H_
#define PENSTOCK_CLIENT_CLI_ARGUMENTS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "penstock/value.h"

namespace penstock::cli {

// One parameter. With a prefix (int:, real:, bool:, text:, json:, decimal:,
// blob: and hexadecimal digits, null: and nothing) it has that kind; without
// one it is an integer if it is what printing an int64 gives, so that no byte is lost
// ("42", not "042", "+42" or "-0"), and text otherwise.
// INVALID_ARGUMENT where the rest does not suit the prefix, or would become another
// value: an int: beyond 64 bits, a real: beyond the range of a double, other than zero and
// too small for one, or with spaces.
absl::StatusOr<Value> ParseArgument(std::string_view text);

// All of them; the error says which one is wrong.
absl::StatusOr<std::vector<Value>> ParseArguments(const std::vector<std::string>& texts);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_ARGUMENTS_H_
