// Keeps a write of several statements apart from others where single statements
// are READ COMMITTED: two-phase locking.
//
// Whoever writes a key locks it, and whoever reads has one snapshot, that is, sees some
// of what was committed before. So the order of the commits is one in which each call
// could have been made at once, if all that a write depends on is locked from its first
// look at it to its commit: keys that are there, keys that are not, and ranges.
#include <algorithm>
#include <chrono>

#include "drivers/api/error.h"
#include "drivers/sql_key_value/connection.h"
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

// Keys that one statement locks.
constexpr size_t kLocksAtOnce = 1000;

// Keeps the keys that a statement returns.
class KeyWriter final : public driver::RowWriter {
 public:
  explicit KeyWriter(std::set<std::string, std::less<>>* keys) : keys_(keys) {}
  void Begin(const driver::Columns&) override {}
  void Null() override {}
  void Boolean(bool) override {}
  void Integer(int64_t) override {}
  void Real(double) override {}
  void Bytes(driver::Kind, std::string_view bytes) override { keys_->emplace(bytes); }
  void Timestamp(int64_t, int32_t) override {}
  void Array(std::span<const Value>) override {}
  void EndRow() override {}
  // All of them are wanted at once.
  size_t bytes() const override { return 0; }

 private:
  std::set<std::string, std::less<>>* const keys_;
};

// In their order, so that nobody waits for somebody who waits for them. Nobody puts a key
// that the index does not hold.
std::vector<std::string_view> KeysToLock(const KeyValueRun& write, size_t max_key_bytes) {
  std::vector<std::string_view> keys;
  const auto add = [&](std::string_view key) {
    if (key.size() <= max_key_bytes) keys.push_back(key);
  };
  for (const KeyCondition& condition : write.conditions) add(condition.key);
  for (const KeyMutation& mutation : write.mutations) {
    if (mutation.kind != KeyMutation::Kind::kDeleteRange) add(mutation.key);
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

}  // namespace

bool IsConflict(const absl::Status& status) {
  const Reason reason = driver::GetErrorInfo(status).reason;
  return reason == Reason::kSerializationFailure || reason == Reason::kDeadlock;
}

bool HasTime(const StatementRun& run) {
  if (run.cancellation != nullptr && run.cancellation->cancelled()) return false;
  return !run.deadline.passed(std::chrono::steady_clock::now());
}

absl::Status Connection::LockKeys(const StatementRun& run, Keys* placeholders) {
  const std::vector<std::string_view> keys = KeysToLock(*run.key_value, dialect_.max_key_bytes);
  const std::string sql = sql_key_value::LockKeys(run.key_value->keyspace);
  for (std::span<const std::string_view> left = keys; !left.empty();) {
    const auto part = left.first(std::min(kLocksAtOnce, left.size()));
    left = left.subspan(part.size());
    std::vector<Value> elements;
    for (const std::string_view key : part) elements.push_back(Value::Blob(key));
    const Value args[] = {{.kind = driver::Kind::kArray, .elements = elements}};
    KeyWriter absent(placeholders);
    StatementRun lock = Own(run, sql);
    lock.args = args;
    lock.writer = &absent;
    inner_->Run(lock);
    if (!lock.status.ok()) return lock.status;
  }
  return absl::OkStatus();
}

absl::Status Connection::RemovePlaceholders(const StatementRun& run, Keys placeholders) {
  for (const KeyMutation& mutation : run.key_value->mutations) {
    // A deletion has removed its own.
    if (mutation.kind == KeyMutation::Kind::kDeleteRange) continue;
    const auto found = placeholders.find(mutation.key);
    if (found != placeholders.end()) placeholders.erase(found);
  }
  std::vector<std::vector<Value>> rows;
  for (const std::string& key : placeholders) rows.push_back({Value::Blob(key)});
  return ApplyRows(run, DeleteKey(run.key_value->keyspace), rows);
}

absl::Status Connection::LockTable(const StatementRun& run, std::chrono::milliseconds patience) {
  const std::string limit = fmt::format("SET LOCAL lock_timeout = {}", patience.count());
  const std::string lock = sql_key_value::LockTable(run.key_value->keyspace);
  for (const std::string_view sql : {std::string_view(limit), std::string_view(lock)}) {
    StatementRun statement = Own(run, sql);
    statement.once = true;
    inner_->Run(statement);
    if (!statement.status.ok()) return statement.status;
  }
  return absl::OkStatus();
}

// On the server, where the caller's deadline and cancellation end it like any statement.
absl::Status Connection::Pause(const StatementRun& run, std::chrono::milliseconds time) {
  const std::string sql =
      fmt::format("SELECT pg_sleep({})", std::chrono::duration<double>(time).count());
  StatementRun pause = Own(run, sql);
  pause.once = true;
  return RunAlone(&pause);
}

}  // namespace penstock::sql_key_value
