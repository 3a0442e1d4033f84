// Whether the conditions of a write hold.
#include <algorithm>
#include <map>

#include "drivers/sql_key_value/connection.h"
#include "drivers/sql_key_value/statements.h"

namespace penstock::sql_key_value {
namespace {

using driver::KeyCondition;
using driver::KeyValueRun;
using driver::StatementRun;
using driver::Value;

// Keys whose entries are looked up at once.
constexpr size_t kKeysAtOnce = 256;

}  // namespace

// The entries that a SELECT returns.
class Connection::Entries final : public driver::RowWriter {
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

  // The key is there, whatever its value.
  void AddPresent(std::string_view key) { entries_.try_emplace(std::string(key)); }

  bool Holds(const KeyCondition& condition) const {
    const auto found = entries_.find(condition.key);
    const bool present = found != entries_.end();
    switch (condition.kind) {
      case KeyCondition::Kind::kAbsent: return !present;
      case KeyCondition::Kind::kPresent: return present;
      case KeyCondition::Kind::kValueEquals: return present && found->second == condition.value;
    }
    return false;
  }

 private:
  bool in_key_ = true;
  std::string key_;
  std::string value_;
  std::map<std::string, std::string, std::less<>> entries_;
};

absl::Status Connection::ReadEntries(const StatementRun& run,
                                     std::span<const KeyCondition> conditions,
                                     const Keys* placeholders, Entries* entries) {
  std::vector<std::string_view> keys;
  for (const KeyCondition& condition : conditions) {
    if (placeholders != nullptr && placeholders->contains(condition.key)) continue;
    // A key that is locked, and needed no placeholder, is there.
    const bool known = placeholders != nullptr &&
                       condition.kind != KeyCondition::Kind::kValueEquals &&
                       condition.key.size() <= dialect_.max_key_bytes;
    if (known) {
      entries->AddPresent(condition.key);
    } else {
      keys.push_back(condition.key);
    }
  }
  if (keys.empty()) return absl::OkStatus();
  KeyValueRun::Scratch scratch;
  const std::string sql = SelectKeys(run.key_value->keyspace, keys, dialect_, &scratch);
  StatementRun select = Own(run, sql);
  select.args = scratch.args;
  select.writer = entries;
  inner_->Run(select);
  return select.status;
}

absl::StatusOr<bool> Connection::ConditionsHold(StatementRun* run, const Keys* placeholders) {
  const std::span<const KeyCondition> conditions = run->key_value->conditions;
  for (size_t from = 0; from < conditions.size(); from += kKeysAtOnce) {
    const auto part = conditions.subspan(from, std::min(kKeysAtOnce, conditions.size() - from));
    Entries entries;
    absl::Status read = ReadEntries(*run, part, placeholders, &entries);
    if (!read.ok()) return read;
    for (size_t i = 0; i < part.size(); ++i) {
      if (entries.Holds(part[i])) continue;
      run->key_value->failed_condition = from + i;
      return false;
    }
  }
  return true;
}

}  // namespace penstock::sql_key_value
