// Runs the steps of a plan so that the history tells the truth after any crash.
//
// A transactional step commits its statements and its row in the history together, or leaves
// nothing; it may therefore be repeated when others were in its way. A step without a transaction
// writes into its row, before each statement, that the statement is running: a crash leaves a
// row that says how far the step may have come, and never hides a statement that was done. Only
// the number of the row (next_id_) is chosen here. Another migrator that works without the lock
// meets the key of the history's table, and is refused.
#include "migrations/migrator.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "migrations/other_tools.h"
#include "migrations/script.h"
#include "text/string_views.h"
#include "text/utf8.h"

namespace penstock::migrations {
namespace {

using driver::Reason;

// How often what failed because of what others did at the same time is done again.
constexpr int kAttempts = 5;

bool MayBeRepeated(const absl::Status& status) {
  const Reason reason = driver::GetErrorInfo(status).reason;
  return reason == Reason::kSerializationFailure || reason == Reason::kDeadlock;
}

// The end of the text's first `position` characters; a character is a code point.
std::string_view Before(std::string_view text, int32_t position) {
  size_t byte = 0;
  for (int32_t left = position - 1; byte < text.size(); ++byte) {
    if (!IsContinuation(text[byte]) && left-- == 0) break;
  }
  return text.substr(0, byte);
}

absl::Status WithHint(const absl::Status& status, std::string_view hint) {
  driver::ErrorInfo info = driver::GetErrorInfo(status);
  info.hint += (info.hint.empty() ? "" : "; ") + std::string(hint);
  return driver::MakeError(info.reason, ToStd(status.message()), info);
}

// PostgreSQL's codes for a statement that cannot run in a transaction: it says so itself, or
// commits on the way.
bool RefusedInTransaction(const absl::Status& status) {
  const std::string sqlstate = driver::GetErrorInfo(status).sqlstate;
  return sqlstate == "25001" || sqlstate == "2D000";
}

// Says what to do about an error that comes of the transaction around the statement.
absl::Status Advise(const absl::Status& status) {
  if (RefusedInTransaction(status)) {
    return WithHint(status, fmt::format("move the statement into a file of its own, or begin the "
                                        "file with the line \"{}\"",
                                        kNoTransactionLine));
  }
  // unsafe_new_enum_value_usage
  if (driver::GetErrorInfo(status).sqlstate == "55P04") {
    return WithHint(status, fmt::format("move the ALTER TYPE into a file of its own before this "
                                        "one, or begin the file with the line \"{}\"",
                                        kNoTransactionLine));
  }
  return status;
}

}  // namespace

Migrator::Migrator(std::unique_ptr<Dialect> dialect, Source source, MigrationConnection* connection)
    : dialect_(std::move(dialect)), source_(std::move(source)), connection_(connection) {}

Migrator::~Migrator() { Unlock(); }

absl::StatusOr<bool> Migrator::TryLock() {
  absl::StatusOr<bool> locked = dialect_->TryLock(connection_);
  locked_ = locked.ok() && *locked;
  return locked;
}

void Migrator::Unlock() {
  connection_->Rollback();
  if (!std::exchange(locked_, false)) return;
  const MigrationConnection::Shield shield(connection_);
  // A session that cannot unlock has lost its connection, and the lock with it;
  // what is left is taken back when the connection is given back.
  dialect_->Unlock(connection_).IgnoreError();
}

absl::StatusOr<History> Migrator::ReadHistory() {
  absl::StatusOr<std::vector<HistoryRow>> rows = dialect_->ReadHistory(connection_);
  if (!rows.ok()) return driver::Annotate(rows.status(), "the migration history");
  History history(*std::move(rows));
  next_id_ = history.next_id();
  return history;
}

absl::StatusOr<std::vector<PlanStep>> Migrator::MakePlan(const Target& target, bool allow_gaps,
                                                         bool dry_run) {
  absl::StatusOr<bool> exists = dialect_->HistoryExists(connection_);
  if (!exists.ok()) return driver::Annotate(exists.status(), "the migration history");
  if (!*exists) {
    absl::Status status = CheckNobodyElses(connection_, dialect_.get());
    if (!status.ok()) return status;
  }
  absl::StatusOr<History> history = dry_run ? ReadHistory() : OpenHistory();
  if (!history.ok()) return history.status();
  return migrations::MakePlan(source_, *history, target, allow_gaps);
}

absl::StatusOr<History> Migrator::OpenHistory() {
  absl::Status created = dialect_->CreateHistory(connection_);
  if (!created.ok()) return driver::Annotate(created, "the migration history");
  return ReadHistory();
}

absl::StatusOr<std::vector<SqlStatement>> Migrator::Statements(const PlanStep& step) const {
  if (step.script() == nullptr) return std::vector<SqlStatement>();
  return LoadStatements(*step.script(), *dialect_);
}

absl::Status Migrator::InStatement(const absl::Status& status, const PlanStep& step,
                                   size_t index) const {
  const SqlStatement& statement = statements_[index];
  const int32_t position = driver::GetErrorInfo(status).position;
  const int line =
      statement.line + (position > 0 ? CountLineEnds(Before(statement.text, position)) : 0);
  return driver::Annotate(status, fmt::format("{}, line {} (statement {} of {})", step.Title(),
                                              line, index + 1, statements_.size()));
}

HistoryRow Migrator::RowFor(const PlanStep& step) const {
  HistoryRow row;
  if (step.unfinished.has_value()) row = *step.unfinished;
  row.version = step.migration->version;
  row.name = step.migration->name;
  row.checksum = step.migration->up.has_value() ? step.migration->up->checksum : "";
  row.direction = step.direction;
  row.note = step.migration->is_code ? kCodeNote : "";
  return row;
}

void Migrator::Stamp(HistoryRow* row) const {
  using std::chrono::duration_cast;
  row->applied_at_us =
      duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  row->duration_ms =
      duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began_).count();
}

