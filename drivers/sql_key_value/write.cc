// A write that takes several statements: conditions (conditions.cc), or mutations of
// both sorts.
#include <algorithm>
#include <chrono>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/sql_key_value/connection.h"
#include "drivers/sql_key_value/statements.h"

namespace penstock::sql_key_value {
namespace {

using driver::KeyMutation;
using driver::KeyValueRun;
using driver::Reason;
using driver::StatementRun;
using driver::Value;

constexpr std::string_view kSavepoint = "penstock_kv";

// How long whoever locks the table waits at first, and at most: everybody who writes to
// it waits meanwhile. The most is longer than the second (deadlock_timeout) after
// which the server ends a vacuum of its own that is in the way.
constexpr std::chrono::milliseconds kFirstPatience(100);
constexpr std::chrono::milliseconds kMostPatience(1600);

// Its ranges have keys that are not there to be locked.
bool LocksTable(const KeyValueRun& operation, const driver::KeyValueDialect& dialect) {
  return dialect.locks && DeletesRange(operation);
}

bool IsBusy(const absl::Status& status) {
  return !status.ok() && driver::GetErrorInfo(status).reason == Reason::kBusy;
}

}  // namespace

void Connection::Write(StatementRun* run) {
  run->summary = {};
  run->wrong_lane = reads_only_ && !run->key_value->reads() && !run->must_only_read;
  run->key_value->failed_condition.reset();
  run->status = Check(*run->key_value, run->must_only_read);
  if (!run->status.ok() || run->wrong_lane) return;
  const bool nothing = run->key_value->mutations.empty() && run->key_value->conditions.empty();
  if (run->key_value->reads() || nothing) {
    // A read of no key, or a write of nothing.
    if (run->writer != nullptr) run->writer->Begin(driver::KeyValueColumns(*run->key_value));
    return;
  }
  std::chrono::milliseconds patience = kFirstPatience;
  for (int attempt = 1;; ++attempt) {
    const absl::StatusOr<Outcome> outcome = TryWrite(run, patience);
    run->status = outcome.status();
    if (outcome.ok() && *outcome == Outcome::kNoTable) {
      if (DoneOnNothing(run)) return;
      run->status = CreateTable(*run, false);
      // Somebody else who was creating it may have won.
      if (run->status.ok() || attempt == 1) continue;
      return;
    }
    const bool busy = IsBusy(run->status);
    if (busy && LocksTable(*run->key_value, dialect_)) {
      run->status = Pause(*run, patience);
      if (!run->status.ok()) return;
      patience = std::min(2 * patience, kMostPatience);
      // It goes on for as long as the caller has time.
      --attempt;
      continue;
    }
    const bool again = (busy || IsConflict(run->status)) && HasTime(*run);
    if (!again || attempt >= kMaxAttempts) return;
  }
}

absl::StatusOr<Connection::Outcome> Connection::TryWrite(StatementRun* run,
                                                         std::chrono::milliseconds patience) {
  const bool locks_table = LocksTable(*run->key_value, dialect_);
  const auto isolation =
      dialect_.locks ? driver::Isolation::kReadCommitted : driver::Isolation::kSerializable;
  absl::Status status = inner_->Begin({.isolation = isolation,
                                       .caller = run->caller,
                                       .settings = run->settings,
                                       .deadline = run->deadline,
                                       .cancellation = run->cancellation});
  if (!status.ok()) return status;
  absl::StatusOr<Outcome> outcome = Outcome::kDone;
  if (locks_table) status = LockTable(*run, patience);
  if (status.ok()) outcome = Apply(run, dialect_.locks && !locks_table);
  if (!status.ok()) outcome = status;
  if (IsNoTable(outcome.status())) outcome = Outcome::kNoTable;
  if (outcome.ok() && *outcome == Outcome::kDone) {
    absl::Status committed = inner_->Commit();
    if (!committed.ok()) return committed;
    return outcome;
  }
  run->summary = {};
  absl::Status undone = inner_->Rollback();
  if (outcome.ok() && !undone.ok()) return undone;
  return outcome;
}

void Connection::WriteInTransaction(StatementRun* run) {
  run->summary = {};
  run->status = inner_->Savepoint(kSavepoint);
  if (!run->status.ok()) return;
  const absl::StatusOr<Outcome> outcome = Apply(run, dialect_.locks);
  run->status = outcome.status();
  if (!outcome.ok() || *outcome != Outcome::kDone) {
    const absl::Status undone = inner_->RollbackTo(kSavepoint);
    if (run->status.ok()) run->status = undone;
  }
  const absl::Status released = inner_->Release(kSavepoint);
  if (run->status.ok()) run->status = released;
}

absl::StatusOr<Connection::Outcome> Connection::Apply(StatementRun* run, bool lock_keys) {
  run->key_value->failed_condition.reset();
  run->summary = {};
  Keys placeholders;
  absl::Status status = lock_keys ? LockKeys(*run, &placeholders) : absl::OkStatus();
  if (!status.ok()) return status;
  const absl::StatusOr<bool> hold = ConditionsHold(run, lock_keys ? &placeholders : nullptr);
  if (!hold.ok()) return hold.status();
  if (!*hold) return Outcome::kConditionFailed;
  status = MutateAll(run);
  if (status.ok()) status = RemovePlaceholders(*run, std::move(placeholders));
  if (!status.ok()) return status;
  return Outcome::kDone;
}

absl::Status Connection::MutateAll(StatementRun* run) {
  // A range is deleted where it stands; between two of them the order of puts and
  // deletes does not matter, but for the last one of each key.
  std::span<const KeyMutation> left = run->key_value->mutations;
  while (!left.empty()) {
    const auto is_range = [](const KeyMutation& mutation) {
      return mutation.kind == KeyMutation::Kind::kDeleteRange;
    };
    const auto range = std::find_if(left.begin(), left.end(), is_range);
    const auto count = static_cast<size_t>(range - left.begin());
    absl::Status status = Mutate(*run, left.first(count));
    left = left.subspan(count);
    if (status.ok() && !left.empty()) {
      std::vector<Value> args;
      const std::string sql = DeleteRange(run->key_value->keyspace, left.front().range, &args);
      StatementRun remove = Own(*run, sql);
      remove.args = args;
      inner_->Run(remove);
      status = remove.status;
      run->summary.rows_affected += remove.summary.rows_affected;
      left = left.subspan(1);
    }
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Connection::Mutate(const StatementRun& run, std::span<const KeyMutation> mutations) {
  std::vector<std::vector<Value>> puts;
  std::vector<std::vector<Value>> deletes;
  for (const auto& [key, mutation] : LastOfEachKey(mutations)) {
    if (mutation->kind == KeyMutation::Kind::kPut) {
      puts.push_back({Value::Blob(key), Value::Blob(mutation->value)});
    } else {
      deletes.push_back({Value::Blob(key)});
    }
  }
  const std::string_view keyspace = run.key_value->keyspace;
  absl::Status status = ApplyRows(run, Upsert(keyspace), puts);
  if (status.ok()) status = ApplyRows(run, DeleteKey(keyspace), deletes);
  return status;
}

absl::Status Connection::ApplyRows(const StatementRun& run, std::string_view sql,
                                   std::span<const std::vector<Value>> rows) {
  if (rows.empty()) return absl::OkStatus();
  StatementRun statement = Own(run, sql);
  statement.rows = rows;
  inner_->Run(statement);
  return statement.status;
}

}  // namespace penstock::sql_key_value
