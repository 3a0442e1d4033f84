// One session: an open transaction, if any, on the shared store.
#ifndef PENSTOCK_DRIVERS_PEBBLE_CONNECTION_H_
#define PENSTOCK_DRIVERS_PEBBLE_CONNECTION_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "drivers/pebble/operations.h"
#include "drivers/pebble/sql_session.h"
#include "drivers/pebble/store.h"
#include "drivers/sqlite_engine/statement.h"
#include "rocksdb/utilities/transaction.h"

namespace penstock::pebble {

// See driver::Connection for the contract. batch.cc has RunBatch, transaction.cc
// what belongs to a client's transaction, sql.cc what is done for statements of SQL.
class Connection final : public driver::Connection {
 public:
  // The store outlives the connection.
  Connection(Store* store, driver::Lane lane);
  ~Connection() override;

  size_t RunBatch(std::span<driver::StatementRun* const> runs) override;
  size_t Together(std::span<driver::StatementRun* const> runs) override;
  void Run(driver::StatementRun& run) override;
  absl::StatusOr<driver::StatementInfo> Describe(std::string_view sql,
                                                 const driver::Deadline& deadline,
                                                 driver::Cancellation* cancellation) override;
  absl::Status Begin(const driver::TransactionOptions& options) override;
  absl::Status Commit() override;
  absl::Status Rollback() override;
  absl::Status Savepoint(std::string_view name) override;
  absl::Status RollbackTo(std::string_view name) override;
  absl::Status Release(std::string_view name) override;
  // A failure undoes the one operation only.
  bool transaction_aborted() const override { return false; }
  absl::Status Ping(const driver::Deadline& deadline) override;
  absl::Status Reset() override { return Rollback(); }
  bool healthy() const override { return true; }

 private:
  using Runs = std::span<driver::StatementRun* const>;

  // Whether the caller may only read; in a transaction that is the transaction's.
  bool MustOnlyRead(const driver::StatementRun& run) const {
    return transaction_ != nullptr ? must_only_read_ : run.must_only_read;
  }
  // Whether the run may start; if not, its status says why.
  bool Start(driver::StatementRun* run) const;
  // Outside a transaction: a key-value operation.
  void Read(driver::StatementRun* run) const;

  size_t RunReads(Runs runs);
  // A statement that writes is for the other lane.
  void ReadSqlOrLeaveIt(driver::StatementRun* run);
  size_t RunWrites(Runs runs);
  // Into the group's transaction. False: it has to wait for a lock, and was undone. A write
  // that deletes a range closes the gate, up to the commit.
  bool WriteInGroup(rocksdb::Transaction* group, driver::StatementRun* run,
                    std::optional<CommitGate::Closed>* closed);
  // Commits, and tells the runs if that fails. Others may be kept from it: CommitGroup
  // waits for its turn, CommitNow has it.
  void CommitGroup(rocksdb::Transaction* group, Runs runs) const;
  void CommitNow(rocksdb::Transaction* group, Runs runs) const;
  // Runs what must not share a group, or has to wait for a lock.
  void RunAlone(driver::StatementRun* run);
  // In a transaction of its own, waiting for locks.
  void WriteAlone(driver::StatementRun* run);
  // The same for one attempt of a write that deletes a range. On failure the caller rolls
  // back.
  void WriteRange(rocksdb::Transaction* own, driver::StatementRun* run, driver::TimePoint give_up);
  // Begins, or begins again, a transaction that takes the newest data for its own, for
  // the writes among `runs`.
  rocksdb::Transaction* StartOwn(std::chrono::milliseconds lock_timeout, Runs runs);
  // A key-value write, or `statement` if it is not null, with what it did undone if
  // it fails.
  void WriteGuarded(const View& view, driver::StatementRun* run,
                    sqlite_engine::Statement* statement);

  // Whether a statement of SQL that reads has proved to end soon.
  bool IsBrisk(const driver::StatementRun& run) const;
  // Opens the session of SQL at its first use.
  absl::StatusOr<sqlite_engine::Statement*> Prepare(std::string_view sql,
                                                    const driver::Deadline& deadline,
                                                    const driver::Cancellation* cancellation);
  // Null: the run's status says why it cannot be run.
  sqlite_engine::Statement* Prepare(driver::StatementRun* run);
  // A statement that only reads: its first batch, with a cursor if there is more.
  // No transaction: what is committed.
  void ReadSql(rocksdb::Transaction* transaction, driver::StatementRun* run,
               sqlite_engine::Statement* statement);
  void ReadFirstBatch(std::unique_ptr<StatementScope>* scope, driver::StatementRun* run,
                      sqlite_engine::Statement* statement);
  // One that writes; the caller guards it.
  void WriteSql(rocksdb::Transaction* transaction, driver::StatementRun* run,
                sqlite_engine::Statement* statement);
  void RunSqlInTransaction(driver::StatementRun* run);
  static absl::Status ReadOnlyError();

  // The place of a savepoint in the stack, or an error.
  absl::StatusOr<size_t> FindSavepoint(std::string_view name) const;

  Store* const store_;
  const driver::Lane lane_;
  // Serves operations outside the client's transaction; kept for its memory.
  std::unique_ptr<rocksdb::Transaction> own_;
  // The client's.
  std::unique_ptr<rocksdb::Transaction> transaction_;
  bool read_only_ = false;
  // See TransactionOptions::must_only_read.
  bool must_only_read_ = false;
  std::vector<std::string> savepoints_;
  // Null: no statement of SQL has been run yet.
  std::unique_ptr<SqlSession> sql_;
};

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_CONNECTION_H_
