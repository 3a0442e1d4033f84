#include "drivers/postgres/statement.h"

#include <algorithm>
#include <iterator>
#include <random>
#include <utility>

#include "fmt/format.h"

namespace penstock::postgres {
namespace {

using std::chrono::milliseconds;

constexpr auto kBriskTime = milliseconds(3);
constexpr size_t kBriskBytes = size_t{16} << 10;

std::string RandomPrefix() {
  std::random_device random;
  return fmt::format("penstock_{:08x}{:08x}_", random(), random());
}

}  // namespace

void Statement::Note(std::chrono::nanoseconds took, size_t bytes) {
  has_run = true;
  time = std::max(took, time - time / 8);
  result_bytes = std::max(bytes, result_bytes - result_bytes / 8);
}

bool Statement::brisk() const {
  return has_run && !provisional && time < kBriskTime && result_bytes < kBriskBytes &&
         !effects.changes_session && !effects.reads_sequences;
}

StatementCache::StatementCache(size_t capacity) : capacity_(capacity), prefix_(RandomPrefix()) {}

std::string StatementCache::KeyOf(std::string_view sql, const std::vector<uint32_t>& types) const {
  std::string key(sql);
  // No SQL text has a NUL in it.
  for (const uint32_t type : types) key += '\0' + std::to_string(type);
  return key + scope_;
}

Statement* StatementCache::Find(std::string_view sql, const std::vector<uint32_t>& types) {
  const bool plain = types.empty() && scope_.empty();
  const auto found = plain ? by_key_.find(sql) : by_key_.find(KeyOf(sql, types));
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  Statement* statement = entries_.front().statement.get();
  statement->fresh = false;
  if (types.empty()) last_ = statement;
  return statement;
}

Statement* StatementCache::FindAgain(std::string_view sql) {
  if (last_ == nullptr || last_->sql != sql) return Find(sql);
  last_->fresh = false;
  return last_;
}

Statement* StatementCache::Add(std::unique_ptr<Statement> statement,
                               const std::vector<uint32_t>& types) {
  std::string key = KeyOf(statement->sql, types);
  if (const auto old = by_key_.find(key); old != by_key_.end()) Erase(old->second);
  if (!statement->name.empty()) ++kept_;
  entries_.push_front(
      {.key = std::move(key), .statement = std::move(statement), .scoped = in_scope()});
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

void StatementCache::RemoveAll() {
  while (!entries_.empty()) Erase(entries_.begin());
}

void StatementCache::Erase(Entries::iterator entry) {
  if (!entry->statement->name.empty()) {
    --kept_;
    removed_.push_back(entry->statement->name);
  }
  if (last_ == entry->statement.get()) last_ = nullptr;
  by_key_.erase(entry->key);
  graves_.push_back(std::move(entry->statement));
  entries_.erase(entry);
}

void StatementCache::Clear() {
  RemoveAll();
  removed_.clear();
}

void StatementCache::EnterScope() {
  last_ = nullptr;
  scope_ = fmt::format("{}s{}", '\0', ++scopes_);
}

void StatementCache::LeaveScopes() {
  if (scope_.empty()) return;
  last_ = nullptr;
  scope_.clear();
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    if (entry->scoped) Erase(entry);
    entry = next;
  }
}

}  // namespace penstock::postgres
