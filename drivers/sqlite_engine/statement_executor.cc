// Steps SQLite's statements under a deadline and a cancellation.
//
// SQLite calls the progress handler every thousand instructions of its machine. The handler, and
// with it the allocator and the functions that stand in front of SQLite's own, ask the watch that
// is in place whether the work is to end. SQLite then fails with a code that does not say why;
// Failure() finds the reason again, in this order: the policy's refusal, the watch, SQLite's own
// error. Nothing here opens or ends a transaction.
#include "drivers/sqlite_engine/statement_executor.h"

#include <sqlite3.h>

#include <chrono>

#include "drivers/api/error.h"
#include "drivers/sqlite_engine/error.h"
#include "fmt/format.h"

namespace penstock::sqlite_engine {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;
using driver::StatementRun;
using std::chrono::steady_clock;

// Instructions of SQLite's machine between two looks at deadline and
// cancellation: some ten microseconds.
constexpr int kProgressSteps = 1000;

}  // namespace

StatementExecutor::StatementExecutor(sqlite3* db, Policy* policy)
    : db_(db), policy_(policy), inserted_(db), guarded_(this) {
  policy_->set_executor(this);
  sqlite3_progress_handler(db_, kProgressSteps, &StatementExecutor::OnProgress, this);
}

StatementExecutor::~StatementExecutor() { policy_->set_executor(nullptr); }

absl::Status StatementExecutor::RegisterFunctions(std::optional<BytesInPatterns> patterns) {
  absl::Status status = inserted_.Register();
  if (status.ok()) status = guarded_.Register(db_);
  if (status.ok() && patterns.has_value()) status = RegisterPatterns(db_, this, *patterns);
  return status;
}

int StatementExecutor::OnProgress(void* self) {
  return static_cast<const StatementExecutor*>(self)->interrupted() ? 1 : 0;
}

bool StatementExecutor::interrupted() const {
  if (cancellation_ != nullptr && cancellation_->cancelled()) return true;
  return deadline_ != nullptr && deadline_->passed(steady_clock::now());
}

absl::Status StatementExecutor::Interruption() const {
  if (cancellation_ != nullptr && cancellation_->cancelled()) return cancellation_->status();
  if (deadline_ != nullptr && deadline_->passed(steady_clock::now())) return deadline_->Error();
  return absl::OkStatus();
}

absl::Status StatementExecutor::Failure(std::string_view sql) const {
  const int code = sqlite3_errcode(db_) & 0xff;
  if (code == SQLITE_AUTH && !policy_->refusal().ok()) return policy_->refusal();
  // The allocator gives nothing any more, either, when the statement is to end.
  if (code == SQLITE_INTERRUPT || code == SQLITE_BUSY || code == SQLITE_NOMEM) {
    absl::Status interruption = Interruption();
    if (!interruption.ok()) return interruption;
  }
  return LastError(db_, sql);
}

int64_t StatementExecutor::CountChanges() {
  inserted_.Begin();
  return sqlite3_total_changes64(db_);
}

void StatementExecutor::CollectChanges(const Statement& statement, int64_t changes_before,
                                       driver::Summary* summary) const {
  // SQLite counts the rows that a virtual table writes into its own tables when it is made.
  if (statement.defines() || sqlite3_total_changes64(db_) == changes_before) return;
  summary->rows_affected += sqlite3_changes64(db_);
  if (const std::optional<int64_t> id = inserted_.Inserted()) summary->last_insert_id = id;
}

absl::StatusOr<bool> StatementExecutor::StepFirst(Statement* statement,
                                                  const driver::BatchLimits& limits,
                                                  driver::RowWriter* writer,
                                                  driver::Summary* summary) const {
  const int code = sqlite3_step(statement->handle());
  statement->RefreshColumns();
  if (writer != nullptr && (code == SQLITE_ROW || code == SQLITE_DONE)) {
    writer->Begin(statement->columns());
  }
  return GoOn(code, statement, limits, writer, summary);
}

absl::StatusOr<bool> StatementExecutor::StepOn(Statement* statement,
                                               const driver::BatchLimits& limits,
                                               driver::RowWriter* writer,
                                               driver::Summary* summary) const {
  return GoOn(sqlite3_step(statement->handle()), statement, limits, writer, summary);
}

absl::StatusOr<bool> StatementExecutor::GoOn(int code, Statement* statement,
                                             const driver::BatchLimits& limits,
                                             driver::RowWriter* writer,
                                             driver::Summary* summary) const {
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

absl::Status StatementExecutor::ExecuteOnce(StatementRun* run, Statement* statement) {
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
        "return fewer rows or columns, raise max_returning_bytes of the database (and the "
        "client's max_message_bytes or the identity's max_result_bytes, where one is smaller), or "
        "run the statement in a transaction, where its rows are streamed");
  }
  CollectChanges(*statement, before, &run->summary);
  return absl::OkStatus();
}

absl::Status StatementExecutor::ExecuteRows(StatementRun* run, Statement* statement) {
  for (size_t i = 0; i < run->rows.size(); ++i) {
    const int64_t before = CountChanges();
    absl::Status status = statement->Bind(run->rows[i], Bytes::kBorrow);
    if (status.ok()) status = StepFirst(statement, {}, nullptr, &run->summary).status();
    if (!status.ok()) return driver::Annotate(status, fmt::format("row {}", i + 1));
    CollectChanges(*statement, before, &run->summary);
    sqlite3_reset(statement->handle());
  }
  if (run->writer != nullptr) run->writer->Begin(statement->columns());
  return absl::OkStatus();
}

void StatementExecutor::Execute(StatementRun* run, Statement* statement) {
  const Watch watch(this, run->deadline, run->cancellation);
  run->status = run->rows.empty() ? ExecuteOnce(run, statement) : ExecuteRows(run, statement);
  statement->Reset();
  if (!run->status.ok()) run->summary = {};
}

driver::StatementInfo Describe(const Statement& statement) {
  driver::StatementInfo info;
  info.parameter_count = statement.parameter_count();
  info.columns = statement.columns();
  info.read_only = statement.read_only();
  return info;
}

}  // namespace penstock::sqlite_engine
