#include "drivers/sqlite/connection.h"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "drivers/api/chain.h"
#include "drivers/api/error.h"
#include "drivers/api/only_read.h"
#include "drivers/sqlite/cursor.h"
#include "drivers/sqlite_engine/functions.h"

namespace penstock::sqlite {
namespace {

using driver::StatementRun;
using std::chrono::steady_clock;

// The driver's own statements, names of savepoints among them.
constexpr size_t kControlStatements = 16;

constexpr std::string_view kLookAtSchema = "SELECT 1 FROM sqlite_schema LIMIT 1";

// The schema may change again while a statement is prepared, but not for ever.
constexpr int kMaxRefreshes = 10;

}  // namespace

Connection::SqliteSession::SqliteSession(Handle opened, const Options& options)
    : handle(std::move(opened)),
      executor(handle.db.get(), handle.policy.get()),
      statements(handle.db.get(), handle.policy.get(), options.statement_cache_size),
      control(handle.db.get(), handle.policy.get(), kControlStatements) {}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const Options& options,
                                                             driver::KeptFiles* files,
                                                             driver::Lane lane,
                                                             const driver::Deadline& deadline) {
  std::unique_ptr<Connection> connection(new Connection(options, files, lane));
  absl::Status opened = connection->OpenSession(deadline);
  if (!opened.ok()) return opened;
  return connection;
}

absl::Status Connection::OpenSession(const driver::Deadline& deadline) {
  healthy_ = false;
  // Or it would see another database than the other connections do.
  absl::Status same = files_->Check();
  if (!same.ok()) return same;
  absl::StatusOr<Handle> handle = OpenHandle(options_, lane_, deadline);
  if (handle.ok()) same = files_->Check();
  if (!same.ok()) return same;
  healthy_ = handle.ok();
  if (!handle.ok()) return handle.status();
  session_ = std::make_unique<SqliteSession>(*std::move(handle), options_);
  session_changed_ = false;
  const std::optional<sqlite_engine::BytesInPatterns> patterns =
      options_.interruptible_like ? std::optional(sqlite_engine::BytesInPatterns::kAsSqlite)
                                  : std::nullopt;
  absl::Status registered = executor()->RegisterFunctions(patterns);
  if (!registered.ok()) return registered;
  sqlite3_busy_handler(db(), &Connection::OnBusy, this);
  return absl::OkStatus();
}

bool Connection::rolled_back() const { return sqlite3_get_autocommit(db()) != 0; }

int Connection::OnBusy(void* self, int attempts) {
  auto* connection = static_cast<Connection*>(self);
  if (connection->executor()->interrupted() || !connection->MayWaitLonger(attempts)) return 0;
  // Inside SQLite there is nothing to wait on: the lock may be another
  // process's. 0.1, 0.2, … up to 6.4 ms.
  std::this_thread::sleep_for(std::chrono::microseconds(100) * (1 << std::min(attempts, 6)));
  return 1;
}

bool Connection::MayWaitLonger(int attempts) {
  const driver::TimePoint now = steady_clock::now();
  if (attempts == 0) busy_since_ = now;
  // In a memory database the lock is another connection's, which gives it up.
  const driver::Deadline* deadline = executor()->deadline();
  const bool has_deadline = deadline != nullptr && deadline->at != driver::TimePoint::max();
  if (options_.in_memory && has_deadline) return true;
  return now - busy_since_ < std::chrono::milliseconds(options_.busy_timeout_ms);
}

absl::Status Connection::Control(std::string_view sql) {
  // The watch is for the step, too: after a change of the schema SQLite prepares anew there.
  const sqlite_engine::TrustedScope trusted(session_->handle.policy.get());
  absl::StatusOr<Statement*> statement = session_->control.Get(sql);
  if (!statement.ok()) return statement.status();
  const int code = sqlite3_step((*statement)->handle());
  absl::Status status =
      code == SQLITE_DONE || code == SQLITE_ROW ? absl::OkStatus() : executor()->Failure();
  sqlite3_reset((*statement)->handle());
  return status;
}

absl::Status Connection::ControlCommit() {
  absl::Status status = files_->CheckBefore();
  if (status.ok()) status = Control("COMMIT");
  return status.ok() ? files_->CheckAfter() : status;
}

bool Connection::RefreshSchema() {
  absl::StatusOr<Statement*> look = session_->control.Get(kLookAtSchema);
  if (!look.ok()) return false;
  const auto times_prepared = [&look] {
    return sqlite3_stmt_status((*look)->handle(), SQLITE_STMTSTATUS_REPREPARE, 0);
  };
  const int before = times_prepared();
  // SQLite compares the schema that it knows with the file's when a statement begins, and
  // prepares it anew if they differ.
  const bool looked = Control(kLookAtSchema).ok();
  const bool changed = looked && times_prepared() != before;
  // Cached statements would be prepared anew as well, but only when they are run.
  if (changed) session_->statements.Clear();
  return changed;
}

