#include "drivers/sqlite/cursor.h"

namespace penstock::sqlite {

Cursor::~Cursor() {
  if (finished_) return;
  absl::Status status;
  connection_->FinishFirstBatch(statement_, changes_before_, &status, &summary_);
}

absl::StatusOr<bool> Cursor::Fetch(const driver::BatchLimits& limits, driver::RowWriter* writer) {
  if (finished_) return false;
  absl::Status status;
  {
    sqlite_engine::StatementExecutor* executor = connection_->executor();
    const Connection::Watch watch(executor, deadline_, cancellation_);
    const absl::StatusOr<bool> more = executor->StepOn(statement_, limits, writer, &summary_);
    if (more.ok() && *more) return true;
    status = more.status();
  }
  finished_ = true;
  connection_->FinishFirstBatch(statement_, changes_before_, &status, &summary_);
  if (!status.ok()) return status;
  return false;
}

}  // namespace penstock::sqlite
