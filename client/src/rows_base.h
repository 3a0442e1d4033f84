// What every implementation of Rows shares: its state, and Scan by cells.
#ifndef PENSTOCK_CLIENT_SRC_ROWS_BASE_H_
#define PENSTOCK_CLIENT_SRC_ROWS_BASE_H_

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "penstock/rows.h"

namespace penstock::internal {

// Shared by the runs of a prepared statement.
using ColumnList = std::shared_ptr<const std::vector<ColumnType>>;

class RowsBase : public Rows {
 public:
  explicit RowsBase(ColumnList columns) : columns_(std::move(columns)) {}

  bool Next() final;
  absl::Status ScanRow(std::span<const Destination> destinations) final;
  absl::Status ScanColumn(std::string_view column, const Destination& destination) final;
  std::vector<Value> Values() const final;
  absl::Status Close() final;
  std::vector<std::string> Columns() const final;
  const std::vector<ColumnType>& ColumnTypes() const final { return *columns_; }
  absl::Status Err() const final { return error_; }

 protected:
  // Goes to the next row; false at the end. Not called again after that or an error.
  virtual absl::StatusOr<bool> Advance() = 0;
  // Of the current row; `column` is within bounds. Valid until Advance.
  virtual ValueView Cell(size_t column) const = 0;
  // Gives up what has not been read. At most once, and not after Advance has ended it.
  virtual void Abandon() = 0;

 private:
  enum class State { kBeforeRow, kOnRow, kEnded };

  // OK if there is a row; `what` needs one.
  absl::Status CheckRow(std::string_view what) const;
  absl::Status ScanCell(size_t column, const Destination& destination);
  absl::Status Fail(absl::Status error);

  const ColumnList columns_;
  State state_ = State::kBeforeRow;
  absl::Status error_;
};

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_ROWS_BASE_H_
