// SQL texts as psql reads them.
#ifndef PENSTOCK_TESTS_DIFFERENTIAL_POSTGRES_TEXT_H_
#define PENSTOCK_TESTS_DIFFERENTIAL_POSTGRES_TEXT_H_

#include <string_view>
#include <vector>

#include "tests/differential/script.h"
#include "tests/differential/text.h"

namespace penstock::differential {

// Cuts a text where psql does, which knows strings, dollar quotes, nested comments, parentheses
// and the bodies of SQL functions. What only psql can do is counted in `left_out`: its own
// commands, statements that end with one (\gset) or have its variables (:name), several
// statements in one (\;), COPY from the lines that follow.
std::vector<Piece> SplitPsql(std::string_view text, LeftOut* left_out);

// "$1" outside of strings and comments, in a statement that may have a value for it.
bool HasPostgresParameters(std::string_view sql);

// BEGIN and so on with what a Transaction stream can say; see ParseControl.
Control ParsePostgresControl(std::string_view sql);

}  // namespace penstock::differential

#endif  // PENSTOCK_TESTS_DIFFERENTIAL_POSTGRES_TEXT_H_
