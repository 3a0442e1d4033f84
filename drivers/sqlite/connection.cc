#include "drivers/sqlite/connection.h"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <string>
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

// Instructions of SQLite's machine between two looks at deadline and
// cancellation: some ten microseconds.
constexpr int kProgressSteps = 1000;

}  // namespace

// Makes the progress and busy handlers look at a run while it executes.
class Connection::Watch {
 public:
  Watch(Connection* connection, const driver::Deadline& deadline,
        const driver::Cancellation* cancellation)
      : connection_(connection) {
    connection_->deadline_ = &deadline;
    connection_->cancellation_ = cancellation;
  }
  ~Watch() {
    connection_->deadline_ = nullptr;
    connection_->cancellation_ = nullptr;
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  Connection* const connection_;
};

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const Options& options,
                                                             driver::Lane lane) {
  absl::StatusOr<Handle> handle = OpenHandle(options, lane == driver::Lane::kWrite);
  if (!handle.ok()) return handle.status();
  return std::unique_ptr<Connection>(new Connection(*std::move(handle), options, lane));
}

Connection::Connection(Handle handle, const Options& options, driver::Lane lane)
    : lane_(lane),
      busy_timeout_ms_(options.busy_timeout_ms),
      read_only_file_(options.read_only),
      handle_(std::move(handle)),
      statements_(handle_.db.get(), handle_.policy.get(), options.statement_cache_size),
      control_(handle_.db.get(), handle_.policy.get(), 16) {
  sqlite3_progress_handler(handle_.db.get(), kProgressSteps, &Connection::OnProgress, this);
  sqlite3_busy_handler(handle_.db.get(), &Connection::OnBusy, this);
}

int Connection::OnProgress(void* self) {
  const auto* connection = static_cast<const Connection*>(self);
  if (connection->cancellation_ != nullptr && connection->cancellation_->cancelled()) return 1;
  return connection->deadline_ != nullptr &&
         connection->deadline_->passed(std::chrono::steady_clock::now());
}

int Connection::OnBusy(void* self, int attempts) {
  const auto* connection = static_cast<const Connection*>(self);
  if (OnProgress(self) != 0) return 0;
  // Inside SQLite there is nothing to wait on: the lock belongs to another
  // process. 1, 2, … 10 ms, then every 10 ms.
  const int step = std::min(attempts + 1, 10);
  const int waited = attempts < 10 ? attempts * (attempts + 1) / 2 : 55 + (attempts - 10) * 10;
  if (waited >= connection->busy_timeout_ms_) return 0;
  std::this_thread::sleep_for(std::chrono::milliseconds(step));
  return 1;
}

absl::Status Connection::Failure(std::string_view sql) {
  absl::Status status = LastError(handle_.db.get(), sql);
  const int code = sqlite3_errcode(handle_.db.get()) & 0xff;
  if (code == SQLITE_AUTH && !handle_.policy->refusal().ok()) return handle_.policy->refusal();
  if (code != SQLITE_INTERRUPT && code != SQLITE_BUSY) return status;
  if (cancellation_ != nullptr && cancellation_->cancelled()) return cancellation_->status();
  if (deadline_ != nullptr && deadline_->passed(std::chrono::steady_clock::now())) {
    return deadline_->Error();
  }
  return status;
}

absl::Status Connection::Control(std::string_view sql) {
  handle_.policy->set_trusted(true);
  absl::StatusOr<Statement*> statement = control_.Get(sql);
  handle_.policy->set_trusted(false);
  if (!statement.ok()) return statement.status();
  const int code = sqlite3_step((*statement)->handle());
  absl::Status status = code == SQLITE_DONE || code == SQLITE_ROW ? absl::OkStatus() : Failure();
  sqlite3_reset((*statement)->handle());
  return status;
}

size_t Connection::RunBatch(Runs runs) {
  return lane_ == driver::Lane::kRead ? RunReads(runs) : RunWrites(runs);
}

