// What two PostgreSQL databases hold.
#ifndef PENSTOCK_TESTS_DIFFERENTIAL_POSTGRES_STORED_H_
#define PENSTOCK_TESTS_DIFFERENTIAL_POSTGRES_STORED_H_

#include <string>
#include <vector>

namespace penstock::differential {

// How what the database at `gateways` holds differs from what that at `own` does, one line a
// difference: tables, views, columns, defaults, constraints, indexes, triggers, functions,
// comments and sequences by their definitions; rows by their number and a checksum of their texts.
std::vector<std::string> ComparePostgresStored(const std::string& own, const std::string& gateways);

// A text that is another one after a transaction that has written, on the whole server. Empty: it
// cannot be had.
std::string PostgresWriteMark(const std::string& where);

}  // namespace penstock::differential

#endif  // PENSTOCK_TESTS_DIFFERENTIAL_POSTGRES_STORED_H_
