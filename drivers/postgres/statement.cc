#include "drivers/postgres/statement.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace penstock::postgres {
namespace {

using std::chrono::milliseconds;

constexpr auto kBriskTime = milliseconds(3);
constexpr size_t kBriskBytes = size_t{16} << 10;

std::string KeyOf(std::string_view sql, const std::vector<uint32_t>& types) {
  std::string key(sql);
  // No SQL text has a NUL in it.
  for (const uint32_t type : types) key += '\0' + std::to_string(type);
  return key;
}

}  // namespace

void Statement::Note(std::chrono::nanoseconds took, size_t bytes) {
  has_run = true;
  time = std::max(took, time - time / 8);
  result_bytes = std::max(bytes, result_bytes - result_bytes / 8);
}

bool Statement::brisk() const {
  return has_run && !provisional && time < kBriskTime && result_bytes < kBriskBytes &&
         !text.may_change_session;
}

Statement* StatementCache::Find(std::string_view sql, const std::vector<uint32_t>& types) {
  const auto found = types.empty() ? by_key_.find(sql) : by_key_.find(KeyOf(sql, types));
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  Statement* statement = entries_.front().statement.get();
  if (types.empty()) last_ = statement;
  return statement;
}

Statement* StatementCache::Add(std::unique_ptr<Statement> statement,
                               const std::vector<uint32_t>& types) {
  entries_.push_front({.key = KeyOf(statement->sql, types), .statement = std::move(statement)});
  by_key_.emplace(entries_.front().key, entries_.begin());
  // The one that was just found may be what this one is about to replace.
  while (entries_.size() > capacity_ && entries_.size() > 2) Erase(std::prev(entries_.end()));
  return entries_.front().statement.get();
}

void StatementCache::Remove(const Statement* statement) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.statement.get() == statement;
  });
  if (found != entries_.end()) Erase(found);
}

void StatementCache::Erase(Entries::iterator entry) {
  removed_.push_back(entry->statement->name);
  if (last_ == entry->statement.get()) last_ = nullptr;
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

void StatementCache::Clear() {
  by_key_.clear();
  entries_.clear();
  removed_.clear();
  last_ = nullptr;
}

}  // namespace penstock::postgres