Statement* Connection::Start(StatementRun* run) {
  run->summary = {};
  run->status = absl::OkStatus();
  if (run->chain != nullptr && run->chain->failed) {
    run->status = MakeError(Reason::kCancelled, "not run: an earlier request on the stream failed");
  } else if (run->cancellation != nullptr && run->cancellation->cancelled()) {
    run->status = run->cancellation->status();
  } else if (run->deadline.at != driver::TimePoint::max() &&
             run->deadline.passed(std::chrono::steady_clock::now())) {
    run->status = run->deadline.Error();
  } else {
    const Watch watch(this, run->deadline, run->cancellation);
    absl::StatusOr<Statement*> statement = statements_.Get(run->sql);
    if (statement.ok()) return *statement;
    run->status = statement.status();
  }
  return nullptr;
}

size_t Connection::RunReads(Runs runs) {
  // One snapshot for all of them: each was asked for before it was taken, so
  // none sees less than it may, and the file's locks are taken once.
  const bool shared = runs.size() > 1 && Control("BEGIN").ok();
  size_t done = 0;
  bool left_open = false;
  for (StatementRun* run : runs) {
    ++done;
    Statement* statement = Start(run);
    if (statement == nullptr) continue;
    if (!statement->read_only()) {
      run->wrong_lane = true;
      continue;
    }
    if (run->rows.empty()) {
      ExecuteFirstBatch(run, statement);
      left_open = run->cursor != nullptr;
      if (left_open) break;
    } else {
      Execute(run, statement);
    }
  }
  // An open cursor keeps its own snapshot beyond this.
  if (shared) Control("COMMIT").IgnoreError();
  return done;
}

size_t Connection::RunWrites(Runs runs) {
  size_t begin = 0;
  for (size_t i = 0; i < runs.size(); ++i) {
    // What cannot run within a transaction ends the group before it. A
    // statement that does not prepare fails in its group.
    absl::StatusOr<Statement*> statement = statements_.Get(runs[i]->sql);
    if (!statement.ok() || !(*statement)->runs_alone()) continue;
    RunGroup(runs.subspan(begin, i - begin));
    if (Statement* alone = Start(runs[i])) RunAlone(runs[i], alone);
    begin = i + 1;
  }
  RunGroup(runs.subspan(begin));
  for (StatementRun* run : runs) {
    if (run->chain != nullptr && !run->status.ok()) run->chain->failed = true;
  }
  return runs.size();
}

void Connection::RunAlone(StatementRun* run, Statement* statement) {
  if (read_only_file_ && !statement->read_only()) {
    run->status = Classify(SQLITE_READONLY, "attempt to write a readonly database");
    return;
  }
  handle_.policy->set_vacuuming(statement->is_vacuum());
  Execute(run, statement);
  handle_.policy->set_vacuuming(false);
}

void Connection::RunGroup(Runs runs) {
  if (runs.empty()) return;
  if (runs.size() == 1) {
    RunInOwnTransaction(runs.front());
    return;
  }
  absl::Status begun = Control("BEGIN IMMEDIATE");
  if (!begun.ok()) {
    // Another process has the lock, or the file is read-only: each has the
    // same to hear, but for those that only read.
    RunOneByOne(runs);
    return;
  }
  for (StatementRun* run : runs) {
    Statement* statement = Start(run);
    if (statement != nullptr) Execute(run, statement);
    if (run->chain != nullptr && !run->status.ok()) run->chain->failed = true;
    if (sqlite3_get_autocommit(handle_.db.get()) != 0) {
      // An error has made SQLite roll the whole group back (an interrupted
      // write, a full disk). Nobody shall pay for a neighbour.
      RunOneByOne(runs);
      return;
    }
  }
  if (Control("COMMIT").ok()) return;
  // Someone violated a deferred constraint, or the disk is full.
  Control("ROLLBACK").IgnoreError();
  RunOneByOne(runs);
}

void Connection::RunOneByOne(Runs runs) {
  for (StatementRun* run : runs) {
    // A failure that was found is final. What failed because a request before
    // it on its stream did stays as it is, for the same reason.
    if (run->status.ok()) RunInOwnTransaction(run);
  }
}

