// The rest of a result, read as the client takes it.
#ifndef PENSTOCK_DRIVERS_SQLITE_CURSOR_H_
#define PENSTOCK_DRIVERS_SQLITE_CURSOR_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "drivers/sqlite/connection.h"
#include "drivers/sqlite/statement.h"

namespace penstock::sqlite {

// A bound statement that is stepped batch by batch, and reset at the end.
class Cursor final : public driver::Cursor {
 public:
  Cursor(Connection* connection, Statement* statement, const driver::StatementRun& run)
      : connection_(connection),
        statement_(statement),
        sql_(run.sql),
        deadline_(run.deadline),
        cancellation_(run.cancellation) {}
  ~Cursor() override { statement_->Reset(); }

  // The first batch, which begins with the columns. The caller watches.
  absl::StatusOr<bool> FetchFirst(const driver::BatchLimits& limits, driver::RowWriter* writer);

  absl::StatusOr<bool> Fetch(const driver::BatchLimits& limits, driver::RowWriter* writer) override;
  const driver::Summary& summary() const override { return summary_; }

 private:
  // Goes on from `code`, the outcome of the last step.
  absl::StatusOr<bool> WriteRows(int code, const driver::BatchLimits& limits,
                                 driver::RowWriter* writer);

  Connection* const connection_;
  Statement* const statement_;
  const std::string_view sql_;
  const driver::Deadline deadline_;
  const driver::Cancellation* const cancellation_;
  driver::Summary summary_;
};

}  // namespace penstock::sqlite

#endif  // PENSTOCK_DRIVERS_SQLITE_CURSOR_H_
