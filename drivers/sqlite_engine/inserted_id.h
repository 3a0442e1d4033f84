// The key of the row that a statement has inserted.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_INSERTED_ID_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_INSERTED_ID_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"

struct sqlite3;

namespace penstock::sqlite_engine {

// SQLite remembers the key of the row that was inserted last, and tells nobody whether
// that was by this statement or by an earlier one, which may have inserted the same key
// into another table. So SQLite is given a mark to remember before each statement, and
// last_insert_rowid() is a function of ours that does not show it.
//
// Used by the connection's thread only. It goes before the connection, on which nothing
// runs any more then.
class InsertedId {
 public:
  explicit InsertedId(sqlite3* db) : db_(db) {}
  InsertedId(const InsertedId&) = delete;
  InsertedId& operator=(const InsertedId&) = delete;

  // Puts last_insert_rowid() in place of SQLite's own.
  absl::Status Register();

  // A statement begins.
  void Begin();
  // The key of the row that it has inserted last; nothing if it has inserted none.
  std::optional<int64_t> Inserted() const;
  // Returns what last_insert_rowid() answers, which may be the key of an earlier statement.
  int64_t Current() const { return Inserted().value_or(before_); }
  // Makes the answer that of a new connection.
  void Forget();

 private:
  // A key that no table has but by intention.
  static constexpr int64_t kMark = INT64_MIN + 0x70656e73;

  sqlite3* const db_;
  // The last key that the statements before this one inserted.
  int64_t before_ = 0;
};

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_INSERTED_ID_H_