void Connection::RunInOwnTransaction(StatementRun* run) {
  Statement* statement = Start(run);
  if (statement == nullptr) return;
  if (statement->read_only()) {
    Execute(run, statement);
    return;
  }
  {
    const Watch watch(this, run->deadline, run->cancellation);
    run->status = Control("BEGIN IMMEDIATE");
  }
  if (!run->status.ok()) return;
  Execute(run, statement);
  if (sqlite3_get_autocommit(handle_.db.get()) != 0) return;  // rolled back by its failure
  if (run->status.ok()) {
    run->status = Control("COMMIT");
    if (run->status.ok()) return;
    run->summary = {};
  }
  if (sqlite3_get_autocommit(handle_.db.get()) == 0) Control("ROLLBACK").IgnoreError();
}

void Connection::CollectChanges(int64_t changes_before, driver::Summary* summary) {
  sqlite3* db = handle_.db.get();
  if (sqlite3_total_changes64(db) == changes_before) return;
  summary->rows_affected += sqlite3_changes64(db);
  const sqlite3_int64 id = sqlite3_last_insert_rowid(db);
  if (id != 0) summary->last_insert_id = id;
}

absl::Status Connection::StepToEnd(StatementRun* run, Statement* statement, size_t max_bytes) {
  sqlite3_stmt* handle = statement->handle();
  int code = sqlite3_step(handle);
  statement->RefreshColumns();
  if (run->writer != nullptr && run->rows.empty() && (code == SQLITE_ROW || code == SQLITE_DONE)) {
    run->writer->Begin(statement->columns());
  }
  for (; code == SQLITE_ROW; code = sqlite3_step(handle)) {
    ++run->summary.rows_returned;
    if (run->writer == nullptr || !run->rows.empty()) continue;
    absl::Status written = statement->WriteRow(run->writer);
    if (!written.ok()) return written;
    if (run->writer->bytes() > max_bytes) {
      return MakeErrorWithHint(
          Reason::kLimitExceeded,
          fmt::format("the statement returns more than max_returning_bytes ({})", max_bytes),
          "return fewer rows or columns, raise max_returning_bytes of the database, or run the "
          "statement in a transaction, where its rows are streamed");
    }
  }
  return code == SQLITE_DONE ? absl::OkStatus() : Failure(run->sql);
}

absl::Status Connection::ExecuteRows(StatementRun* run, Statement* statement) {
  sqlite3* db = handle_.db.get();
  for (size_t i = 0; i < run->rows.size(); ++i) {
    const int64_t before = sqlite3_total_changes64(db);
    absl::Status status = statement->Bind(run->rows[i]);
    if (status.ok()) status = StepToEnd(run, statement, run->max_returning_bytes);
    if (!status.ok()) return driver::Annotate(status, fmt::format("row {}", i + 1));
    CollectChanges(before, &run->summary);
    sqlite3_reset(statement->handle());
  }
  return absl::OkStatus();
}

void Connection::Execute(StatementRun* run, Statement* statement) {
  sqlite3* db = handle_.db.get();
  const Watch watch(this, run->deadline, run->cancellation);
  // A statement by itself is atomic; these are several, or fail after they are
  // done, or keep what was done before they failed (OR FAIL).
  const bool in_transaction = sqlite3_get_autocommit(db) == 0;
  const bool guarded = in_transaction && !statement->read_only();
  if (guarded) run->status = Control("SAVEPOINT penstock_run");
  if (!run->status.ok()) return;
  sqlite3_set_last_insert_rowid(db, 0);
  const int64_t before = sqlite3_total_changes64(db);
  if (run->rows.empty()) {
    run->status = statement->Bind(run->args);
    if (run->status.ok()) run->status = StepToEnd(run, statement, run->max_returning_bytes);
    if (run->status.ok() && !statement->read_only()) CollectChanges(before, &run->summary);
  } else {
    run->status = ExecuteRows(run, statement);
  }
  statement->Reset();
  if (!run->status.ok()) run->summary = {};
  if (!guarded || sqlite3_get_autocommit(db) != 0) return;
  if (!run->status.ok()) Control("ROLLBACK TO penstock_run").IgnoreError();
  absl::Status released = Control("RELEASE penstock_run");
  if (run->status.ok()) run->status = released;
}

