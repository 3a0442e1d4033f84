// CockroachDB behind the driver interface: PostgreSQL's driver, told what is
// different. The only header of this folder that others include.
#ifndef PENSTOCK_DRIVERS_COCKROACHDB_COCKROACHDB_DRIVER_H_
#define PENSTOCK_DRIVERS_COCKROACHDB_COCKROACHDB_DRIVER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/config.h"
#include "drivers/api/driver.h"

namespace penstock::cockroachdb {

// A database of a CockroachDB cluster, 22.1 or later: an earlier one commits a
// statement before the segment that it is part of has ended, so that `rows` would
// not be all or none. Configured as postgres is, options included; a server that
// does not report itself as a CockroachDB is refused at connect.
//
// What differs from postgres (docs/drivers.md says why):
//   - capabilities: `staleness`, and no `transactional_ddl`;
//   - a session that may have been changed is cleaned by DISCARD ALL, since the
//     parts of it that postgres uses are not all there (advisory locks, LISTEN);
//   - the savepoint cockroach_restart means what CockroachDB's documents say: its
//     release is the commit, and one whose answer is lost is kCommitOutcomeUnknown.
//
// Statements that share a round trip each end with a Sync of their own, as on
// postgres: none becomes part of another's implicit transaction.
absl::StatusOr<std::unique_ptr<driver::Driver>> Open(const driver::Config& config);

// What is wrong with a configuration, as Open would say, without opening anything.
absl::Status Check(const driver::Config& config);

}  // namespace penstock::cockroachdb

#endif  // PENSTOCK_DRIVERS_COCKROACHDB_COCKROACHDB_DRIVER_H_
