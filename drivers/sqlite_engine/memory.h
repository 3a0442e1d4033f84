// SQLite's memory, through which what SQLite does can be bounded and ended.
//
// While SQLite prepares a statement it looks at no deadline, and a few nested views can
// make it work, and take memory, for hours. But it cannot go far without asking for
// memory, and it is built to get on if there is none. So its allocator is one of ours,
// which gives none when the statement is to end.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_MEMORY_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_MEMORY_H_

#include <cstddef>

namespace penstock::sqlite_engine {

class StatementExecutor;

// As long as a scope lives, it watches what its thread allocates in SQLite: allocations fail
// once the executor's watch says that what runs is to end, or the budget is used up.
// Scopes may be nested; the innermost counts. Used by one thread.
class MemoryScope {
 public:
  static constexpr size_t kUnlimited = 0;

  // `executor` may be null. `budget`: how many bytes may be allocated, counting what
  // is freed again.
  MemoryScope(const StatementExecutor* executor, size_t budget);
  ~MemoryScope();
  MemoryScope(const MemoryScope&) = delete;
  MemoryScope& operator=(const MemoryScope&) = delete;

  // The budget is used up.
  bool exceeded() const { return exceeded_; }

  // Called by the allocator. True: it has to give nothing.
  bool Refuses(size_t bytes);

 private:
  const StatementExecutor* const executor_;
  const size_t budget_;
  size_t allocated_ = 0;
  unsigned calls_ = 0;
  bool ended_ = false;
  bool exceeded_ = false;
  MemoryScope* const outer_;
};

// Half of the memory that this process may use (its control group's, or the machine's)
// is the most that SQLite takes for all of its databases together: beyond that its
// statements fail with kBackendResources, and the process lives. Called by whoever opens
// a connection; the first call counts.
void LimitMemory();

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_MEMORY_H_
