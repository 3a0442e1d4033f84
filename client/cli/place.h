// Shows the place of an error in a statement.
#ifndef PENSTOCK_CLIENT_CLI_PLACE_H_
#define PENSTOCK_CLIENT_CLI_PLACE_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::cli {

// Appends the line of `sql` that has the character `position` (from 1), and a caret under that
// character:
//
//   line 2: select * form users
//                    ^
//
// Both lines are indented by two columns. Control characters are escaped as by AppendPrintable. Of
// a long line only the part around the place is shown. The position right after the last character
// is valid; for any other position outside of the statement, such as 0, nothing is appended.
void AppendPlace(std::string_view sql, int32_t position, std::string* out);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_PLACE_H_
