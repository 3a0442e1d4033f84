// Migrations as they are written: files, and the steps made of them.
#ifndef PENSTOCK_MIGRATIONS_SOURCE_H_
#define PENSTOCK_MIGRATIONS_SOURCE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "migrations/dialect.h"
#include "migrations/files.h"
#include "migrations/history.h"

namespace penstock::migrations {

// One direction of a migration. Its statements are read again when they are to
// run (script.h): those of all files together would take many times the files' memory.
struct Script {
  std::string file;
  // Says where the text is: a file, or the part of it that is for the direction.
  std::shared_ptr<const Files> files;
  size_t index = 0;
  std::optional<Direction> part;
  // The checksum of the normalised text (see script_text.h).
  std::string checksum;
  size_t statement_count = 0;
  // All or nothing, with the history's row.
  bool transactional = true;
  bool blank = false;
  // Whether foreign keys hold in the step, where the script says so (SQLite).
  std::optional<bool> foreign_keys;
};

struct Migration {
  uint64_t version = 0;
  std::string name;
  // Neither of them in a code step.
  std::optional<Script> up;
  std::optional<Script> down;
  // Why its down cannot run: nothing is in the way of who does not go down.
  absl::Status down_problem;
  // A function of the client's.
  bool is_code = false;
  bool code_has_down = false;

  // "0001_create_users.up.sql", or what stands for it in a message.
  std::string Title() const;
};

// A code step as the client announces it.
struct CodeStep {
  uint64_t version = 0;
  std::string name;
  bool has_down = false;
};

using Source = std::map<uint64_t, Migration>;

// A line of the comments with which a script begins that must not run in a transaction.
inline constexpr std::string_view kNoTransactionLine = "-- penstock: no-transaction";

// Reads files named as golang-migrate has them (file_name.h), and those that have both
// directions as goose, dbmate and sql-migrate have them (sections.h). Files that do not
// end in ".sql" are not looked at. A variant for the driver wins over the general file, and
// those for other drivers are left aside. Every text is read as UTF-8 with or without a byte
// order mark, and runs byte for byte. `*others`, if it is not null, gets the names of
// the other files that end in ".sql", each with the reason why it is no migration.
//
// A script runs in a transaction unless kNoTransactionLine is a line of the comments that
// it begins with (or "-- no-transaction" its first line, as sqlx has it), it
// is a single statement that the backend refuses in one, or it changes the schema and
// the dialect has no transactional DDL.
// BEGIN as its first and COMMIT as its last statement are taken for what they
// mean and left out, but for an isolation level, which stays. On SQLite so are any pairs of
// them, and PRAGMA foreign_keys=…: the whole step is one transaction, in which foreign keys
// are off if the script turns them off anywhere.
//
// In a folder without any .up, .down or markers, as sqlx, Refinery and Flyway have them, each
// <version>_<name>.sql is an up.
//
// Refuses, with a message that names each file and what to do: a name that is meant for
// such a file and is none; a version beyond 2^64-1; two files for the same version and
// direction; no `up` file; text that is not UTF-8 or has a NUL; a
// string, comment or body without an end; a statement that cannot run in a transaction
// among several; transaction control (what is wrong with the text of a down is told to who
// goes down); markers of both directions in a file of one; and
// files of which none is a migration, without a code step.
absl::StatusOr<Source> ReadSource(const std::shared_ptr<const Files>& files,
                                  const std::vector<CodeStep>& code_steps, std::string_view driver,
                                  const Dialect& dialect,
                                  std::vector<std::string>* others = nullptr);
absl::StatusOr<Source> ReadSource(std::vector<File> files, const std::vector<CodeStep>& code_steps,
                                  std::string_view driver, const Dialect& dialect,
                                  std::vector<std::string>* others = nullptr);

// The files of a folder, not of those below it. kInvalidParameter names the
// folder if it is not there, or has no file that ends in ".sql".
absl::StatusOr<std::shared_ptr<Files>> ReadFolder(const std::string& path);

}  // namespace penstock::migrations

#endif  // PENSTOCK_MIGRATIONS_SOURCE_H_
