// Parses the parameters of a statement as they are written on a command line.
#ifndef PENSTOCK_CLIENT_CLI_ARGUMENTS_H_
#define PENSTOCK_CLIENT_CLI_ARGUMENTS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "penstock/value.h"

namespace penstock::cli {

// Parses one parameter. A prefix sets its kind: int:, real:, bool:, text:, json:, decimal:, blob:
// (followed by hexadecimal digits) or null: (followed by nothing). Without a prefix it is an
// integer if it is written exactly as an int64 is printed ("42", but not "042", "+42" or "-0"), and
// text otherwise, so that no byte is lost. INVALID_ARGUMENT if the rest does not match the prefix
// or would become another value: an int: beyond 64 bits; a real: that is beyond the range of a
// double, too small for one but not zero, or has spaces.
absl::StatusOr<Value> ParseArgument(std::string_view text);

// Parses all parameters. The error says which one is wrong.
absl::StatusOr<std::vector<Value>> ParseArguments(const std::vector<std::string>& texts);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_ARGUMENTS_H_
