// One file's text, made ready to run.
#ifndef PENSTOCK_MIGRATIONS_SCRIPT_H_
#define PENSTOCK_MIGRATIONS_SCRIPT_H_

#include "absl/status/statusor.h"
#include "migrations/dialect.h"
#include "migrations/sections.h"
#include "migrations/source.h"

namespace penstock::migrations {

// As ReadSource describes it; errors name the file. `section` is the part of the file that
// is meant; null: all of it.
absl::StatusOr<Script> ParseScript(const File& file, const Section* section,
                                   const Dialect& dialect);

}  // namespace penstock::migrations

#endif  // PENSTOCK_MIGRATIONS_SCRIPT_H_
