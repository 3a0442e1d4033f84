// Which PRAGMAs a client may use.
#ifndef PENSTOCK_DRIVERS_SQLITE_PRAGMAS_H_
#define PENSTOCK_DRIVERS_SQLITE_PRAGMAS_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace penstock::sqlite {

enum class PragmaRule : uint8_t {
  // It only tells something, whatever its argument.
  kTells,
  // A setting of the connection or of the file, which clients share: it may be read.
  kReads,
  // It belongs to the database, and may be changed by whoever may write to it.
  kWrites,
  // A setting that may be read, and changed for the transaction that is open.
  kOfTransaction,
  kRefused,
};

// Nothing for a name that nobody has decided about: SQLite does not know it, or is a
// newer one. Upper and lower case are the same.
std::optional<PragmaRule> RuleOf(std::string_view pragma);

}  // namespace penstock::sqlite

#endif  // PENSTOCK_DRIVERS_SQLITE_PRAGMAS_H_
