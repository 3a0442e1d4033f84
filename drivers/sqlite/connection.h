// One SQLite connection: a reader, or the writer.
#ifndef PENSTOCK_DRIVERS_SQLITE_CONNECTION_H_
#define PENSTOCK_DRIVERS_SQLITE_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "drivers/api/kept_files.h"
#include "drivers/sqlite/handle.h"
#include "drivers/sqlite/options.h"
#include "drivers/sqlite_engine/statement.h"
#include "drivers/sqlite_engine/statement_executor.h"

namespace penstock::sqlite {

using sqlite_engine::Statement;

// See driver::Connection for the contract. batch.cc has RunBatch, transaction.cc
// what belongs to a client's transaction, connection.cc what both are made of.
class Connection final : public driver::Connection {
 public:
  // `options` and `files` outlive the connection. kIo: the files are not those that the
  // driver has opened.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const Options& options,
                                                          driver::KeptFiles* files,
                                                          driver::Lane lane,
                                                          const driver::Deadline& deadline);

  size_t Together(std::span<driver::StatementRun* const> runs) override;
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
  // last_insert_rowid() is what a statement may leave to the next.
  void KeepSession(bool keep) override;
  bool healthy() const override { return healthy_; }

 private:
  friend class Cursor;
  using Watch = sqlite_engine::StatementExecutor::Watch;
  using Runs = std::span<driver::StatementRun* const>;

  // The caches go before the database that their statements belong to.
  struct SqliteSession {
    SqliteSession(Handle opened, const Options& options);

    Handle handle;
    sqlite_engine::StatementExecutor executor;
    sqlite_engine::StatementCache statements;
    // The driver's own: BEGIN, COMMIT, SAVEPOINT, …
    sqlite_engine::StatementCache control;
  };

  // Tells what became of a statement that took its turn in a group.
  enum class Turn : uint8_t {
    kTaken,
    // It was not run: it must not share the group's transaction.
    kRunsAlone,
    // Its failure has made SQLite roll the whole group back.
    kRolledBack,
  };

  Connection(const Options& options, driver::KeptFiles* files, driver::Lane lane)
      : options_(options), files_(files), lane_(lane) {}

  absl::Status OpenSession(const driver::Deadline& deadline);
  sqlite3* db() const { return session_->handle.db.get(); }
  sqlite_engine::StatementExecutor* executor() const { return &session_->executor; }
  bool rolled_back() const;

  size_t RunReads(Runs runs);
  // Remembers whether the statements that were run are brisk.
  void NoteTime(Runs runs, driver::Duration took);
  size_t RunWrites(Runs runs);
  // Runs statements from the front of `runs` in one transaction. Returns how
  // many; on return each of them has its final status.
  size_t RunGroup(Runs runs);
  Turn RunInGroup(driver::StatementRun* run);
  // Fails a run that leaves a foreign key violated whose check is deferred.
  void CheckDeferred(absl::Status* status);
  void CommitGroup(Runs group);
  void FailGroup(Runs group, const absl::Status& why);
  // Takes back what the failures in the group have done to their chains.
  void UnmarkChains();
  // In a transaction of its own.
  void RunByItself(driver::StatementRun* run);
  // Outside a transaction of the driver's.
  void RunAlone(driver::StatementRun* run, Statement* statement);

  // Forgets what one caller's statements leave to the next, unless it is to be kept.
  void ForgetSession();
  // Makes SQLite look whether the schema is still the one that it knows. True: it was
  // not, and now it is.
  bool RefreshSchema();
  // The statement of this text. An error is one by the schema as it is now.
  absl::StatusOr<Statement*> Prepare(std::string_view sql);
  // Looks a run's statement up, and checks that the run may start at all.
  // Null: it may not, and its status says why.
  Statement* Start(driver::StatementRun* run);
  // Whether the caller may only read; in a transaction that is the transaction's.
  bool MustOnlyRead(const driver::StatementRun& run) const {
    return in_transaction_ ? must_only_read_transaction_ : run.must_only_read;
  }
  // Executes it to its end within whatever transaction is open.
  void Execute(driver::StatementRun* run, Statement* statement);
  // Makes SQLite refuse to write, or not, on a connection that may otherwise write. An error: it
  // is as it was.
  absl::Status SetQueryOnly(bool on);
  // Executes it up to the end of its first batch, and leaves the rest to a
  // cursor. In a transaction, what writes is guarded by a savepoint.
  void ExecuteFirstBatch(driver::StatementRun* run, Statement* statement);
  // Ends what ExecuteFirstBatch began: resets the statement, and keeps or undoes
  // what it did.
  void FinishFirstBatch(Statement* statement, int64_t changes_before, absl::Status* status,
                        driver::Summary* summary);

  // The savepoint around one statement. End undoes what was done if `status` is
  // an error; it is not interrupted.
  absl::Status BeginGuard();
  void EndGuard(absl::Status* status);

  // What holds for one transaction: whether foreign keys do, and what a client may set
  // in it. RestoreSettings cannot fail, and does nothing where nothing was set.
  void SetForeignKeys(bool on);
  void RestoreSettings();

  // Runs a statement of the driver's own.
  absl::Status Control(std::string_view sql);
  // COMMIT, if the files are where they were, of what may have written.
  absl::Status ControlCommit();
  absl::Status ControlInTransaction(std::string_view sql);

  static int OnBusy(void* self, int attempts);
  bool MayWaitLonger(int attempts);

  const Options& options_;
  driver::KeptFiles* const files_;
  const driver::Lane lane_;
  std::unique_ptr<SqliteSession> session_;
  bool healthy_ = true;
  // A statement has left temporary objects or an attached database behind.
  bool session_changed_ = false;
  bool keep_session_ = false;
  bool in_transaction_ = false;
  bool read_only_transaction_ = false;
  // See TransactionOptions::must_only_read.
  bool must_only_read_transaction_ = false;

  // When the wait for a lock began.
  driver::TimePoint busy_since_;

  // These belong to the group that runs now; members so that their memory is used again.
  std::vector<driver::StatementRun*> group_;
  std::vector<driver::Chain*> failed_chains_;
};

}  // namespace penstock::sqlite

#endif  // PENSTOCK_DRIVERS_SQLITE_CONNECTION_H_
