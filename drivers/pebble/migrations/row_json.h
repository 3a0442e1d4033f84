// A row of the history as JSON, where it is kept as a value.
#ifndef PENSTOCK_DRIVERS_PEBBLE_MIGRATIONS_ROW_JSON_H_
#define PENSTOCK_DRIVERS_PEBBLE_MIGRATIONS_ROW_JSON_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "migrations/history.h"

namespace penstock::migrations {

// {"id":1,"version":1,"name":"create_users","checksum":"…","direction":"up",
//  "state":"done","statement":0,"note":"","applied_at":"2026-01-31 12:00:00.123456",
//  "duration_ms":3}: one object of texts and whole numbers, its times in UTC.
std::string ToJson(const HistoryRow& row);

// Members may come in any order, and ones that are not known are left aside.
// kDataException names `history` and what is wrong.
absl::StatusOr<HistoryRow> RowFromJson(std::string_view text, std::string_view history);

}  // namespace penstock::migrations

#endif  // PENSTOCK_DRIVERS_PEBBLE_MIGRATIONS_ROW_JSON_H_
