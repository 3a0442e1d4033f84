#include "drivers/sql_key_value/connection.h"

#include <algorithm>

#include "drivers/api/error.h"
#include "drivers/api/only_read.h"
#include "drivers/sql_key_value/statements.h"
#include "fmt/format.h"

namespace penstock::sql_key_value {
namespace {

using driver::KeyCondition;
using driver::KeyMutation;
using driver::KeyValueRun;
using driver::Reason;
using driver::StatementRun;
using driver::Value;

// It may leave rows, or is somebody's statement, which may.
bool MayLeaveCursor(const StatementRun& run) {
  return run.key_value == nullptr || run.key_value->reads();
}

}  // namespace

bool IsNoTable(const absl::Status& status) {
  return !status.ok() && driver::GetErrorInfo(status).reason == Reason::kUndefinedTable;
}

size_t Connection::PlanTogether(Runs runs) const {
  bool writes = false;
  const bool pins = !dialect_.show_isolation.empty();
  size_t count = 0;
  for (; count < runs.size(); ++count) {
    StatementRun* run = runs[count];
    // They may need the session to be different.
    if (pins && (run->key_value == nullptr) != (runs.front()->key_value == nullptr)) break;
    // A keyspace may have to be created after the batch, when no cursor may be open.
    if (writes && MayLeaveCursor(*run)) break;
    if (run->key_value == nullptr) continue;
    if (!Check(*run->key_value, run->must_only_read).ok() || !PlanAsOne(run, dialect_)) break;
    writes = writes || !run->key_value->reads();
  }
  return count;
}

size_t Connection::Together(Runs runs) {
  const size_t planned = PlanTogether(runs);
  // Several statements take longer than one.
  return planned == 0 ? 0 : inner_->Together(runs.first(planned));
}

size_t Connection::RunBatch(Runs runs) {
  const size_t planned = PlanTogether(runs);
  if (planned == 0) {
    Write(runs.front());
    return 1;
  }
  const bool ours = runs.front()->key_value != nullptr;
  absl::Status ready = ours ? Pin(*runs.front()) : Unpin();
  if (!ready.ok()) {
    runs.front()->status = ready;
    return 1;
  }
  const size_t done = inner_->RunBatch(runs.first(planned));
  for (size_t i = 0; i < done; ++i) {
    if (runs[i]->key_value != nullptr) Settle(runs[i], i + 1 == done);
  }
  return done;
}

void Connection::Settle(StatementRun* run, bool last) {
  run->key_value->failed_condition.reset();
  // An operation that may leave a cursor must have nobody behind it.
  if (last || !run->key_value->reads()) RunAgainAfterConflict(run);
  if (run->key_value->kind == KeyValueRun::Kind::kGet && run->cursor != nullptr) {
    run->cursor.reset();
    run->status = driver::KeysTooLarge(run->limits.max_bytes);
  }
  if (run->wrong_lane || !IsNoTable(run->status) || DoneOnNothing(run)) return;
  // A connection that only reads cannot tell that the statement would write.
  if (reads_only_) {
    run->status = absl::OkStatus();
    run->wrong_lane = true;
    return;
  }
  const absl::Status created = CreateTable(*run, false);
  // Somebody else who was creating it may have won.
  inner_->RunBatch({&run, 1});
  if (!created.ok() && IsNoTable(run->status)) run->status = created;
}

void Connection::RunAgainAfterConflict(StatementRun* run) {
  // Others of its stream have been told of the failure.
  if (run->chain != nullptr) return;
  for (int attempt = 1; attempt < kMaxAttempts; ++attempt) {
    if (!IsConflict(run->status) || !HasTime(*run)) return;
    inner_->RunBatch({&run, 1});
  }
}

bool Connection::DoneOnNothing(StatementRun* run) const {
  KeyValueRun& operation = *run->key_value;
  const auto holds = [](const KeyCondition& condition) {
    return condition.kind == KeyCondition::Kind::kAbsent;
  };
  const auto deletes = [](const KeyMutation& mutation) {
    return mutation.kind != KeyMutation::Kind::kPut;
  };
  const auto failed =
      std::find_if_not(operation.conditions.begin(), operation.conditions.end(), holds);
  const bool held = failed == operation.conditions.end();
  if (!held) {
    operation.failed_condition = static_cast<size_t>(failed - operation.conditions.begin());
  } else if (!operation.reads() &&
             !std::all_of(operation.mutations.begin(), operation.mutations.end(), deletes)) {
    return false;
  }
  run->status = absl::OkStatus();
  run->summary = {};
  if (run->writer != nullptr) run->writer->Begin(driver::KeyValueColumns(operation));
  return true;
}

absl::Status Connection::CheckLengths(const KeyValueRun& operation) const {
  for (const KeyMutation& mutation : operation.mutations) {
    if (mutation.kind != KeyMutation::Kind::kPut) continue;
    if (mutation.key.size() <= dialect_.max_key_bytes) continue;
    return driver::MakeErrorWithHint(
        Reason::kUnsupported,
        fmt::format("the key exceeds the limit of {} bytes of this backend's index (it has {})",
                    dialect_.max_key_bytes, mutation.key.size()),
        "use shorter keys, for example a digest of a long one");
  }
  return absl::OkStatus();
}

absl::Status Connection::Check(const KeyValueRun& operation, bool must_only_read) const {
  if (must_only_read && !operation.reads()) return driver::MayOnlyRead();
  return CheckLengths(operation);
}

StatementRun Connection::Own(const StatementRun& run, std::string_view sql) const {
  StatementRun own;
  own.sql = sql;
  own.caller = run.caller;
  own.settings = run.settings;
  own.deadline = run.deadline;
  own.cancellation = run.cancellation;
  return own;
}

absl::Status Connection::RunAlone(StatementRun* statement) {
  inner_->RunBatch({&statement, 1});
  return statement->status;
}

absl::Status Connection::CreateTable(const StatementRun& run, bool in_transaction) {
  const std::string sql = sql_key_value::CreateTable(run.key_value->keyspace, dialect_);
  StatementRun create = Own(run, sql);
  if (!in_transaction) return RunAlone(&create);
  if (!driver_->info().capabilities.transactional_ddl) return CreateTableBeside(run, sql);
  inner_->Run(create);
  return create.status;
}

absl::Status Connection::CreateTableBeside(const StatementRun& run, const std::string& sql) {
  const absl::StatusOr<std::unique_ptr<driver::Connection>> beside =
      driver_->Connect(driver::Lane::kWrite, run.deadline);
  if (!beside.ok()) return beside.status();
  StatementRun create = Own(run, sql);
  StatementRun* const one = &create;
  (*beside)->RunBatch({&one, 1});
  if (!create.status.ok()) return create.status;
  const absl::StatusOr<bool> seen = TableExists(run);
  if (!seen.ok() || *seen) return seen.status();
  return driver::MakeErrorWithHint(
      Reason::kSerializationFailure,
      fmt::format(
          "the keyspace '{}' was created after the transaction began, which does not see it",
          run.key_value->keyspace),
      "run the transaction again from its beginning");
}

absl::StatusOr<bool> Connection::TableExists(const StatementRun& run) {
  if (seen_.contains(run.key_value->keyspace)) return true;
  const std::string name = TableName(run.key_value->keyspace);
  if (dialect_.table_exists.empty()) return TryTable(run, name);
  const Value args[] = {Value::Text(name)};
  StatementRun look = Own(run, dialect_.table_exists);
  look.args = args;
  inner_->Run(look);
  if (!look.status.ok()) return look.status;
  if (look.summary.rows_returned == 0) return false;
  seen_.emplace(run.key_value->keyspace);
  return true;
}

absl::StatusOr<bool> Connection::TryTable(const StatementRun& run, const std::string& name) {
  constexpr std::string_view kTry = "penstock_kv_try";
  absl::Status status = inner_->Savepoint(kTry);
  if (!status.ok()) return status;
  // It reads no row, and so meets no other transaction.
  const std::string sql = fmt::format("SELECT 1 FROM {} WHERE false", name);
  StatementRun look = Own(run, sql);
  inner_->Run(look);
  const bool missing = IsNoTable(look.status);
  if (!look.status.ok() && !missing) return look.status;
  if (missing) status = inner_->RollbackTo(kTry);
  if (status.ok()) status = inner_->Release(kTry);
  if (!status.ok()) return status;
  if (!missing) seen_.emplace(run.key_value->keyspace);
  return !missing;
}

absl::Status Connection::Begin(const driver::TransactionOptions& options) {
  seen_.clear();
  must_only_read_ = options.must_only_read;
  absl::Status ready = Unpin();
  return ready.ok() ? inner_->Begin(options) : ready;
}

absl::Status Connection::RollbackTo(std::string_view name) {
  seen_.clear();
  return inner_->RollbackTo(name);
}

void Connection::Run(StatementRun& run) {
  if (run.key_value == nullptr) {
    inner_->Run(run);
    return;
  }
  run.key_value->failed_condition.reset();
  run.status = Check(*run.key_value, must_only_read_);
  if (!run.status.ok()) return;
  const absl::StatusOr<bool> exists = TableExists(run);
  if (!exists.ok()) {
    run.status = exists.status();
    return;
  }
  if (!*exists) {
    if (DoneOnNothing(&run)) return;
    run.status = CreateTable(run, true);
    if (!run.status.ok()) return;
    seen_.emplace(run.key_value->keyspace);
  }
  if (PlanAsOne(&run, dialect_)) {
    inner_->Run(run);
  } else {
    WriteInTransaction(&run);
  }
}

}  // namespace penstock::sql_key_value
