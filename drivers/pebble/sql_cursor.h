// The rest of a SELECT, read as the client takes it.
#ifndef PENSTOCK_DRIVERS_PEBBLE_SQL_CURSOR_H_
#define PENSTOCK_DRIVERS_PEBBLE_SQL_CURSOR_H_

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "drivers/pebble/sql_session.h"

namespace penstock::pebble {

// Keeps the snapshot of its statement until it is destroyed.
class SqlCursor final : public driver::Cursor {
 public:
  // Goes on with `run` after its first batch.
  SqlCursor(sqlite_engine::StatementExecutor* executor, sqlite_engine::Statement* statement,
            std::unique_ptr<StatementScope> scope, const driver::StatementRun& run)
      : executor_(executor),
        statement_(statement),
        scope_(std::move(scope)),
        deadline_(run.deadline),
        cancellation_(run.cancellation),
        summary_(run.summary) {}
  // The scope goes after the statement has let go of what it reads.
  ~SqlCursor() override { statement_->Reset(); }

  absl::StatusOr<bool> Fetch(const driver::BatchLimits& limits, driver::RowWriter* writer) override;
  const driver::Summary& summary() const override { return summary_; }

 private:
  sqlite_engine::StatementExecutor* const executor_;
  sqlite_engine::Statement* const statement_;
  const std::unique_ptr<StatementScope> scope_;
  const driver::Deadline deadline_;
  const driver::Cancellation* const cancellation_;
  driver::Summary summary_;
  bool finished_ = false;
};

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_SQL_CURSOR_H_
