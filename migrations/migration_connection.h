// A connection as a migrator uses it.
#ifndef PENSTOCK_MIGRATIONS_MIGRATION_CONNECTION_H_
#define PENSTOCK_MIGRATIONS_MIGRATION_CONNECTION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/driver.h"

namespace penstock::migrations {

// One value of a result; what it holds depends on its kind.
struct Cell {
  driver::Kind kind = driver::Kind::kUnspecified;  // NULL
  int64_t integer = 0;                             // of a timestamp: microseconds since the epoch
  std::string text;
};
using Table = std::vector<std::vector<Cell>>;

// Makes another connection to the same database, which is the caller's. It outlives
// the connections it has made. Thread-safe.
using Connector = std::function<absl::StatusOr<std::unique_ptr<driver::Connection>>(
    const driver::Deadline& deadline)>;

// A connection that can write, and what holds for every statement on it. One
// thread at a time.
class MigrationConnection {
 public:
  // Both may be null, `driver_connection` until Use; otherwise they outlive their use.
  MigrationConnection(driver::Connection* driver_connection, driver::Cancellation* cancellation)
      : driver_connection_(driver_connection), cancellation_(cancellation) {}

  // Another connection from now on; outside a transaction only.
  void Use(driver::Connection* driver_connection) { driver_connection_ = driver_connection; }

  // Sets the limit of every statement from now on; zero: none. `until` ends them all.
  void SetLimits(driver::Duration statement_timeout, const driver::Deadline& until);

  // Set for a lock that needs a connection beside this one (CockroachDB's lease).
  void SetConnector(Connector connector) { connector_ = std::move(connector); }
  const Connector& connector() const { return connector_; }

  // Returns the driver's connection, for what only a dialect does with it; null until Use if there
  // was none at first.
  driver::Connection* driver_connection() { return driver_connection_; }
  driver::Cancellation* cancellation() { return cancellation_; }
  bool in_transaction() const { return in_transaction_; }

  // Runs one statement, in the transaction if one is open and committed by itself
  // if not.
  absl::Status Run(std::string_view sql, std::span<const driver::Value> args = {});
  // Returns the notices of the statements without parameters, which are those of steps, since it
  // was called last; as many as one summary has.
  driver::Summary TakeNotices() { return std::exchange(said_, {}); }
  // Likewise, with its rows.
  absl::StatusOr<Table> Query(std::string_view sql, std::span<const driver::Value> args = {});
  // Likewise, with the number of rows that it has changed.
  absl::StatusOr<int64_t> Change(std::string_view sql, std::span<const driver::Value> args = {});
  // Runs one statement in the open transaction and commits that. If the statement fails, the
  // transaction stays open.
  absl::Status RunAndCommit(std::string_view sql, std::span<const driver::Value> args);
  // Run a key-value operation, on a driver that has them: a kWrite, whose failed_condition says
  // whether it was done, and a kScan, of which the entries are returned.
  absl::Status Write(driver::KeyValueRun* operation);
  absl::StatusOr<Table> Scan(driver::KeyValueRun* operation);

  // `foreign_keys` as driver::TransactionOptions has it.
  absl::Status Begin(std::optional<bool> foreign_keys = std::nullopt);
  absl::Status Commit();
  // Does nothing without a transaction.
  void Rollback();
  driver::Deadline StatementDeadline() const;

  // While it lives, statements are neither cancelled nor ended by the limits, but
  // have a few seconds each: for records of what has happened.
  class Shield {
   public:
    explicit Shield(MigrationConnection* connection) : connection_(connection) {
      ++connection_->shields_;
    }
    ~Shield() { --connection_->shields_; }
    Shield(const Shield&) = delete;
    Shield& operator=(const Shield&) = delete;

   private:
    MigrationConnection* const connection_;
  };

 private:
  // Fills in what holds for every statement.
  void SetLimitsOf(driver::StatementRun* run) const;
  // Does so, and runs it to its end.
  absl::Status Execute(driver::StatementRun* run);
  void Keep(driver::Summary* summary);

  driver::Connection* driver_connection_;
  driver::Cancellation* const cancellation_;
  Connector connector_;
  driver::Duration statement_timeout_{};
  driver::Deadline until_;
  bool in_transaction_ = false;
  // Its notices only.
  driver::Summary said_;
  int shields_ = 0;
};

}  // namespace penstock::migrations

#endif  // PENSTOCK_MIGRATIONS_MIGRATION_CONNECTION_H_
