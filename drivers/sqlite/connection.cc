#include "drivers/sqlite/connection.h"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/sqlite/cursor.h"
#include "drivers/sqlite/error.h"
#include "fmt/format.h"

namespace penstock::sqlite {
namespace {

using driver::MakeError;
using driver::MakeErrorWithHint;
using driver::Reason;
using driver::StatementRun;
using std::chrono::steady_clock;

// Instructions of SQLite's machine between two looks at deadline and
// cancellation: some ten microseconds.
constexpr int kProgressSteps = 1000;

// The driver's own statements, names of savepoints among them.
constexpr size_t kControlStatements = 16;

}  // namespace

Connection::Session::Session(Handle opened, const Options& options)
    : handle(std::move(opened)),
      statements(handle.db.get(), handle.policy.get(), options.statement_cache_size),
      control(handle.db.get(), handle.policy.get(), kControlStatements) {}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const Options& options,
                                                             driver::Lane lane,
                                                             const driver::Deadline& deadline) {
  std::unique_ptr<Connection> connection(new Connection(options, lane));
  absl::Status opened = connection->OpenSession(deadline);
  if (!opened.ok()) return opened;
  return connection;
}

absl::Status Connection::OpenSession(const driver::Deadline& deadline) {
  absl::StatusOr<Handle> handle = OpenHandle(options_, lane_, deadline);
  healthy_ = handle.ok();
  if (!handle.ok()) return handle.status();
  session_ = std::make_unique<Session>(*std::move(handle), options_);
  session_changed_ = false;
  sqlite3_progress_handler(db(), kProgressSteps, &Connection::OnProgress, this);
  sqlite3_busy_handler(db(), &Connection::OnBusy, this);
  return absl::OkStatus();
}

bool Connection::rolled_back() const { return sqlite3_get_autocommit(db()) != 0; }

int Connection::OnProgress(void* self) {
  const auto* connection = static_cast<const Connection*>(self);
  if (connection->cancellation_ != nullptr && connection->cancellation_->cancelled()) return 1;
  return connection->deadline_ != nullptr && connection->deadline_->passed(steady_clock::now());
}

int Connection::OnBusy(void* self, int attempts) {
  if (OnProgress(self) != 0 || !static_cast<Connection*>(self)->MayWaitLonger(attempts)) return 0;
  // Inside SQLite there is nothing to wait on: the lock may be another
  // process's. 0.1, 0.2, … up to 6.4 ms.
  std::this_thread::sleep_for(std::chrono::microseconds(100) * (1 << std::min(attempts, 6)));
  return 1;
}

bool Connection::MayWaitLonger(int attempts) {
  const driver::TimePoint now = steady_clock::now();
  if (attempts == 0) busy_since_ = now;
  // In a memory database the lock is another connection's, which gives it up.
  const bool has_deadline = deadline_ != nullptr && deadline_->at != driver::TimePoint::max();
  if (options_.in_memory && has_deadline) return true;
  return now - busy_since_ < std::chrono::milliseconds(options_.busy_timeout_ms);
}

absl::Status Connection::Interruption() const {
  if (cancellation_ != nullptr && cancellation_->cancelled()) return cancellation_->status();
  if (deadline_ != nullptr && deadline_->passed(steady_clock::now())) return deadline_->Error();
  return absl::OkStatus();
}

absl::Status Connection::Failure(std::string_view sql) {
  const int code = sqlite3_errcode(db()) & 0xff;
  if (code == SQLITE_AUTH && !session_->handle.policy->refusal().ok()) {
    return session_->handle.policy->refusal();
  }
  if (code == SQLITE_INTERRUPT || code == SQLITE_BUSY) {
    absl::Status interruption = Interruption();
    if (!interruption.ok()) return interruption;
  }
  return LastError(db(), sql);
}

absl::Status Connection::Control(std::string_view sql) {
  // For the step, too: after a change of the schema SQLite prepares anew there.
  const TrustedScope trusted(session_->handle.policy.get());
  absl::StatusOr<Statement*> statement = session_->control.Get(sql);
  if (!statement.ok()) return statement.status();
  const int code = sqlite3_step((*statement)->handle());
  absl::Status status = code == SQLITE_DONE || code == SQLITE_ROW ? absl::OkStatus() : Failure();
  sqlite3_reset((*statement)->handle());
  return status;
}

void Connection::NoteFailure(const StatementRun& run) {
  if (!run.status.ok() && run.chain != nullptr) run.chain->failed = true;
}

Statement* Connection::Start(StatementRun* run) {
  run->summary = {};
  run->status = absl::OkStatus();
  run->wrong_lane = false;
  if (run->chain != nullptr && run->chain->failed) {
    run->status = MakeError(Reason::kCancelled, "not run: an earlier request on the stream failed");
  } else if (run->cancellation != nullptr && run->cancellation->cancelled()) {
    run->status = run->cancellation->status();
  } else if (run->deadline.at != driver::TimePoint::max() &&
             run->deadline.passed(steady_clock::now())) {
    run->status = run->deadline.Error();
  } else {
    const Watch watch(this, run->deadline, run->cancellation);
    absl::StatusOr<Statement*> statement = session_->statements.Get(run->sql);
    if (statement.ok()) return *statement;
    // Of a lock that it waited for in vain SQLite says nothing here.
    run->status = Interruption();
    run->status.Update(statement.status());
  }
  return nullptr;
}

