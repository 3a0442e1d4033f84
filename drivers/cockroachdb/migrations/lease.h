// A lock that is a lease: rows of a table beside the history, for a backend without
// locks that a session holds (CockroachDB).
#ifndef PENSTOCK_DRIVERS_COCKROACHDB_MIGRATIONS_LEASE_H_
#define PENSTOCK_DRIVERS_COCKROACHDB_MIGRATIONS_LEASE_H_

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "migrations/migration_connection.h"

namespace penstock::migrations {

// The table has two rows. Row 1 says who holds the lock: `owner`, a word of chance,
// and `fence`, which grows with each holder. Only a new holder changes it, so that it
// can be part of the condition of every write to the history, in a long transaction
// too. Row 2 says the same and until when (`expires_at`, by the database's clock); its
// holder's heartbeat moves that on.
//
// The heartbeat has a thread and a connection of its own, since the migrator's may be
// busy with one statement for an hour, and whatever else could do it (the pool, the
// executor) may be busy with something else. A lease that could not be extended in
// time is given up by this clock before it ends by the database's, and the migrator's
// statement is cancelled.
//
// One thread at a time, but for Check, which is thread-safe.
class Lease {
 public:
  explicit Lease(driver::Duration length) : length_(length) {}
  // Ends the heartbeat; the lease then ends by itself.
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  // Takes the lease if nobody has it; `table` is the qualified name, and the table is
  // made if it is not there. The connection outlives the lease, and has a connector.
  absl::StatusOr<bool> TryTake(MigrationConnection* connection, const std::string& table,
                               bool table_exists);

  // kMigrationLocked: it is lost, or may be. Never blocks.
  absl::Status Check() const;

  // Returns a condition for a statement's WHERE that is true only while the lease is held. `held`
  // stands for the table in it: "held.id = 1 AND …".
  std::string Condition() const;
  const std::string& table() const { return table_; }

  // Gives it back: by the migrator's connection, the heartbeat's or, if neither is left, a new one.
  absl::Status Release(MigrationConnection* connection);

 private:
  void Keep();
  void Extend();
  void Lose(std::string_view why);
  void StopHeartbeat();

  const driver::Duration length_;
  std::string table_;
  std::string owner_;
  int64_t fence_ = 0;

  // Used by the heartbeat's thread, and after its end by the owner of the lease.
  Connector connector_;
  std::unique_ptr<driver::Connection> connection_;
  driver::Cancellation* migrator_cancellation_ = nullptr;
  driver::Cancellation stop_;
  std::thread thread_;

  mutable std::mutex mutex_;
  std::condition_variable ending_changed_;
  bool ending_ = false;
  driver::TimePoint held_until_;
  absl::Status lost_;
};

}  // namespace penstock::migrations

#endif  // PENSTOCK_DRIVERS_COCKROACHDB_MIGRATIONS_LEASE_H_
