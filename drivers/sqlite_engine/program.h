// The program that SQLite makes of a statement, as EXPLAIN tells it.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_PROGRAM_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_PROGRAM_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

struct sqlite3_stmt;

namespace penstock::sqlite_engine {

// Those of SQLite's instructions that hand a value on unchanged, convert it as an affinity
// does, or store it.
enum class Operation : uint8_t {
  // Known to do none of this.
  kOther,
  // Not known here.
  kUnknown,
  kAffinity,
  kCast,
  kColumn,
  kCopy,
  kDelete,
  kIdxInsert,
  kInsert,
  kIntCopy,
  kMakeRecord,
  kMove,
  kMustBeInt,
  kOpenDup,
  kOpenPseudo,
  kOpenWrite,
  kParam,
  kProgram,
  kRealAffinity,
  kRowData,
  kSCopy,
  kSorterData,
  kSorterInsert,
  kTransaction,
  kTypeCheck,
  kVUpdate,
  kVariable,
};

// The operands mean what https://www.sqlite.org/opcode.html says.
struct Instruction {
  Operation operation = Operation::kUnknown;
  int p1 = 0;
  int p2 = 0;
  int p3 = 0;
  std::string p4;
};

// One for the statement, and one for each trigger and each action of a foreign key.
using Program = std::vector<Instruction>;

// Prepares EXPLAIN of the statement's text on its connection, whose policy has to allow it.
// Nothing: SQLite does not tell.
std::optional<std::vector<Program>> ReadPrograms(sqlite3_stmt* statement);

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_PROGRAM_H_
