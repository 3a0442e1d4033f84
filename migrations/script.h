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

// As ReadSource describes it, of one file, or of the part of it for one direction; errors name
// the file.
absl::StatusOr<Script> ParseScript(const std::shared_ptr<const Files>& files, size_t index,
                                   std::optional<Direction> part, const Dialect& dialect);

// What is to run of a script, without what the migrator does itself. The text is read and cut
// up again.
absl::StatusOr<std::vector<SqlStatement>> LoadStatements(const Script& script,
                                                         const Dialect& dialect);

}  // namespace penstock::migrations

#endif  // PENSTOCK_MIGRATIONS_SCRIPT_H_
