// Where in a statement something is wrong.
#ifndef PENSTOCK_CLIENT_CLI_PLACE_H_
#define PENSTOCK_CLIENT_CLI_PLACE_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::cli {

// Appends the line of `sql` that has the character `position`, from 1, and a caret under
// that character:
//
//   line 2: select * form users
//                    ^
//
// Both are indented by two columns, control characters are spelled out as AppendPrintable
// has them, and of a long line only the surroundings are shown. A position right behind the
// statement's end is its end; nothing is appended for one that is not in it, 0 among them.
void AppendPlace(std::string_view sql, int32_t position, std::string* out);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_PLACE_H_