void Connection::ExecuteFirstBatch(StatementRun* run, Statement* statement) {
  const Watch watch(this, run->deadline, run->cancellation);
  run->status = statement->Bind(run->args);
  if (!run->status.ok()) {
    statement->Reset();
    return;
  }
  auto cursor = std::make_unique<Cursor>(this, statement, *run);
  absl::StatusOr<bool> more = cursor->FetchFirst(run->limits, run->writer);
  run->summary = cursor->summary();
  if (!more.ok()) {
    run->status = more.status();
  } else if (*more) {
    run->cursor = std::move(cursor);
  }
}

void Connection::Run(StatementRun& run) {
  Statement* statement = Start(&run);
  if (statement == nullptr) return;
  if (read_only_transaction_ && !statement->read_only()) {
    run.status = MakeErrorWithHint(Reason::kReadOnly, "the transaction is read-only",
                                   "begin it without read_only to write");
  } else if (statement->read_only() && run.rows.empty() && run.writer != nullptr) {
    ExecuteFirstBatch(&run, statement);
  } else {
    Execute(&run, statement);
  }
}

absl::StatusOr<driver::StatementInfo> Connection::Describe(std::string_view sql,
                                                           const driver::Deadline& deadline,
                                                           driver::Cancellation* cancellation) {
  const Watch watch(this, deadline, cancellation);
  absl::StatusOr<Statement*> statement = statements_.Get(sql);
  if (!statement.ok()) return statement.status();
  driver::StatementInfo info;
  info.parameter_count = (*statement)->parameter_count();
  info.columns = (*statement)->columns();
  info.read_only = (*statement)->read_only();
  return info;
}

absl::Status Connection::Begin(const driver::TransactionOptions& options) {
  if (!options.read_only && lane_ == driver::Lane::kRead) {
    return MakeError(Reason::kReadOnly, "this connection cannot write");
  }
  const Watch watch(this, options.deadline, options.cancellation);
  absl::Status status = Control(options.read_only ? "BEGIN" : "BEGIN IMMEDIATE");
  // The snapshot is that of begin, not of the first statement.
  if (status.ok() && options.read_only) status = Control("SELECT 1 FROM sqlite_schema LIMIT 1");
  if (!status.ok()) {
    if (sqlite3_get_autocommit(handle_.db.get()) == 0) Control("ROLLBACK").IgnoreError();
    return status;
  }
  in_transaction_ = true;
  read_only_transaction_ = options.read_only;
  return absl::OkStatus();
}

absl::Status Connection::Commit() {
  absl::Status status = Control("COMMIT");
  if (!status.ok()) Rollback().IgnoreError();
  in_transaction_ = false;
  read_only_transaction_ = false;
  return status;
}

absl::Status Connection::Rollback() {
  in_transaction_ = false;
  read_only_transaction_ = false;
  return sqlite3_get_autocommit(handle_.db.get()) != 0 ? absl::OkStatus() : Control("ROLLBACK");
}

absl::Status Connection::Savepoint(std::string_view name) {
  return Control(fmt::format("SAVEPOINT \"{}\"", name));
}

absl::Status Connection::RollbackTo(std::string_view name) {
  return Control(fmt::format("ROLLBACK TO \"{}\"", name));
}

absl::Status Connection::Release(std::string_view name) {
  return Control(fmt::format("RELEASE \"{}\"", name));
}

bool Connection::transaction_aborted() const {
  return in_transaction_ && sqlite3_get_autocommit(handle_.db.get()) != 0;
}

absl::Status Connection::Ping(const driver::Deadline& deadline) {
  const Watch watch(this, deadline, nullptr);
  return Control("SELECT 1 FROM sqlite_schema LIMIT 1");
}

absl::Status Connection::Reset() {
  if (handle_.policy->saw_temporary()) {
    return absl::FailedPreconditionError("temporary objects were left behind");
  }
  return sqlite3_get_autocommit(handle_.db.get()) != 0 ? absl::OkStatus() : Rollback();
}

}  // namespace penstock::sqlite