absl::Status Migrator::Write(HistoryRow* row) {
  const bool insert = row->id == 0;
  if (insert) row->id = next_id_;
  absl::Status status;
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    status =
        insert ? dialect_->InsertRow(connection_, *row) : dialect_->UpdateRow(connection_, *row);
    // A row that has failed with its transaction is repeated with it.
    if (connection_->in_transaction() || !MayBeRepeated(status)) break;
  }
  return insert ? Inserted(status, row) : status;
}

absl::Status Migrator::Inserted(const absl::Status& status, HistoryRow* row) {
  if (status.ok()) {
    ++next_id_;
    return status;
  }
  row->id = 0;
  if (driver::GetErrorInfo(status).reason == Reason::kUniqueViolation) {
    return driver::MakeErrorWithHint(
        Reason::kMigrationLocked,
        "another migrator has changed the migration history in the meantime",
        "run the migration again; this step has changed nothing");
  }
  return status;
}

absl::StatusOr<HistoryRow> Migrator::RunStep(const PlanStep& step,
                                             const OnStatement& on_statement) {
  began_ = std::chrono::steady_clock::now();
  absl::StatusOr<std::vector<SqlStatement>> statements = Statements(step);
  if (!statements.ok()) return statements.status();
  statements_ = *std::move(statements);
  HistoryRow row = RowFor(step);
  absl::Status status = RunLoaded(step, on_statement, &row);
  statements_ = {};
  if (!status.ok()) return status;
  return row;
}

absl::Status Migrator::RunLoaded(const PlanStep& step, const OnStatement& on_statement,
                                 HistoryRow* row) {
  absl::Status status =
      step.transactional ? Repeat(step, on_statement, row) : RunOneByOne(step, on_statement, row);
  if (step.transactional && RefusedInTransaction(status) && statements_.size() == 1) {
    // The transaction has left nothing.
    *row = RowFor(step);
    status = RunOneByOne(step, on_statement, row);
  }
  if (!status.ok()) return step.transactional ? Advise(status) : status;
  status = dialect_->CleanUp(connection_, statements_);
  return status.ok() ? status : driver::Annotate(status, "after " + step.Title());
}

