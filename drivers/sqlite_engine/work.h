// How long a function of ours that SQLite calls may go on.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_WORK_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_WORK_H_

#include <cstddef>

#include "drivers/sqlite_engine/statement_executor.h"

namespace penstock::sqlite_engine {

// Counts what a function has done and looks at the executor's watch now and then:
// SQLite itself does not while a function runs. One for each call of the function.
class Work {
 public:
  explicit Work(const StatementExecutor* executor) : executor_(executor) {}

  // Adds `units`, each of some nanoseconds. True: the statement is to end, and so must
  // the function, with SQLITE_INTERRUPT.
  bool Add(size_t units) {
    done_ += units;
    if (done_ < kUnitsBetweenLooks) return false;
    done_ = 0;
    return executor_->interrupted();
  }

 private:
  // Some hundred microseconds.
  static constexpr size_t kUnitsBetweenLooks = 1 << 16;

  const StatementExecutor* const executor_;
  size_t done_ = 0;
};

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_WORK_H_
