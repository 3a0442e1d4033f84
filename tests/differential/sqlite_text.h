// SQLite's SQL as text: where statements end and which of their tokens are constants.
#ifndef PENSTOCK_TESTS_DIFFERENTIAL_SQLITE_TEXT_H_
#define PENSTOCK_TESTS_DIFFERENTIAL_SQLITE_TEXT_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "tests/differential/backend.h"
#include "tests/differential/script.h"

namespace penstock::differential {

// See Backend, whose functions these are. SQLite itself (sqlite3_complete) says where a
// statement ends.
std::vector<Piece> SplitSqlite(std::string_view text, LeftOut* left_out);
bool HasSqliteParameters(std::string_view sql);
Parameterised ParameteriseSqlite(std::string_view sql);

}  // namespace penstock::differential

#endif  // PENSTOCK_TESTS_DIFFERENTIAL_SQLITE_TEXT_H_
