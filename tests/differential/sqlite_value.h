// SQLite's values beside the gateway's.
#ifndef PENSTOCK_TESTS_DIFFERENTIAL_SQLITE_VALUE_H_
#define PENSTOCK_TESTS_DIFFERENTIAL_SQLITE_VALUE_H_

#include <sqlite3.h>

#include "tests/support/wire.h"

namespace penstock::differential {

// Binds the values of $1, $2, … (null, integer, real, text or blob) to a statement.
void BindSqliteValues(sqlite3_stmt* statement, const testing::Values& args);

// The current row: each value as null, integer, real, text or blob, as it is stored.
v1::Row ReadSqliteRow(sqlite3_stmt* statement);

// See Oracle::Same. What value.proto promises: a value has the kind that its column is
// declared to have where its content has that form, and otherwise that of its storage.
// Reals are compared bit by bit.
bool SameSqliteValue(const v1::Value& own, const v1::Value& gateways, v1::Kind declared);

}  // namespace penstock::differential

#endif  // PENSTOCK_TESTS_DIFFERENTIAL_SQLITE_VALUE_H_
