// One SQLite connection: a reader, or the writer.
#ifndef PENSTOCK_DRIVERS_SQLITE_CONNECTION_H_
#define PENSTOCK_DRIVERS_SQLITE_CONNECTION_H_

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "drivers/sqlite/handle.h"
#include "drivers/sqlite/options.h"
#include "drivers/sqlite/statement.h"

namespace penstock::sqlite {

// See driver::Connection for the contract.
class Connection final : public driver::Connection {
 public:
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const Options& options,
                                                          driver::Lane lane);

  size_t RunBatch(std::span<driver::StatementRun* const> runs) override;
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
  bool transaction_aborted() const override;
  absl::Status Ping(const driver::Deadline& deadline) override;
  absl::Status Reset() override;
  bool healthy() const override { return true; }

 private:
  friend class Cursor;
  class Watch;
  using Runs = std::span<driver::StatementRun* const>;

  Connection(Handle handle, const Options& options, driver::Lane lane);

  size_t RunReads(Runs runs);
  size_t RunWrites(Runs runs);
  // Runs `runs` in one transaction. On return each has its final status.
  void RunGroup(Runs runs);
  // Each in a transaction of its own: when the group's could not be kept.
  void RunOneByOne(Runs runs);
  void RunInOwnTransaction(driver::StatementRun* run);
  void RunAlone(driver::StatementRun* run, Statement* statement);

  // Looks a run's statement up, and checks that the run may start at all.
  // Null: it may not, and its status says why.
  Statement* Start(driver::StatementRun* run);
  // Executes it to its end, within whatever transaction is open; with a
  // savepoint around it, so that a failure leaves no trace.
  void Execute(driver::StatementRun* run, Statement* statement);
  // Executes it up to the end of its first batch.
  void ExecuteFirstBatch(driver::StatementRun* run, Statement* statement);
  absl::Status ExecuteRows(driver::StatementRun* run, Statement* statement);
  // One pass from bound to done. With `max_bytes` of rows written: kLimitExceeded.
  absl::Status StepToEnd(driver::StatementRun* run, Statement* statement, size_t max_bytes);
  void CollectChanges(int64_t changes_before, driver::Summary* summary);

  // What has just failed, as the run's own deadline or cancellation if that is why.
  absl::Status Failure(std::string_view sql = {});
  absl::Status Control(std::string_view sql);

  static int OnProgress(void* self);
  static int OnBusy(void* self, int attempts);

  const driver::Lane lane_;
  const int busy_timeout_ms_;
  const bool read_only_file_;
  // The connection closes after its statements are gone.
  Handle handle_;
  StatementCache statements_;
  // The driver's own statements: BEGIN, COMMIT, SAVEPOINT, …
  StatementCache control_;
  bool in_transaction_ = false;
  bool read_only_transaction_ = false;
  // Of what runs now; null between statements and during a commit.
  const driver::Deadline* deadline_ = nullptr;
  const driver::Cancellation* cancellation_ = nullptr;
};

}  // namespace penstock::sqlite

#endif  // PENSTOCK_DRIVERS_SQLITE_CONNECTION_H_
