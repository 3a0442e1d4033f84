#include "drivers/sqlite/cursor.h"

#include <sqlite3.h>

namespace penstock::sqlite {

absl::StatusOr<bool> Cursor::FetchFirst(const driver::BatchLimits& limits,
                                        driver::RowWriter* writer) {
  const int code = sqlite3_step(statement_->handle());
  statement_->RefreshColumns();
  if (writer != nullptr && (code == SQLITE_ROW || code == SQLITE_DONE)) {
    writer->Begin(statement_->columns());
  }
  return WriteRows(code, limits, writer);
}

absl::StatusOr<bool> Cursor::Fetch(const driver::BatchLimits& limits, driver::RowWriter* writer) {
  connection_->deadline_ = &deadline_;
  connection_->cancellation_ = cancellation_;
  absl::StatusOr<bool> more = WriteRows(sqlite3_step(statement_->handle()), limits, writer);
  connection_->deadline_ = nullptr;
  connection_->cancellation_ = nullptr;
  return more;
}

absl::StatusOr<bool> Cursor::WriteRows(int code, const driver::BatchLimits& limits,
                                       driver::RowWriter* writer) {
  while (code == SQLITE_ROW) {
    ++summary_.rows_returned;
    if (writer != nullptr) {
      absl::Status written = statement_->WriteRow(writer);
      if (!written.ok()) return written;
      if (writer->bytes() >= limits.max_bytes) return true;
    }
    code = sqlite3_step(statement_->handle());
  }
  if (code != SQLITE_DONE) return connection_->Failure(sql_);
  return false;
}

}  // namespace penstock::sqlite
