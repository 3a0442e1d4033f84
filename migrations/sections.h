// Files in which other tools write both directions of a migration: goose, dbmate and
// sql-migrate.
#ifndef PENSTOCK_MIGRATIONS_SECTIONS_H_
#define PENSTOCK_MIGRATIONS_SECTIONS_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "migrations/history.h"

namespace penstock::migrations {

// One direction's part of the file. Lines before it are empty, so that a line keeps its
// number.
struct Section {
  std::string text;
  // The file says that it is not to run in a transaction.
  bool no_transaction = false;
};

struct Sections {
  std::optional<Section> up;
  std::optional<Section> down;
};

// Reads markers as their tools do, one of which a line begins with:
//
//   goose        -- +goose Up, Down, NO TRANSACTION, StatementBegin, StatementEnd
//   sql-migrate  -- +migrate Up [notransaction], Down [notransaction], StatementBegin, …
//   dbmate       -- migrate:up [transaction:false], -- migrate:down [transaction:false]
//
// Where a statement ends is read from the SQL itself, so that StatementBegin and
// StatementEnd change nothing. Nothing: the text has no marker of a direction. An error
// names the file and the line: a marker that is not known (goose's ENVSUB), the same
// direction twice, markers of two tools, or SQL before the first of them.
absl::StatusOr<std::optional<Sections>> ReadSections(std::string_view file, std::string_view text);

}  // namespace penstock::migrations

#endif  // PENSTOCK_MIGRATIONS_SECTIONS_H_
