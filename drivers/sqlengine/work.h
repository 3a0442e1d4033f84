// How long a function of ours that SQLite calls may go on.
#ifndef PENSTOCK_DRIVERS_SQLENGINE_WORK_H_
#define PENSTOCK_DRIVERS_SQLENGINE_WORK_H_

#include <cstddef>

#include "drivers/sqlengine/executor.h"

namespace penstock::sqlengine {

// Counts what a function has done and looks at the executor's watch now and then:
// SQLite itself does not while a function runs. One for each call of the function.
class Work {
 public:
  explicit Work(const Executor* executor) : executor_(executor) {}

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

  const Executor* const executor_;
  size_t done_ = 0;
};

}  // namespace penstock::sqlengine

#endif  // PENSTOCK_DRIVERS_SQLENGINE_WORK_H_
