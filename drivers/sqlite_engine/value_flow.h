// The ways that values take through the registers of SQLite's programs.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_VALUE_FLOW_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_VALUE_FLOW_H_

#include <cstddef>
#include <string>
#include <vector>

#include "drivers/sqlite_engine/program.h"

namespace penstock::sqlite_engine {

// A conversion's affinity where it is that of a column of a STRICT table.
constexpr char kOfStrictTable = '?';
// A conversion's column where it is the row's id, and where it is not clear.
constexpr int kRowId = -1;
constexpr int kNoColumn = -2;

// A place where a value is converted on its way to the column that stores it.
struct Conversion {
  // The affinity as SQLite writes it: 'A' or '@' none, 'B' TEXT, 'C' NUMERIC, 'D' INTEGER,
  // 'E' REAL; or kOfStrictTable.
  char affinity = 0;
  // The table that is written to; empty if it is not clear which of several it is.
  std::string table;
  // The number of the table's database in SQLite's list of databases.
  int database = 0;
  // The place among the columns that are stored, from 0; or kRowId, kNoColumn.
  int column = kNoColumn;
  // The parameters that come here unchanged, from 1.
  std::vector<int> parameters;
};

// All conversions of parameters that the programs store, and one with the affinity 'A' for
// those that are stored without any.
//
// Instructions are taken without their order, so that a register that has two uses may show a
// conversion too many and never one too few.
std::vector<Conversion> FindConversions(const std::vector<Program>& programs);

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_VALUE_FLOW_H_
