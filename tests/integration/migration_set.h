// A set of migrations as large as a project's.
#ifndef PENSTOCK_TESTS_INTEGRATION_MIGRATION_SET_H_
#define PENSTOCK_TESTS_INTEGRATION_MIGRATION_SET_H_

#include "tests/support/migrate.h"

namespace penstock::testing {

// More than 150 migrations, numbered from 1 without holes, each with a way down:
// tables, data, indexes (PostgreSQL: CONCURRENTLY), views, triggers, columns that
// are added, and on PostgreSQL functions, types, partitions, rules and the like.
MigrationFiles LargeSet(bool sqlite);

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_INTEGRATION_MIGRATION_SET_H_