absl::Status Migrator::Repeat(const PlanStep& step, const OnStatement& on_statement,
                              HistoryRow* row) {
  const int64_t next_id = next_id_;
  absl::Status status;
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    *row = RowFor(step);
    status = RunInTransaction(step, on_statement, row);
    if (status.ok()) return status;
    connection_->Rollback();
    next_id_ = next_id;
    if (!MayBeRepeated(status)) break;
  }
  return status;
}

absl::Status Migrator::RunInTransaction(const PlanStep& step, const OnStatement& on_statement,
                                        HistoryRow* row) {
  absl::Status status = dialect_->CheckLock();
  if (status.ok()) status = dialect_->Begin(connection_, *step.script());
  if (!status.ok()) return driver::Annotate(status, step.Title());
  for (size_t i = 0; i < statements_.size(); ++i) {
    status = RunStatement(i, on_statement);
    if (!status.ok()) return InStatement(status, step, i);
  }
  status = dialect_->BeforeCommit(connection_, *step.script());
  if (status.ok()) status = dialect_->ResetRole(connection_, statements_).status();
  if (!status.ok()) return driver::Annotate(status, step.Title());
  return CommitWithRow(step, row);
}

absl::Status Migrator::CommitWithRow(const PlanStep& step, HistoryRow* row) {
  Stamp(row);
  row->state = RowState::kDone;
  row->statement = 0;
  // One that had stopped in the middle, without a transaction, is done now.
  absl::Status status;
  if (row->id != 0) {
    status = Write(row);
    if (status.ok()) status = connection_->Commit();
  } else {
    row->id = next_id_;
    status = dialect_->InsertRowAndCommit(connection_, *row);
    // Otherwise it is the commit that has failed, if anything.
    const bool refused = connection_->in_transaction();
    status = refused || status.ok() ? Inserted(status, row) : status;
  }
  return status.ok() ? status : driver::Annotate(status, step.Title());
}

absl::Status Migrator::RunStatement(size_t index, const OnStatement& on_statement) {
  if (on_statement) on_statement(index + 1, statements_.size());
  absl::Status status = dialect_->CheckLock();
  return status.ok() ? connection_->Run(statements_[index].text) : status;
}

absl::Status Migrator::Note(const PlanStep& step, HistoryRow* row) {
  Stamp(row);
  absl::StatusOr<std::vector<std::string>> restore = dialect_->ResetRole(connection_, statements_);
  absl::Status status = restore.ok() ? Write(row) : restore.status();
  for (size_t i = 0; status.ok() && i < restore->size(); ++i) {
    status = connection_->Run((*restore)[i]);
  }
  return status.ok() ? status : driver::Annotate(status, step.Title());
}

absl::Status Migrator::RunOneByOne(const PlanStep& step, const OnStatement& on_statement,
                                   HistoryRow* row) {
  absl::Status status;
  for (auto i = static_cast<size_t>(step.first_statement - 1); i < statements_.size(); ++i) {
    // Before the statement, so that a crash cannot hide one that was done.
    row->state = RowState::kRunning;
    row->statement = static_cast<int64_t>(i) + 1;
    status = Note(step, row);
    if (!status.ok()) return status;
    status = RunStatement(i, on_statement);
    const MigrationConnection::Shield shield(connection_);
    const absl::Status done = dialect_->CheckDone(connection_, statements_[i]);
    if (status.ok() && done.ok()) continue;
    // If both fail, the statement has left something that cannot stay.
    if (status.ok()) {
      status = done;
    } else if (driver::GetErrorInfo(done).reason == Reason::kMigrationRefused) {
      status = WithHint(status, driver::GetErrorInfo(done).hint);
    }
    status = InStatement(status, step, i);
    row->state = RowState::kFailed;
    row->note = ToUtf8(ToStd(status.message()));
    // If this fails too the row says that the statement was running.
    Note(step, row).IgnoreError();
    return status;
  }
  row->state = RowState::kDone;
  row->statement = 0;
  return Note(step, row);
}

