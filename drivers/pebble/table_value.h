// Keys and values of a keyspace as values of SQL, and back.
#ifndef PENSTOCK_DRIVERS_PEBBLE_TABLE_VALUE_H_
#define PENSTOCK_DRIVERS_PEBBLE_TABLE_VALUE_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/value.h"
#include "drivers/pebble/catalog.h"
#include "rocksdb/slice.h"

struct sqlite3_context;
struct sqlite3_value;

namespace penstock::pebble {

// Tells what the bytes of a column stand for. SQLite has an affinity in its place, and
// keeps the type with each value; here there are only bytes, so a value that
// would come back as something else is refused.
enum class Storage : uint8_t {
  // Text in UTF-8.
  kText,
  // Any bytes.
  kBlob,
  // A number in decimal, or a text that is none: what SQLite makes of INTEGER,
  // BOOLEAN, NUMERIC, DATE and their like.
  kNumeric,
  // The same, and whole numbers are reals, too.
  kReal,
};

// Returns the storage of a column that is declared so; kUnsupported: the driver knows no such type.
absl::StatusOr<Storage> StorageOf(std::string_view declared_type);

// A row's key or value as bytes. kDataException: it does not fit the column, whose
// name `column` is; or it is one of the parameters, `arguments`, and would not be kept
// exactly. Not for NULL.
absl::StatusOr<std::string> Encode(sqlite3_value* value, Storage storage, std::string_view column,
                                   std::span<const driver::Value> arguments);

// The bytes as the result of a function of SQLite, which copies them.
void Decode(const rocksdb::Slice& stored, Storage storage, sqlite3_context* result);

// Those of a text or a blob, which live as long as it; a number's are its text.
std::string_view BytesOf(sqlite3_value* value);

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_TABLE_VALUE_H_
