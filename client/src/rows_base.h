// The common part of all implementations of Rows: the state, and Scan by cells.
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

// The columns of a result; shared by the runs of a prepared statement.
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
  // Moves to the next row; returns false at the end. Not called again after that or after an error.
  virtual absl::StatusOr<bool> Advance() = 0;
  // Returns a value of the current row, valid until Advance. `column` is within bounds.
  virtual ValueView Cell(size_t column) const = 0;
  // Gives up the rest of the rows. Called at most once, and not after Advance has ended them.
  virtual void Abandon() = 0;

 private:
  enum class State { kBeforeRow, kOnRow, kEnded };

  // Returns OK if there is a current row. `what` is the name of the operation in the error.
  absl::Status CheckRow(std::string_view what) const;
  absl::Status ScanCell(size_t column, const Destination& destination);
  absl::Status Fail(absl::Status error);

  const ColumnList columns_;
  State state_ = State::kBeforeRow;
  absl::Status error_;
};

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_ROWS_BASE_H_
