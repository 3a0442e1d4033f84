// One session: an open transaction, if any, on the shared store.
#ifndef PENSTOCK_DRIVERS_PEBBLE_CONNECTION_H_
#define PENSTOCK_DRIVERS_PEBBLE_CONNECTION_H_

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "drivers/pebble/operations.h"
#include "drivers/pebble/store.h"
#include "rocksdb/utilities/transaction.h"

namespace penstock::pebble {

// See driver::Connection for the contract. batch.cc has RunBatch, transaction.cc
// what belongs to a client's transaction.
class Connection final : public driver::Connection {
 public:
  // The store outlives the connection.
  Connection(Store* store, driver::Lane lane) : store_(store), lane_(lane) {}

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

  // Whether the run may start; if not, its status says why.
  static bool Start(driver::StatementRun* run);
  static void NoteFailure(const driver::StatementRun& run);
  // Outside a transaction.
  void Read(driver::StatementRun* run) const;

  size_t RunReads(Runs runs);
  size_t RunWrites(Runs runs);
  // Into the group's transaction. False: it has to wait for a lock, and was undone.
  bool WriteInGroup(rocksdb::Transaction* group, driver::StatementRun* run) const;
  void CommitGroup(rocksdb::Transaction* group, Runs runs) const;
  // In a transaction of its own, waiting for locks.
  void WriteAlone(driver::StatementRun* run);
  // Begins, or begins again, a transaction that takes the newest data for its own, for
  // the writes among `runs`.
  rocksdb::Transaction* StartOwn(std::chrono::milliseconds lock_timeout, Runs runs);
  // Write with what it did undone if it fails.
  static void WriteGuarded(const View& view, driver::StatementRun* run);

  // The place of a savepoint in the stack, or an error.
  absl::StatusOr<size_t> FindSavepoint(std::string_view name) const;

  Store* const store_;
  const driver::Lane lane_;
  // Of operations outside the client's transaction; kept for its memory.
  std::unique_ptr<rocksdb::Transaction> own_;
  // The client's.
  std::unique_ptr<rocksdb::Transaction> transaction_;
  bool read_only_ = false;
  std::vector<std::string> savepoints_;
};

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_CONNECTION_H_
