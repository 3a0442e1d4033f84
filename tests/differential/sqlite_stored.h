// What two SQLite files hold, beside each other.
#ifndef PENSTOCK_TESTS_DIFFERENTIAL_SQLITE_STORED_H_
#define PENSTOCK_TESTS_DIFFERENTIAL_SQLITE_STORED_H_

#include <string>
#include <vector>

namespace penstock::differential {

// Opens both and compares the schema and every row of every table, shadow tables included,
// value by value with its type. One line a table that differs; empty: none does.
std::vector<std::string> CompareSqliteFiles(const std::string& own, const std::string& gateways);

}  // namespace penstock::differential

#endif  // PENSTOCK_TESTS_DIFFERENTIAL_SQLITE_STORED_H_