absl::Status Migrator::BeginCode(const PlanStep& step) {
  began_ = std::chrono::steady_clock::now();
  absl::Status status = dialect_->CheckLock();
  if (status.ok()) status = connection_->Begin();
  return status.ok() ? status : driver::Annotate(status, step.Title());
}

absl::StatusOr<HistoryRow> Migrator::EndCode(const PlanStep& step, const absl::Status& outcome) {
  HistoryRow row = RowFor(step);
  absl::Status status =
      outcome.ok() ? CommitWithRow(step, &row) : driver::Annotate(outcome, step.Title());
  if (status.ok()) return row;
  connection_->Rollback();
  return status;
}

absl::StatusOr<std::vector<HistoryRow>> Migrator::WriteAll(std::vector<HistoryRow> rows) {
  began_ = std::chrono::steady_clock::now();
  absl::Status status = connection_->Begin();
  for (auto row = rows.begin(); status.ok() && row != rows.end(); ++row) {
    Stamp(&*row);
    status = Write(&*row);
  }
  if (status.ok()) status = connection_->Commit();
  connection_->Rollback();
  if (!status.ok()) return status;
  return rows;
}

absl::StatusOr<std::vector<HistoryRow>> Migrator::Baseline(uint64_t version) {
  absl::StatusOr<History> history = OpenHistory();
  if (!history.ok()) return history.status();
  absl::StatusOr<std::vector<HistoryRow>> rows = MakeBaseline(source_, *history, version);
  return rows.ok() ? WriteAll(*std::move(rows)) : rows;
}

absl::StatusOr<std::vector<HistoryRow>> Migrator::Adopt() {
  absl::StatusOr<History> history = ReadHistory();
  if (!history.ok()) return history.status();
  if (!history->empty()) {
    return driver::MakeErrorWithHint(
        Reason::kMigrationRefused,
        fmt::format("the database already has a migration history, up to version {}",
                    history->version()),
        "run `penstock migrate status FOLDER` to see it; only a database without a history can "
        "adopt one");
  }
  absl::StatusOr<std::vector<HistoryRow>> rows =
      ReadOtherTool(connection_, dialect_.get(), source_);
  if (!rows.ok()) return rows;
  history = OpenHistory();
  if (!history.ok()) return history.status();
  return WriteAll(*std::move(rows));
}

absl::Status Migrator::CheckRepair(const History& history, const HistoryRow& row) {
  const auto found = source_.find(row.version);
  const bool applies = row.state == RowState::kDone && row.direction == Direction::kUp;
  if (found == source_.end() || !(applies || row.state == RowState::kResume)) {
    return absl::OkStatus();
  }
  const Migration& migration = found->second;
  const auto unfinished = history.unfinished().find(row.version);
  // A step that goes on, or has stopped on its way down, may be one of the down script.
  const bool down = row.direction == Direction::kDown && unfinished != history.unfinished().end();
  const std::optional<Script>& script = down ? migration.down : migration.up;
  if (!script.has_value()) return absl::OkStatus();
  const absl::StatusOr<std::vector<SqlStatement>> statements = LoadStatements(*script, *dialect_);
  if (!statements.ok()) return statements.status();
  const size_t last =
      row.state == RowState::kResume ? static_cast<size_t>(row.statement) : statements->size();
  for (size_t i = 0; i < std::min(last, statements->size()); ++i) {
    const absl::Status status = dialect_->CheckDone(connection_, (*statements)[i]);
    if (!status.ok()) return driver::Annotate(status, script->file);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<HistoryRow>> Migrator::Repair(
    const std::vector<migrations::Repair>& repairs) {
  absl::StatusOr<History> history = OpenHistory();
  if (!history.ok()) return history.status();
  std::vector<HistoryRow> rows;
  for (const migrations::Repair& repair : repairs) {
    absl::StatusOr<HistoryRow> row = MakeRepair(source_, *history, repair);
    absl::Status status = row.ok() ? CheckRepair(*history, *row) : row.status();
    if (!status.ok()) return status;
    rows.push_back(*std::move(row));
  }
  return WriteAll(std::move(rows));
}

}  // namespace penstock::migrations
