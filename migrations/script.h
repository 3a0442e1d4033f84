// One file's text, made ready to run.
#ifndef PENSTOCK_MIGRATIONS_SCRIPT_H_
#define PENSTOCK_MIGRATIONS_SCRIPT_H_

#include "absl/status/statusor.h"
#include "migrations/dialect.h"
#include "migrations/source.h"

namespace penstock::migrations {

// As ReadSource describes it; errors name the file.
absl::StatusOr<Script> ParseScript(const File& file, const Dialect& dialect);

}  // namespace penstock::migrations

#endif  // PENSTOCK_MIGRATIONS_SCRIPT_H_
