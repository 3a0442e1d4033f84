// The rest of a result, read as the client takes it.
#ifndef PENSTOCK_DRIVERS_SQLITE_CURSOR_H_
#define PENSTOCK_DRIVERS_SQLITE_CURSOR_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "drivers/sqlite/connection.h"
#include "drivers/sqlite_engine/statement.h"

namespace penstock::sqlite {

// A statement that is stepped batch by batch. If it writes, all of that was done
// with the first step: it is undone by an error, and kept when the cursor is
// destroyed early.
class Cursor final : public driver::Cursor {
 public:
  // Goes on with `run` after its first batch.
  Cursor(Connection* connection, Statement* statement, const driver::StatementRun& run,
         int64_t changes_before)
      : connection_(connection),
        statement_(statement),
        deadline_(run.deadline),
        cancellation_(run.cancellation),
        changes_before_(changes_before),
        summary_(run.summary) {}
  ~Cursor() override;

  absl::StatusOr<bool> Fetch(const driver::BatchLimits& limits, driver::RowWriter* writer) override;
  const driver::Summary& summary() const override { return summary_; }

 private:
  Connection* const connection_;
  Statement* const statement_;
  const driver::Deadline deadline_;
  const driver::Cancellation* const cancellation_;
  const int64_t changes_before_;
  driver::Summary summary_;
  bool finished_ = false;
};

}  // namespace penstock::sqlite

#endif  // PENSTOCK_DRIVERS_SQLITE_CURSOR_H_
