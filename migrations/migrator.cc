#include "migrations/migrator.h"

#include <chrono>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/api/text.h"
#include "fmt/format.h"

namespace penstock::migrations {
namespace {

using driver::Reason;

// How often what failed because of what others did at the same time is done again.
constexpr int kAttempts = 5;

bool MayBeRepeated(const absl::Status& status) {
  const Reason reason = driver::GetErrorInfo(status).reason;
  return reason == Reason::kSerializationFailure || reason == Reason::kDeadlock;
}

absl::Status InStatement(const absl::Status& status, const PlanStep& step, size_t index) {
  const Script& script = *step.script();
  return driver::Annotate(
      status, fmt::format("{}, line {} (statement {} of {})", script.file,
                          script.statements[index].line, index + 1, script.statements.size()));
}

}  // namespace

Migrator::Migrator(std::unique_ptr<Dialect> dialect, Source source, Session* session)
    : dialect_(std::move(dialect)), source_(std::move(source)), session_(session) {}

Migrator::~Migrator() { Unlock(); }

absl::StatusOr<bool> Migrator::TryLock() {
  absl::StatusOr<bool> locked = dialect_->TryLock(session_);
  locked_ = locked.ok() && *locked;
  return locked;
}

void Migrator::Unlock() {
  session_->Rollback();
  if (!std::exchange(locked_, false)) return;
  const Session::Shield shield(session_);
  // A session that cannot unlock has lost its connection, and the lock with it;
  // what is left is taken back when the connection is given back.
  dialect_->Unlock(session_).IgnoreError();
}

absl::StatusOr<History> Migrator::ReadHistory() {
  absl::StatusOr<std::vector<HistoryRow>> rows = dialect_->ReadHistory(session_);
  if (!rows.ok()) return driver::Annotate(rows.status(), "the migration history");
  History history(*std::move(rows));
  next_id_ = history.next_id();
  return history;
}

absl::StatusOr<std::vector<PlanStep>> Migrator::MakePlan(const Target& target, bool allow_gaps,
                                                         bool dry_run) {
  absl::Status created = dry_run ? absl::OkStatus() : dialect_->CreateHistory(session_);
  if (!created.ok()) return driver::Annotate(created, "the migration history");
  absl::StatusOr<History> history = ReadHistory();
  if (!history.ok()) return history.status();
  return migrations::MakePlan(source_, *history, target, allow_gaps);
}

HistoryRow Migrator::RowFor(const PlanStep& step) const {
  HistoryRow row;
  if (step.unfinished.has_value()) row = *step.unfinished;
  row.version = step.migration->version;
  row.name = step.migration->name;
  row.checksum = step.migration->up.has_value() ? step.migration->up->checksum : "";
  row.direction = step.direction;
  row.note.clear();
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
    status = insert ? dialect_->InsertRow(session_, *row) : dialect_->UpdateRow(session_, *row);
    // What has failed with its transaction is repeated with it.
    if (session_->in_transaction() || !MayBeRepeated(status)) break;
  }
  if (status.ok()) {
    if (insert) ++next_id_;
    return status;
  }
  if (insert) row->id = 0;
  if (driver::GetErrorInfo(status).reason == Reason::kUniqueViolation) {
    return driver::MakeErrorWithHint(
        Reason::kMigrationLocked, "another migrator has written to the migration history meanwhile",
        "nothing of this step is done; run it again");
  }
  return status;
}

absl::StatusOr<HistoryRow> Migrator::RunStep(const PlanStep& step,
                                             const OnStatement& on_statement) {
  began_ = std::chrono::steady_clock::now();
  HistoryRow row = RowFor(step);
  absl::Status status =
      step.transactional ? Repeat(step, on_statement, &row) : RunOneByOne(step, on_statement, &row);
  if (!status.ok()) return status;
  status = dialect_->CleanUp(session_, step.script()->statements);
  if (!status.ok()) return driver::Annotate(status, "after " + step.Title());
  return row;
}

absl::Status Migrator::Repeat(const PlanStep& step, const OnStatement& on_statement,
                              HistoryRow* row) {
  const int64_t next_id = next_id_;
  absl::Status status;
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    *row = RowFor(step);
    status = RunInTransaction(step, on_statement, row);
    if (status.ok()) return status;
    session_->Rollback();
    next_id_ = next_id;
    if (!MayBeRepeated(status)) break;
  }
  return status;
}

