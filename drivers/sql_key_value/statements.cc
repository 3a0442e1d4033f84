#include "drivers/sql_key_value/statements.h"

#include <algorithm>
#include <bit>

#include "fmt/format.h"

namespace penstock::sql_key_value {
namespace {

using driver::KeyMutation;
using driver::KeyRange;
using driver::KeyValueRun;
using driver::Value;

std::string RangeCondition(const KeyRange& range, std::vector<Value>* args) {
  args->push_back(Value::Blob(range.start));
  if (!range.end.has_value()) return "key >= $1";
  args->push_back(Value::Blob(*range.end));
  return "key >= $1 AND key < $2";
}

bool AllAre(std::span<const KeyMutation> mutations, KeyMutation::Kind kind) {
  return std::all_of(mutations.begin(), mutations.end(),
                     [kind](const KeyMutation& mutation) { return mutation.kind == kind; });
}

// A single entry goes as parameters, which every driver puts into its batches.
void BindMutations(const KeyValueRun& write, KeyValueRun::Scratch* scratch) {
  const auto values = [](const KeyMutation& mutation) {
    std::vector<Value> row = {Value::Blob(mutation.key)};
    if (mutation.kind == KeyMutation::Kind::kPut) row.push_back(Value::Blob(mutation.value));
    return row;
  };
  if (write.mutations.size() == 1) {
    scratch->args = values(write.mutations.front());
    return;
  }
  for (const auto& [key, mutation] : LastOfEachKey(write.mutations)) {
    scratch->rows.push_back(values(*mutation));
  }
}

bool PlanWrite(const KeyValueRun& write, const driver::KeyValueDialect& dialect,
               KeyValueRun::Scratch* scratch) {
  if (!write.conditions.empty() || write.mutations.empty()) return false;
  const KeyMutation& first = write.mutations.front();
  if (!AllAre(write.mutations, first.kind)) return false;
  switch (first.kind) {
    case KeyMutation::Kind::kPut:
      scratch->sql = Upsert(write.keyspace);
      BindMutations(write, scratch);
      return true;
    case KeyMutation::Kind::kDelete:
      // A key that is not there is not locked by its deletion: one is done without that.
      if (dialect.locks && write.mutations.size() > 1) return false;
      scratch->sql = DeleteKey(write.keyspace);
      BindMutations(write, scratch);
      return true;
    case KeyMutation::Kind::kDeleteRange:
      if (dialect.locks || write.mutations.size() > 1) return false;
      scratch->sql = DeleteRange(write.keyspace, first.range, &scratch->args);
      return true;
  }
  return false;
}

}  // namespace

std::string TableName(std::string_view keyspace) { return fmt::format("penstock_kv_{}", keyspace); }

std::string CreateTable(std::string_view keyspace, const driver::KeyValueDialect& dialect) {
  return fmt::format("CREATE TABLE IF NOT EXISTS {} {}", TableName(keyspace), dialect.columns);
}

std::string SelectKeys(std::string_view keyspace, std::span<const std::string_view> keys,
                       const driver::KeyValueDialect& dialect, KeyValueRun::Scratch* scratch) {
  const std::string select =
      fmt::format("SELECT key, value FROM {} WHERE key ", TableName(keyspace));
  scratch->args.clear();
  if (keys.size() == 1) {
    scratch->args.push_back(Value::Blob(keys.front()));
    return select + "= $1";
  }
  if (dialect.key_array) {
    scratch->elements.clear();
    for (const std::string_view key : keys) scratch->elements.push_back(Value::Blob(key));
    scratch->args.push_back({.kind = driver::Kind::kArray, .elements = scratch->elements});
    return select + "= ANY($1)";
  }
  // SQLite takes time for each name that is the square of their number.
  std::string sql = select + "IN (?";
  const size_t count = std::bit_ceil(keys.size());
  for (size_t i = 0; i < count; ++i) {
    scratch->args.push_back(Value::Blob(keys[std::min(i, keys.size() - 1)]));
    if (i > 0) sql += ",?";
  }
  return sql + ")";
}

std::string SelectRange(const KeyValueRun& scan, std::vector<Value>* args) {
  std::string sql = fmt::format("SELECT key{} FROM {} WHERE {} ORDER BY key{}",
                                scan.keys_only ? "" : ", value", TableName(scan.keyspace),
                                RangeCondition(scan.range, args), scan.reverse ? " DESC" : "");
  if (scan.limit > 0) {
    args->push_back(Value::Integer(scan.limit));
    sql += fmt::format(" LIMIT ${}", args->size());
  }
  return sql;
}

std::string Upsert(std::string_view keyspace) {
  return fmt::format(
      "INSERT INTO {} (key, value) VALUES ($1, $2) "
      "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      TableName(keyspace));
}

std::string DeleteKey(std::string_view keyspace) {
  return fmt::format("DELETE FROM {} WHERE key = $1", TableName(keyspace));
}

std::string DeleteRange(std::string_view keyspace, const KeyRange& range,
                        std::vector<Value>* args) {
  return fmt::format("DELETE FROM {} WHERE {}", TableName(keyspace), RangeCondition(range, args));
}

// DO UPDATE locks the row of a conflict before it looks at its WHERE.
std::string LockKeys(std::string_view keyspace) {
  return fmt::format(
      "INSERT INTO {} (key, value) SELECT k, ''::bytea FROM unnest($1::bytea[]) AS k "
      "ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE false RETURNING key",
      TableName(keyspace));
}

std::string LockTable(std::string_view keyspace) {
  return fmt::format("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", TableName(keyspace));
}

std::map<std::string_view, const KeyMutation*> LastOfEachKey(
    std::span<const KeyMutation> mutations) {
  std::map<std::string_view, const KeyMutation*> last;
  for (const KeyMutation& mutation : mutations) last[mutation.key] = &mutation;
  return last;
}

bool DeletesRange(const KeyValueRun& operation) {
  return std::any_of(
      operation.mutations.begin(), operation.mutations.end(),
      [](const KeyMutation& mutation) { return mutation.kind == KeyMutation::Kind::kDeleteRange; });
}

bool PlanAsOne(driver::StatementRun* run, const driver::KeyValueDialect& dialect) {
  KeyValueRun& operation = *run->key_value;
  KeyValueRun::Scratch& scratch = operation.scratch;
  scratch.args.clear();
  scratch.rows.clear();
  bool one = true;
  switch (operation.kind) {
    case KeyValueRun::Kind::kGet:
      if (operation.keys.empty()) return false;
      scratch.sql = SelectKeys(operation.keyspace, operation.keys, dialect, &scratch);
      break;
    case KeyValueRun::Kind::kScan: scratch.sql = SelectRange(operation, &scratch.args); break;
    case KeyValueRun::Kind::kWrite: one = PlanWrite(operation, dialect, &scratch); break;
  }
  if (!one) return false;
  run->sql = scratch.sql;
  run->args = scratch.args;
  run->rows = scratch.rows;
  return true;
}

}  // namespace penstock::sql_key_value
