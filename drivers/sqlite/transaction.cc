// The steps of a client's transaction.
#include <sqlite3.h>

#include <utility>

#include "drivers/api/chain.h"
#include "drivers/api/error.h"
#include "drivers/api/only_read.h"
#include "drivers/sqlite/connection.h"
#include "drivers/sqlite_engine/error.h"
#include "drivers/sqlite_engine/memory.h"
#include "fmt/format.h"

namespace penstock::sqlite {
namespace {

using driver::MakeError;
using driver::MakeErrorWithHint;
using driver::Reason;

absl::Status AbortedError() {
  return MakeErrorWithHint(Reason::kTransactionAborted,
                           "an earlier failure made SQLite roll the transaction back",
                           "roll back, and run the transaction again from its beginning");
}

}  // namespace

absl::Status Connection::Begin(const driver::TransactionOptions& options) {
  const bool read_only = options.read_only || options.must_only_read;
  if (!read_only && lane_ == driver::Lane::kRead) {
    return absl::InternalError("a transaction that writes was begun on a connection that reads");
  }
  ForgetSession();
  // SQLite ignores it once the transaction has begun.
  if (options.foreign_keys.has_value()) SetForeignKeys(*options.foreign_keys);
  absl::Status status;
  {
    const Watch watch(executor(), options.deadline, options.cancellation);
    status = Control(read_only ? "BEGIN" : "BEGIN IMMEDIATE");
    // The snapshot is that of begin, not of the first statement.
    if (status.ok() && read_only) status = Control("SELECT 1 FROM sqlite_schema LIMIT 1");
  }
  if (status.ok() && options.must_only_read && lane_ == driver::Lane::kWrite) {
    status = SetQueryOnly(true);
    must_only_read_transaction_ = true;
  }
  if (!status.ok()) {
    Rollback().IgnoreError();
    return status;
  }
  in_transaction_ = true;
  session_->handle.policy->set_in_transaction(true);
  read_only_transaction_ = read_only;
  must_only_read_transaction_ = options.must_only_read;
  return absl::OkStatus();
}

void Connection::Run(driver::StatementRun& run) {
  Statement* statement = Start(&run);
  if (statement == nullptr) {
    NoteFailure(run);
    return;
  }
  const bool writes = !statement->read_only();
  if (transaction_aborted()) {
    run.status = AbortedError();
  } else if (writes && read_only_transaction_) {
    run.status = MakeErrorWithHint(Reason::kReadOnly, "the transaction is read-only",
                                   "begin it without read_only to write");
  } else if (run.rows.empty() && run.writer != nullptr && statement->returns_rows()) {
    ExecuteFirstBatch(&run, statement);
    if (MustOnlyRead(run)) run.status = driver::AsMayOnlyRead(run.status);
  } else {
    if (writes) run.status = BeginGuard();
    if (run.status.ok()) {
      Execute(&run, statement);
      if (writes) EndGuard(&run.status);
    }
  }
  NoteFailure(run);
}

absl::Status Connection::BeginGuard() { return Control("SAVEPOINT penstock_run"); }

void Connection::EndGuard(absl::Status* status) {
  if (rolled_back()) return;
  if (!status->ok()) Control("ROLLBACK TO penstock_run").IgnoreError();
  status->Update(Control("RELEASE penstock_run"));
}

absl::Status Connection::Commit() {
  absl::Status status = transaction_aborted()    ? AbortedError()
                        : read_only_transaction_ ? Control("COMMIT")
                                                 : ControlCommit();
  absl::Status ended = Rollback();
  return status.ok() ? ended : status;
}

absl::Status Connection::Rollback() {
  in_transaction_ = false;
  session_->handle.policy->set_in_transaction(false);
  read_only_transaction_ = false;
  absl::Status status = rolled_back() ? absl::OkStatus() : Control("ROLLBACK");
  if (std::exchange(must_only_read_transaction_, false) && lane_ == driver::Lane::kWrite) {
    // The next caller's statements are not to be refused.
    healthy_ = SetQueryOnly(false).ok() && healthy_;
  }
  RestoreSettings();
  return status;
}

// Set by the interface of C, which neither needs a statement nor can fail. The text of a PRAGMA
// takes effect when SQLite parses it, so that one that was prepared before would do nothing.
void Connection::SetForeignKeys(bool on) {
  sqlite3_db_config(db(), SQLITE_DBCONFIG_ENABLE_FKEY, on ? 1 : 0, nullptr);
}

// There is no such interface for this one, so that its text is parsed each time. No deadline of the
// caller's keeps it from that.
absl::Status Connection::SetQueryOnly(bool on) {
  const sqlite_engine::TrustedScope trusted(session_->handle.policy.get());
  const sqlite_engine::MemoryScope unlimited(nullptr, sqlite_engine::MemoryScope::kUnlimited);
  const char* const sql = on ? "PRAGMA query_only=on" : "PRAGMA query_only=off";
  return sqlite3_exec(db(), sql, nullptr, nullptr, nullptr) == SQLITE_OK
             ? absl::OkStatus()
             : sqlite_engine::LastError(db());
}

void Connection::RestoreSettings() {
  SetForeignKeys(options_.foreign_keys);
  sqlite3_db_config(db(), SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, 0, nullptr);
}

absl::Status Connection::ControlInTransaction(std::string_view sql) {
  return transaction_aborted() ? AbortedError() : Control(sql);
}

absl::Status Connection::Savepoint(std::string_view name) {
  return ControlInTransaction(fmt::format("SAVEPOINT \"{}\"", name));
}

absl::Status Connection::RollbackTo(std::string_view name) {
  return ControlInTransaction(fmt::format("ROLLBACK TO \"{}\"", name));
}

absl::Status Connection::Release(std::string_view name) {
  return ControlInTransaction(fmt::format("RELEASE \"{}\"", name));
}

bool Connection::transaction_aborted() const { return in_transaction_ && rolled_back(); }

}  // namespace penstock::sqlite