absl::Status Migrator::RunInTransaction(const PlanStep& step, const OnStatement& on_statement,
                                        HistoryRow* row) {
  absl::Status status = dialect_->CheckLock();
  if (status.ok()) status = dialect_->Begin(session_, *step.script());
  if (!status.ok()) return driver::Annotate(status, step.Title());
  const std::vector<SqlStatement>& statements = step.script()->statements;
  for (size_t i = 0; i < statements.size(); ++i) {
    if (on_statement) on_statement(i + 1, statements.size());
    status = dialect_->CheckLock();
    if (status.ok()) status = session_->Run(statements[i].text);
    if (!status.ok()) return InStatement(status, step, i);
  }
  status = dialect_->BeforeCommit(session_, *step.script());
  if (!status.ok()) return driver::Annotate(status, step.Title());
  return CommitWithRow(step, row);
}

absl::Status Migrator::CommitWithRow(const PlanStep& step, HistoryRow* row) {
  Stamp(row);
  row->state = RowState::kDone;
  row->statement = 0;
  // One that had stopped in the middle, without a transaction, is done now.
  absl::Status status = Write(row);
  if (status.ok()) status = session_->Commit();
  return status.ok() ? status : driver::Annotate(status, step.Title());
}

absl::Status Migrator::RunOneByOne(const PlanStep& step, const OnStatement& on_statement,
                                   HistoryRow* row) {
  const std::vector<SqlStatement>& statements = step.script()->statements;
  absl::Status status;
  for (auto i = static_cast<size_t>(step.first_statement - 1); i < statements.size(); ++i) {
    // Before the statement, so that a crash cannot hide one that was done.
    Stamp(row);
    row->state = RowState::kRunning;
    row->statement = static_cast<int64_t>(i) + 1;
    status = Write(row);
    if (!status.ok()) return driver::Annotate(status, step.Title());
    if (on_statement) on_statement(i + 1, statements.size());
    status = dialect_->CheckLock();
    if (status.ok()) status = session_->Run(statements[i].text);
    if (status.ok()) continue;
    status = InStatement(status, step, i);
    Stamp(row);
    row->state = RowState::kFailed;
    const absl::string_view why = status.message();
    row->note = driver::ToUtf8({why.data(), why.size()});
    // If this fails too the row says that the statement was running.
    const Session::Shield shield(session_);
    Write(row).IgnoreError();
    return status;
  }
  Stamp(row);
  row->state = RowState::kDone;
  row->statement = 0;
  status = Write(row);
  return status.ok() ? status : driver::Annotate(status, step.Title());
}

absl::Status Migrator::BeginCode(const PlanStep& step) {
  began_ = std::chrono::steady_clock::now();
  absl::Status status = dialect_->CheckLock();
  if (status.ok()) status = session_->Begin();
  return status.ok() ? status : driver::Annotate(status, step.Title());
}

absl::StatusOr<HistoryRow> Migrator::EndCode(const PlanStep& step, const absl::Status& outcome) {
  HistoryRow row = RowFor(step);
  absl::Status status =
      outcome.ok() ? CommitWithRow(step, &row) : driver::Annotate(outcome, step.Title());
  if (status.ok()) return row;
  session_->Rollback();
  return status;
}

absl::StatusOr<std::vector<HistoryRow>> Migrator::Baseline(int64_t version) {
  absl::Status status = dialect_->CreateHistory(session_);
  if (!status.ok()) return driver::Annotate(status, "the migration history");
  absl::StatusOr<History> history = ReadHistory();
  if (!history.ok()) return history.status();
  absl::StatusOr<std::vector<HistoryRow>> rows = MakeBaseline(source_, *history, version);
  if (!rows.ok()) return rows;
  began_ = std::chrono::steady_clock::now();
  status = session_->Begin();
  for (auto row = rows->begin(); status.ok() && row != rows->end(); ++row) {
    Stamp(&*row);
    status = Write(&*row);
  }
  if (status.ok()) status = session_->Commit();
  session_->Rollback();
  if (!status.ok()) return status;
  return rows;
}

absl::StatusOr<HistoryRow> Migrator::Repair(const migrations::Repair& repair) {
  absl::Status status = dialect_->CreateHistory(session_);
  if (!status.ok()) return driver::Annotate(status, "the migration history");
  absl::StatusOr<History> history = ReadHistory();
  if (!history.ok()) return history.status();
  absl::StatusOr<HistoryRow> row = MakeRepair(source_, *history, repair);
  if (!row.ok()) return row;
  began_ = std::chrono::steady_clock::now();
  Stamp(&*row);
  status = Write(&*row);
  if (!status.ok()) return status;
  return row;
}

}  // namespace penstock::migrations
