#include "drivers/sqlite_engine/memory.h"

#include <sqlite3.h>

#include <cstdint>

#include "drivers/api/process_memory.h"
#include "drivers/sqlite_engine/statement_executor.h"

namespace penstock::sqlite_engine {
namespace {

thread_local MemoryScope* innermost = nullptr;

sqlite3_mem_methods usual;

bool Refused(int bytes) {
  return innermost != nullptr && innermost->Refuses(static_cast<size_t>(bytes));
}

void* Allocate(int bytes) { return Refused(bytes) ? nullptr : usual.xMalloc(bytes); }

void* Reallocate(void* memory, int bytes) {
  return Refused(bytes) ? nullptr : usual.xRealloc(memory, bytes);
}

// SQLite takes another allocator only before its first use.
const bool installed = [] {
  if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &usual) != SQLITE_OK) return false;
  sqlite3_mem_methods watched = usual;
  watched.xMalloc = Allocate;
  watched.xRealloc = Reallocate;
  return sqlite3_config(SQLITE_CONFIG_MALLOC, &watched) == SQLITE_OK;
}();

}  // namespace

MemoryScope::MemoryScope(const StatementExecutor* executor, size_t budget)
    : executor_(executor), budget_(budget), outer_(innermost) {
  innermost = this;
}

MemoryScope::~MemoryScope() { innermost = outer_; }

bool MemoryScope::Refuses(size_t bytes) {
  if (ended_) return true;
  allocated_ += bytes;
  exceeded_ = budget_ != kUnlimited && allocated_ > budget_;
  // Reading the clock takes as long as a small allocation.
  constexpr unsigned kCallsBetweenLooks = 64;
  const bool looks = ++calls_ % kCallsBetweenLooks == 0 && executor_ != nullptr;
  ended_ = exceeded_ || (looks && executor_->interrupted());
  return ended_;
}

void LimitMemory() {
  static const bool limited = [] {
    sqlite3_hard_heap_limit64(static_cast<int64_t>(driver::ProcessMemory() / 2));
    return installed;
  }();
  static_cast<void>(limited);
}

}  // namespace penstock::sqlite_engine
