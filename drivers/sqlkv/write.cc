// A write that takes several statements: conditions, or mutations of both sorts.
#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <unordered_map>

#include "drivers/api/error.h"
#include "drivers/sqlkv/connection.h"
#include "drivers/sqlkv/statements.h"

namespace penstock::sqlkv {
namespace {

using driver::KeyCondition;
using driver::KeyMutation;
using driver::KeyValueRun;
using driver::Reason;
using driver::StatementRun;
using driver::Value;

// How often a write is begun again that the backend could not serialize with
// others. Each time at least one of the others was done.
constexpr int kMaxAttempts = 20;

// Keys whose entries are looked up at once, for the conditions.
constexpr size_t kKeysAtOnce = 256;

constexpr std::string_view kSavepoint = "penstock_kv";

// The entries that a SELECT returns.
class Entries final : public driver::RowWriter {
 public:
  void Begin(const driver::Columns&) override { in_key_ = true; }
  void Null() override { Bytes(driver::Kind::kBlob, {}); }
  void Boolean(bool) override {}
  void Integer(int64_t) override {}
  void Real(double) override {}
  void Bytes(driver::Kind, std::string_view bytes) override {
    (in_key_ ? key_ : value_).assign(bytes);
    in_key_ = false;
  }
  void Timestamp(int64_t, int32_t) override {}
  void Array(std::span<const Value>) override {}
  void EndRow() override {
    entries_.insert_or_assign(key_, value_);
    in_key_ = true;
  }
  // Conditions are few: all entries are read at once.
  size_t bytes() const override { return 0; }

  bool Holds(const KeyCondition& condition) const {
    const auto found = entries_.find(condition.key);
    const bool present = found != entries_.end();
    switch (condition.sort) {
      case KeyCondition::Sort::kAbsent: return !present;
      case KeyCondition::Sort::kPresent: return present;
      case KeyCondition::Sort::kValueEquals: return present && found->second == condition.value;
    }
    return false;
  }

 private:
  bool in_key_ = true;
  std::string key_;
  std::string value_;
  std::map<std::string, std::string, std::less<>> entries_;
};

bool MayTryAgain(const absl::Status& status, const StatementRun& run) {
  if (driver::GetErrorInfo(status).retry != driver::Retry::kTransaction) return false;
  if (run.cancellation != nullptr && run.cancellation->cancelled()) return false;
  return !run.deadline.passed(std::chrono::steady_clock::now());
}

}  // namespace

void Connection::Write(StatementRun* run) {
  run->summary = {};
  run->wrong_lane = reads_only_ && !run->key_value->reads();
  run->key_value->failed_condition.reset();
  run->status = CheckLengths(*run->key_value);
  if (!run->status.ok() || run->wrong_lane) return;
  const bool nothing = run->key_value->mutations.empty() && run->key_value->conditions.empty();
  if (run->key_value->reads() || nothing) {
    // A read of no key, or a write of nothing.
    if (run->writer != nullptr) run->writer->Begin(driver::KeyValueColumns(*run->key_value));
    return;
  }
  for (int attempt = 1;; ++attempt) {
    const absl::StatusOr<Outcome> outcome = TryWrite(run);
    run->status = outcome.status();
    if (outcome.ok() && *outcome == Outcome::kNoTable) {
      if (DoneOnNothing(run)) return;
      run->status = CreateTable(*run, false);
      // Whoever else was creating it may have won.
      if (run->status.ok() || attempt == 1) continue;
      return;
    }
    if (outcome.ok() || attempt == kMaxAttempts || !MayTryAgain(run->status, *run)) return;
  }
}

absl::StatusOr<Connection::Outcome> Connection::TryWrite(StatementRun* run) {
  absl::Status begun = Begin({.isolation = driver::Isolation::kSerializable,
                              .caller = run->caller,
                              .deadline = run->deadline,
                              .cancellation = run->cancellation});
  if (!begun.ok()) return begun;
  absl::StatusOr<Outcome> outcome = Outcome::kNoTable;
  const absl::StatusOr<bool> exists = TableExists(*run);
  if (!exists.ok()) {
    outcome = exists.status();
  } else if (*exists) {
    outcome = Apply(run);
  }
  if (outcome.ok() && *outcome == Outcome::kDone) {
    absl::Status committed = inner_->Commit();
    if (!committed.ok()) return committed;
    return outcome;
  }
  absl::Status undone = inner_->Rollback();
  if (outcome.ok() && !undone.ok()) return undone;
  return outcome;
}

void Connection::WriteInTransaction(StatementRun* run) {
  run->summary = {};
  run->status = inner_->Savepoint(kSavepoint);
  if (!run->status.ok()) return;
  const absl::StatusOr<Outcome> outcome = Apply(run);
  run->status = outcome.status();
  if (!outcome.ok()) inner_->RollbackTo(kSavepoint).IgnoreError();
  const absl::Status released = inner_->Release(kSavepoint);
  if (run->status.ok()) run->status = released;
}

absl::StatusOr<Connection::Outcome> Connection::Apply(StatementRun* run) {
  const absl::StatusOr<bool> hold = ConditionsHold(run);
  if (!hold.ok()) return hold.status();
  if (!*hold) return Outcome::kConditionFailed;
  // A range is deleted where it stands; between two of them the order of puts and
  // deletes does not matter, but for the last one of each key.
  std::span<const KeyMutation> left = run->key_value->mutations;
  while (!left.empty()) {
    const auto is_range = [](const KeyMutation& mutation) {
      return mutation.sort == KeyMutation::Sort::kDeleteRange;
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
      left = left.subspan(1);
    }
    if (!status.ok()) return status;
  }
  return Outcome::kDone;
}

absl::StatusOr<bool> Connection::ConditionsHold(StatementRun* run) {
  const std::span<const KeyCondition> conditions = run->key_value->conditions;
  for (size_t from = 0; from < conditions.size(); from += kKeysAtOnce) {
    const auto part = conditions.subspan(from, std::min(kKeysAtOnce, conditions.size() - from));
    std::vector<std::string_view> keys;
    for (const KeyCondition& condition : part) keys.push_back(condition.key);
    KeyValueRun::Scratch scratch;
    const std::string sql = SelectKeys(run->key_value->keyspace, keys, dialect_, &scratch);
    Entries entries;
    StatementRun select = Own(*run, sql);
    select.args = scratch.args;
    select.writer = &entries;
    inner_->Run(select);
    if (!select.status.ok()) return select.status;
    for (size_t i = 0; i < part.size(); ++i) {
      if (entries.Holds(part[i])) continue;
      run->key_value->failed_condition = from + i;
      return false;
    }
  }
  return true;
}

absl::Status Connection::Mutate(const StatementRun& run, std::span<const KeyMutation> mutations) {
  std::unordered_map<std::string_view, const KeyMutation*> last;
  for (const KeyMutation& mutation : mutations) last[mutation.key] = &mutation;
  std::vector<std::vector<Value>> puts;
  std::vector<std::vector<Value>> deletes;
  for (const KeyMutation& mutation : mutations) {
    if (last[mutation.key] != &mutation) continue;
    if (mutation.sort == KeyMutation::Sort::kPut) {
      puts.push_back({Value::Blob(mutation.key), Value::Blob(mutation.value)});
    } else {
      deletes.push_back({Value::Blob(mutation.key)});
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

}  // namespace penstock::sqlkv
