// Statements with many parameters, made ones that SQLite prepares in linear time.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_PARAMETERS_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_PARAMETERS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace penstock::sqlite_engine {

// The largest number that a parameter may have, which is SQLite's usual limit.
constexpr int kMaxParameters = 32766;

// A text in which each parameter is a `?` without a number.
struct AnonymousText {
  // Empty: the text may stay as it is. Otherwise it has the length of the text that it
  // was made of, and all but the parameters is where it was: places in one are places in
  // the other.
  std::string sql;
  // Maps each `?` to the number of its argument, from 0.
  std::vector<int> arguments;
};

// SQLite looks for each numbered parameter among all before it: a statement with 32,766
// of them takes ten seconds, in which it looks at no deadline. So the numbers of a text
// with many parameters (more than 2,000) are taken out, and kept beside it. A column that
// SQLite names by its text then has a `?` in its name.
//
// kInvalidParameter: the text has parameters by name, a number out of range, or `?` and
// `$1` both.
absl::StatusOr<AnonymousText> WithoutNumbers(std::string_view sql);

// The number of "$12" or "?12"; 0 if it has none from 1 to kMaxParameters.
int ParameterNumber(std::string_view parameter);

absl::Status NotNumberedError(std::string_view parameter);
absl::Status MixedError();

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_PARAMETERS_H_
