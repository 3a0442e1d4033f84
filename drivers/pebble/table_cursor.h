// A scan of a keyspace, for SQLite.
#ifndef PENSTOCK_DRIVERS_PEBBLE_TABLE_CURSOR_H_
#define PENSTOCK_DRIVERS_PEBBLE_TABLE_CURSOR_H_

#include <sqlite3.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "drivers/pebble/cursor.h"
#include "drivers/pebble/key_plan.h"
#include "drivers/pebble/virtual_table.h"
#include "rocksdb/slice.h"

namespace penstock::pebble {

// Reads as far as it is asked to: key by key where the plan names them, else with
// an iterator over their range. The codes are SQLite's.
class TableCursor final : public sqlite3_vtab_cursor {
 public:
  explicit TableCursor(VirtualTable* table) : sqlite3_vtab_cursor(), table_(table) {}

  int Filter(KeyPlan plan, sqlite3_value** values);
  int Next();
  bool at_end() const { return at_end_; }
  void Column(int column, sqlite3_context* result) const;

 private:
  // To the first entry from here that the plan leaves.
  int Settle();
  int SettleOnKey();
  int SettleInRange();
  // The value of the current key; false: it does not exist.
  absl::StatusOr<bool> Read(std::string_view key);

  VirtualTable* const table_;
  KeyPlan plan_;
  KeySet keys_;
  // Goes after its iterator.
  Keyspace family_;
  // The place in keys_.keys, which are read in the order of the plan.
  size_t position_ = 0;
  rocksdb::PinnableSlice value_;
  std::optional<RangeIterator> iterator_;
  bool at_end_ = true;
};

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_TABLE_CURSOR_H_
