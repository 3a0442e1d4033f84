// INSERT, UPDATE and DELETE of one row of a keyspace.
#ifndef PENSTOCK_DRIVERS_PEBBLE_TABLE_WRITE_H_
#define PENSTOCK_DRIVERS_PEBBLE_TABLE_WRITE_H_

#include <span>

#include "drivers/pebble/virtual_table.h"

struct sqlite3_value;

namespace penstock::pebble {

// xUpdate: `values` and the code are as SQLite describes them there.
int WriteRow(VirtualTable* table, std::span<sqlite3_value* const> values);

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_TABLE_WRITE_H_