int64_t Connection::CountChanges() {
  // An id from an earlier statement is none of the next one's.
  sqlite3_set_last_insert_rowid(db(), 0);
  return sqlite3_total_changes64(db());
}

void Connection::CollectChanges(int64_t changes_before, driver::Summary* summary) {
  if (sqlite3_total_changes64(db()) == changes_before) return;
  summary->rows_affected += sqlite3_changes64(db());
  const sqlite3_int64 id = sqlite3_last_insert_rowid(db());
  if (id != 0) summary->last_insert_id = id;
}

absl::StatusOr<bool> Connection::StepFirst(Statement* statement, const driver::BatchLimits& limits,
                                           driver::RowWriter* writer, driver::Summary* summary) {
  const int code = sqlite3_step(statement->handle());
  statement->RefreshColumns();
  if (writer != nullptr && (code == SQLITE_ROW || code == SQLITE_DONE)) {
    writer->Begin(statement->columns());
  }
  return StepOn(code, statement, limits, writer, summary);
}

absl::StatusOr<bool> Connection::StepOn(int code, Statement* statement,
                                        const driver::BatchLimits& limits,
                                        driver::RowWriter* writer, driver::Summary* summary) {
  for (; code == SQLITE_ROW; code = sqlite3_step(statement->handle())) {
    ++summary->rows_returned;
    if (writer == nullptr) continue;
    absl::Status written = statement->WriteRow(writer);
    if (!written.ok()) return written;
    if (writer->bytes() >= limits.max_bytes) return true;
  }
  if (code != SQLITE_DONE) return Failure(statement->sql());
  return false;
}

absl::Status Connection::ExecuteOnce(StatementRun* run, Statement* statement) {
  const int64_t before = CountChanges();
  absl::Status bound = statement->Bind(run->args, Bytes::kBorrow);
  if (!bound.ok()) return bound;
  const driver::BatchLimits limits{.max_bytes = run->max_returning_bytes};
  const absl::StatusOr<bool> more = StepFirst(statement, limits, run->writer, &run->summary);
  if (!more.ok()) return more.status();
  if (*more) {
    return MakeErrorWithHint(
        Reason::kLimitExceeded,
        fmt::format("the statement returns more than max_returning_bytes ({})", limits.max_bytes),
        "return fewer rows or columns, raise max_returning_bytes of the database, or run the "
        "statement in a transaction, where its rows are streamed");
  }
  CollectChanges(before, &run->summary);
  return absl::OkStatus();
}

absl::Status Connection::ExecuteRows(StatementRun* run, Statement* statement) {
  for (size_t i = 0; i < run->rows.size(); ++i) {
    const int64_t before = CountChanges();
    absl::Status status = statement->Bind(run->rows[i], Bytes::kBorrow);
    if (status.ok()) status = StepFirst(statement, {}, nullptr, &run->summary).status();
    if (!status.ok()) return driver::Annotate(status, fmt::format("row {}", i + 1));
    CollectChanges(before, &run->summary);
    sqlite3_reset(statement->handle());
  }
  if (run->writer != nullptr) run->writer->Begin(statement->columns());
  return absl::OkStatus();
}

void Connection::Execute(StatementRun* run, Statement* statement) {
  const Watch watch(this, run->deadline, run->cancellation);
  run->status = run->rows.empty() ? ExecuteOnce(run, statement) : ExecuteRows(run, statement);
  statement->Reset();
  if (!run->status.ok()) run->summary = {};
  if (statement->changes_session()) session_changed_ = true;
}

void Connection::ExecuteFirstBatch(StatementRun* run, Statement* statement) {
  if (!statement->read_only()) {
    run->status = BeginGuard();
    if (!run->status.ok()) return;
  }
  const int64_t before = CountChanges();
  {
    const Watch watch(this, run->deadline, run->cancellation);
    // The arguments may be gone before a cursor is.
    run->status =
        statement->Bind(run->args, run->writer == nullptr ? Bytes::kBorrow : Bytes::kCopy);
    if (run->status.ok()) {
      const absl::StatusOr<bool> more =
          StepFirst(statement, run->limits, run->writer, &run->summary);
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
  if (status->ok()) CollectChanges(changes_before, summary);
  EndGuard(status);
  if (statement->changes_session()) session_changed_ = true;
}

absl::StatusOr<driver::StatementInfo> Connection::Describe(std::string_view sql,
                                                           const driver::Deadline& deadline,
                                                           driver::Cancellation* cancellation) {
  const Watch watch(this, deadline, cancellation);
  absl::StatusOr<Statement*> statement = session_->statements.Get(sql);
  if (!statement.ok()) return statement.status();
  driver::StatementInfo info;
  info.parameter_count = (*statement)->parameter_count();
  info.columns = (*statement)->columns();
  info.read_only = (*statement)->read_only();
  return info;
}

absl::Status Connection::Ping(const driver::Deadline& deadline) {
  const Watch watch(this, deadline, nullptr);
  return Control("SELECT 1 FROM sqlite_schema LIMIT 1");
}

absl::Status Connection::Reset() {
  absl::Status status = Rollback();
  if (!status.ok() || !session_changed_) return status;
  return OpenSession(driver::Deadline::None());
}

}  // namespace penstock::sqlite
