// CockroachDB behind the driver interface: PostgreSQL's driver, told what is
// different. The only header of this folder that others include.
#ifndef PENSTOCK_DRIVERS_COCKROACHDB_COCKROACHDB_DRIVER_H_
#define PENSTOCK_DRIVERS_COCKROACHDB_COCKROACHDB_DRIVER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/config.h"
#include "drivers/api/driver.h"
#include "drivers/api/spec.h"

namespace penstock::cockroachdb {

// A database of a CockroachDB cluster, v23.1.3 or later: an older server, one that does not
// report itself as a CockroachDB and a database that does not exist are refused at connect.
// Configured as postgres is, options included.
//
// It differs from postgres in this (docs/drivers.md and docs/cockroachdb.md say why):
//   - capabilities: `staleness`, no `transactional_ddl`, and `read_committed` as the server says;
//   - in a transaction a schema change is kUnsupported, as it would commit what is before it;
//   - a connection is not healthy any more after a cancel, which may come late (in a
//     transaction from its end on); what a cancel
//     that was meant for another has ended runs again, or is kSerializationFailure in a
//     transaction;
//   - a session that may have been changed is cleaned by DISCARD ALL, since the
//     parts of it that postgres uses are not all there (advisory locks, LISTEN);
//   - the savepoint cockroach_restart means what CockroachDB's documents say: its
//     release is the commit, and one whose answer is lost is kCommitOutcomeUnknown.
//
// Statements that share a round trip each end with a Sync of their own, as on
// postgres: none becomes part of another's implicit transaction.
absl::StatusOr<std::unique_ptr<driver::Driver>> Open(const driver::Config& config);

// Returns what is wrong with a configuration, as Open would say, without opening anything.
absl::Status Check(const driver::Config& config);

// The names and the options of the driver.
const driver::DriverSpec& Spec();
driver::MakeMigrations MakeMigrations;

}  // namespace penstock::cockroachdb

#endif  // PENSTOCK_DRIVERS_COCKROACHDB_COCKROACHDB_DRIVER_H_