absl::StatusOr<Statement*> Connection::Prepare(std::string_view sql) {
  absl::StatusOr<Statement*> statement = session_->statements.Get(sql);
  // SQLite prepares against the schema as this connection saw it last. By the one that
  // there is now the statement may be right, or wrong in another way.
  for (int i = 0; i < kMaxRefreshes && !statement.ok() && RefreshSchema(); ++i) {
    statement = session_->statements.Get(sql);
  }
  return statement;
}

Statement* Connection::Start(StatementRun* run) {
  if (!driver::MayStart(run)) return nullptr;
  if (run->cancellation != nullptr && run->cancellation->cancelled()) {
    run->status = run->cancellation->status();
  } else if (run->deadline.at != driver::TimePoint::max() &&
             run->deadline.passed(steady_clock::now())) {
    run->status = run->deadline.Error();
  } else {
    const Watch watch(executor(), run->deadline, run->cancellation);
    absl::StatusOr<Statement*> statement = Prepare(run->sql);
    if (statement.ok()) {
      const bool shared = !in_transaction_ && !keep_session_;
      run->read_only = (*statement)->read_only();
      if (!run->read_only && MustOnlyRead(*run)) {
        run->status = driver::MayOnlyRead();
        return nullptr;
      }
      if (!shared || !(*statement)->reads_counters()) return *statement;
      run->status = sqlite_engine::CounterError();
      return nullptr;
    }
    // SQLite does not tell here that it has waited for a lock in vain.
    run->status = executor()->Interruption();
    run->status.Update(statement.status());
  }
  return nullptr;
}

void Connection::Execute(StatementRun* run, Statement* statement) {
  const bool only_reads = MustOnlyRead(*run);
  // A statement that only reads by its own account may have something written all the same:
  // SELECT optimize(…) of a full-text table, PRAGMA optimize. A connection that reads, and a
  // transaction of a caller who may only read, refuse that for all of their time.
  const bool guarded = only_reads && lane_ == driver::Lane::kWrite && !in_transaction_;
  if (guarded) {
    run->status = SetQueryOnly(true);
    if (!run->status.ok()) return;
  }
  executor()->Execute(run, statement);
  // Nobody else's statements are to be refused.
  if (guarded && !SetQueryOnly(false).ok()) healthy_ = false;
  if (only_reads) run->status = driver::AsMayOnlyRead(run->status);
  if (statement->changes_session()) session_changed_ = true;
}

void Connection::ExecuteFirstBatch(StatementRun* run, Statement* statement) {
  if (!statement->read_only()) {
    run->status = BeginGuard();
    if (!run->status.ok()) return;
  }
  const int64_t before = executor()->CountChanges();
  {
    const Watch watch(executor(), run->deadline, run->cancellation);
    // The arguments may be gone before a cursor is.
    run->status = statement->Bind(run->args, run->writer == nullptr ? sqlite_engine::Bytes::kBorrow
                                                                    : sqlite_engine::Bytes::kCopy);
    if (run->status.ok()) {
      const absl::StatusOr<bool> more =
          executor()->StepFirst(statement, run->limits, run->writer, &run->summary);
      if (more.ok() && *more) {
        run->cursor = std::make_unique<Cursor>(this, statement, *run, before);
        return;
      }
      run->status = more.status();
    }
  }
  FinishFirstBatch(statement, before, &run->status, &run->summary);
}

void Connection::FinishFirstBatch(Statement* statement, int64_t changes_before,
                                  absl::Status* status, driver::Summary* summary) {
  statement->Reset();
  if (!status->ok()) *summary = {};
  if (statement->read_only()) return;
  if (status->ok()) executor()->CollectChanges(*statement, changes_before, summary);
  EndGuard(status);
  if (statement->changes_session()) session_changed_ = true;
}

void Connection::KeepSession(bool keep) {
  keep_session_ = keep;
  ForgetSession();
}

void Connection::ForgetSession() {
  if (!keep_session_) executor()->ForgetInserted();
}

absl::StatusOr<driver::StatementInfo> Connection::Describe(std::string_view sql,
                                                           const driver::Deadline& deadline,
                                                           driver::Cancellation* cancellation) {
  const Watch watch(executor(), deadline, cancellation);
  // What is told is of the schema as it is now, although nothing is run.
  RefreshSchema();
  absl::StatusOr<Statement*> statement = Prepare(sql);
  if (!statement.ok()) return statement.status();
  return sqlite_engine::Describe(**statement);
}

absl::Status Connection::Ping(const driver::Deadline& deadline) {
  const Watch watch(executor(), deadline, nullptr);
  return Control(kLookAtSchema);
}

absl::Status Connection::Reset() {
  absl::Status status = Rollback();
  KeepSession(false);
  if (!status.ok() || !session_changed_) return status;
  return OpenSession(driver::Deadline::None());
}

}  // namespace penstock::sqlite
