// A driver's connection with key-value operations in front.
#ifndef PENSTOCK_DRIVERS_SQL_KEY_VALUE_CONNECTION_H_
#define PENSTOCK_DRIVERS_SQL_KEY_VALUE_CONNECTION_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "drivers/api/key_value_dialect.h"

namespace penstock::sql_key_value {

// See driver::Connection for the contract. What is SQL goes to the driver as it
// is. connection.cc has what is one statement, write.cc and
// conditions.cc what takes several, locks.cc and isolation.cc how they are kept apart
// from others.
class Connection final : public driver::Connection {
 public:
  // `driver`, which outlives it, has made `inner`. `reads_only`: of a driver with split lanes,
  // one that only reads.
  Connection(driver::Driver* driver, std::unique_ptr<driver::Connection> inner,
             const driver::KeyValueDialect& dialect, bool reads_only)
      : driver_(driver), inner_(std::move(inner)), dialect_(dialect), reads_only_(reads_only) {}

  size_t RunBatch(std::span<driver::StatementRun* const> runs) override;
  size_t Together(std::span<driver::StatementRun* const> runs) override;
  void Run(driver::StatementRun& run) override;
  absl::StatusOr<driver::StatementInfo> Describe(std::string_view sql,
                                                 const driver::Deadline& deadline,
                                                 driver::Cancellation* cancellation) override;
  absl::Status Begin(const driver::TransactionOptions& options) override;
  absl::Status Commit() override { return inner_->Commit(); }
  absl::Status RunAndCommit(driver::StatementRun& run) override {
    const bool sql = run.key_value == nullptr;
    return sql ? inner_->RunAndCommit(run) : driver::Connection::RunAndCommit(run);
  }
  absl::Status Rollback() override { return inner_->Rollback(); }
  absl::Status Savepoint(std::string_view name) override { return inner_->Savepoint(name); }
  absl::Status RollbackTo(std::string_view name) override;
  absl::Status Release(std::string_view name) override { return inner_->Release(name); }
  bool transaction_aborted() const override { return inner_->transaction_aborted(); }
  absl::Status Ping(const driver::Deadline& deadline) override { return inner_->Ping(deadline); }
  absl::Status Reset() override;
  bool Alive() override { return inner_->Alive(); }
  void KeepSession(bool keep) override;
  bool healthy() const override { return inner_->healthy(); }

 private:
  using Runs = std::span<driver::StatementRun* const>;
  using Keys = std::set<std::string, std::less<>>;
  enum class Outcome : uint8_t { kDone, kConditionFailed, kNoTable };

  // How many, from the front, are statements of the driver's or have been made
  // one each, and may share a batch.
  size_t PlanTogether(Runs runs) const;
  // Tells what the driver's answer to a planned operation means. `last`: nothing of the
  // batch comes after it, so that it may leave a cursor.
  void Settle(driver::StatementRun* run, bool last);
  // Runs it again that met others and was undone by the backend.
  void RunAgainAfterConflict(driver::StatementRun* run);
  // The operation is done as there is nothing in its keyspace: a read, or a write
  // that only deletes or whose conditions do not hold. False: it has to write.
  bool DoneOnNothing(driver::StatementRun* run) const;
  absl::Status CheckLengths(const driver::KeyValueRun& operation) const;
  // Fails if the operation writes and its caller may only read; `must_only_read` is of the run, or
  // of the transaction that it is in. Otherwise returns CheckLengths.
  absl::Status Check(const driver::KeyValueRun& operation, bool must_only_read) const;

  // --- isolation.cc
  // Makes single statements serializable, if the session may have them otherwise. It
  // stays so until Unpin.
  absl::Status Pin(const driver::StatementRun& run);
  absl::StatusOr<bool> IsSerializable(const driver::StatementRun& run);
  // Before anybody else's statement is run: gives the session back what it had.
  absl::Status Unpin();

  // A statement of our own, with the limits of the run that it is for. Outside a
  // transaction, or inside.
  driver::StatementRun Own(const driver::StatementRun& run, std::string_view sql) const;
  absl::Status RunAlone(driver::StatementRun* statement);
  absl::Status CreateTable(const driver::StatementRun& run, bool in_transaction);
  // The same on a connection of its own, where the backend's transactions cannot do it.
  absl::Status CreateTableBeside(const driver::StatementRun& run, const std::string& sql);
  // Inside a transaction, where a missing table must not be found out by an error.
  absl::StatusOr<bool> TableExists(const driver::StatementRun& run);
  absl::StatusOr<bool> TryTable(const driver::StatementRun& run, const std::string& name);

  // A write that takes several statements, as a transaction.
  void Write(driver::StatementRun* run);
  // `patience`: how long the table's lock is waited for, if the write takes it.
  absl::StatusOr<Outcome> TryWrite(driver::StatementRun* run, std::chrono::milliseconds patience);
  // The same inside the client's.
  void WriteInTransaction(driver::StatementRun* run);
  // Does the work within either; the caller undoes it unless the outcome is kDone. Sets
  // failed_condition.
  absl::StatusOr<Outcome> Apply(driver::StatementRun* run, bool lock_keys);
  // `placeholders`: of keys that are locked; null: they are not.
  absl::StatusOr<bool> ConditionsHold(driver::StatementRun* run, const Keys* placeholders);
  class Entries;
  // Those that the conditions ask for.
  absl::Status ReadEntries(const driver::StatementRun& run,
                           std::span<const driver::KeyCondition> conditions,
                           const Keys* placeholders, Entries* entries);
  absl::Status MutateAll(driver::StatementRun* run);
  absl::Status Mutate(const driver::StatementRun& run,
                      std::span<const driver::KeyMutation> mutations);
  absl::Status ApplyRows(const driver::StatementRun& run, std::string_view sql,
                         std::span<const std::vector<driver::Value>> rows);

  // Locks the keys of the conditions and mutations until the end of the transaction,
  // in their order. `placeholders` are those that were not there, and have an entry now.
  absl::Status LockKeys(const driver::StatementRun& run, Keys* placeholders);
  // Removes those that the write has not put.
  absl::Status RemovePlaceholders(const driver::StatementRun& run, Keys placeholders);
  // Keeps everybody else from writing to the keyspace until the end of the transaction.
  // kBusy: it took longer than `patience`.
  absl::Status LockTable(const driver::StatementRun& run, std::chrono::milliseconds patience);
  // Lets others go on for so long. An error: the run is to end.
  absl::Status Pause(const driver::StatementRun& run, std::chrono::milliseconds time);

  driver::Driver* const driver_;
  const std::unique_ptr<driver::Connection> inner_;
  const driver::KeyValueDialect& dialect_;
  const bool reads_only_;
  // True if single statements are serializable without Pin; not known before the first operation.
  std::optional<bool> serializable_;
  bool pinned_ = false;
  bool keep_session_ = false;
  // Of the open transaction, see TransactionOptions::must_only_read.
  bool must_only_read_ = false;
  // Keyspaces whose table the open transaction has seen.
  Keys seen_;
};

// The statement names a table that is not there.
bool IsNoTable(const absl::Status& status);
// The backend has undone what it could not serialize with others.
bool IsConflict(const absl::Status& status);
// It need not end yet.
bool HasTime(const driver::StatementRun& run);
// How often something is run that met others. Each time one of these was done.
inline constexpr int kMaxAttempts = 20;

}  // namespace penstock::sql_key_value

#endif  // PENSTOCK_DRIVERS_SQL_KEY_VALUE_CONNECTION_H_
