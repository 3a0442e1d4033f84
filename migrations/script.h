// One file's text, made ready to run.
#ifndef PENSTOCK_MIGRATIONS_SCRIPT_H_
#define PENSTOCK_MIGRATIONS_SCRIPT_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "migrations/dialect.h"
#include "migrations/files.h"
#include "migrations/source.h"
#include "migrations/splitter.h"

namespace penstock::migrations {

// Reads one file, or the part of it for one direction, as ReadSource describes it. Errors name
// the file.
absl::StatusOr<Script> ParseScript(const std::shared_ptr<const Files>& files, size_t index,
                                   std::optional<Direction> part, const Dialect& dialect);

// Returns the statements of a script that are to run, without those that the migrator replaces.
// Reads the text and cuts it up again.
absl::StatusOr<std::vector<SqlStatement>> LoadStatements(const Script& script,
                                                         const Dialect& dialect);

}  // namespace penstock::migrations

#endif  // PENSTOCK_MIGRATIONS_SCRIPT_H_
