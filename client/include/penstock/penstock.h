// Everything a program needs to use a Penstock daemon:
//
//   auto db = penstock::New({.target = "unix:/run/penstock/penstock.sock"});
//   penstock::Context ctx;
//   auto rows = (*db)->Query(ctx, "SELECT id, name FROM users WHERE age > $1", 18);
//
// Read provider.h first. value.h says what can be a parameter, scan.h what a row can be scanned
// into, async.h how calls are made without blocking, errors.h what a failure tells, and
// run_in_transaction.h how to repeat a transaction that the database has aborted. The query builder
// has a header of its own, sql.h.
#ifndef PENSTOCK_PENSTOCK_H_
#define PENSTOCK_PENSTOCK_H_

#include "penstock/async.h"               // IWYU pragma: export
#include "penstock/config.h"              // IWYU pragma: export
#include "penstock/context.h"             // IWYU pragma: export
#include "penstock/errors.h"              // IWYU pragma: export
#include "penstock/key_value.h"           // IWYU pragma: export
#include "penstock/migrate.h"             // IWYU pragma: export
#include "penstock/provider.h"            // IWYU pragma: export
#include "penstock/read.h"                // IWYU pragma: export
#include "penstock/rows.h"                // IWYU pragma: export
#include "penstock/run_in_transaction.h"  // IWYU pragma: export
#include "penstock/scan.h"                // IWYU pragma: export
#include "penstock/types.h"               // IWYU pragma: export
#include "penstock/value.h"               // IWYU pragma: export

#endif  // PENSTOCK_PENSTOCK_H_
