#include "drivers/pebble/sql_cursor.h"

namespace penstock::pebble {

absl::StatusOr<bool> SqlCursor::Fetch(const driver::BatchLimits& limits,
                                      driver::RowWriter* writer) {
  if (finished_) return false;
  const sqlite_engine::StatementExecutor::Watch watch(executor_, deadline_, cancellation_);
  const absl::StatusOr<bool> more = executor_->StepOn(statement_, limits, writer, &summary_);
  finished_ = !more.ok() || !*more;
  return more;
}

}  // namespace penstock::pebble
