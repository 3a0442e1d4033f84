// Migrations as they are written: files, and the steps made of them.
#ifndef PENSTOCK_MIGRATIONS_SOURCE_H_
#define PENSTOCK_MIGRATIONS_SOURCE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "migrations/dialect.h"
#include "migrations/splitter.h"

namespace penstock::migrations {

// A file's name, without a folder, and its bytes.
struct File {
  std::string name;
  std::string content;
};

// What one direction of a migration does.
struct Script {
  std::string file;
  // Of the normalised text (see text.h).
  std::string checksum;
  std::vector<SqlStatement> statements;
  // All or nothing, with the history's row.
  bool transactional = true;
  bool blank = false;
  // Whether foreign keys hold in the step, where the script says so (SQLite).
  std::optional<bool> foreign_keys;
};

struct Migration {
  int64_t version = 0;
  std::string name;
  // Neither of them in a code step.
  std::optional<Script> up;
  std::optional<Script> down;
  // A function of the client's.
  bool is_code = false;
  bool code_has_down = false;

  // "0001_create_users.up.sql", or what stands for it in a message.
  std::string Title() const;
};

// A code step as the client announces it.
struct CodeStep {
  int64_t version = 0;
  std::string name;
  bool has_down = false;
};

using Source = std::map<int64_t, Migration>;

// The line that a script begins with which must not run in a transaction.
inline constexpr std::string_view kNoTransactionLine = "-- penstock: no-transaction";

// Reads files named <version>_<name>.<up|down>.sql, or .<up|down>.<driver>.sql for
// one driver alone, which wins over the general one. Files that do not end in
// ".sql" are left aside, and those for other drivers. Every text is read as UTF-8
// with or without a byte order mark, with any line ends.
//
// A script runs in a transaction unless its first line is kNoTransactionLine, it
// is a single statement that the backend refuses in one, or it changes the schema and
// the dialect has no transactional DDL.
// BEGIN as its first and COMMIT as its last statement are taken for what they
// mean and left out. On SQLite so are any pairs of them, and PRAGMA foreign_keys=…: the
// whole step is one transaction, in which foreign keys are off if the script turns them
// off anywhere.
//
// Refuses, with a message that names the file and what to do: a name that is not
// of this form; a version beyond 2^63-1 or of 0; two files for the same version
// and direction; a version with different names; no `up` file; an empty `up`
// file; text that is not UTF-8 or has a NUL; a string, comment or body without an
// end; a statement that cannot run in a transaction among several; transaction
// control.
absl::StatusOr<Source> ReadSource(const std::vector<File>& files,
                                  const std::vector<CodeStep>& code_steps, std::string_view driver,
                                  const Dialect& dialect);

// The files of a folder, not of those below it. kInvalidParameter names the
// folder if it is not there.
absl::StatusOr<std::vector<File>> ReadFolder(const std::string& path);

}  // namespace penstock::migrations

#endif  // PENSTOCK_MIGRATIONS_SOURCE_H_
