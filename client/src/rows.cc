#include "penstock/rows.h"

#include "client/src/format.h"
#include "client/src/refusal.h"
#include "client/src/rows_base.h"

namespace penstock {

absl::StatusOr<int64_t> Result::LastInsertId() const {
  if (last_insert_id_.has_value()) return *last_insert_id_;
  return internal::Refusal(absl::StatusCode::kUnimplemented,
                           "no last insert id: the statement inserted no row, or this backend does "
                           "not report it (capability last_insert_id)",
                           "UNSUPPORTED", "read the key with INSERT … RETURNING and Query");
}

absl::Status Rows::ScanColumn(std::string_view column, const Destination& destination) {
  static_cast<void>(column);
  static_cast<void>(destination);
  return absl::UnimplementedError(
      "this class of Rows does not override ScanColumn, which Get needs");
}

Async<bool> Rows::NextAsync() {
  auto next = [this]() -> absl::StatusOr<bool> {
    if (Next()) return true;
    if (!Err().ok()) return Err();
    return false;
  };
  return Async<bool>(std::make_shared<internal::ImmediateCall<bool, decltype(next)>>(next));
}

namespace internal {
namespace {

std::string ListNames(const std::vector<ColumnType>& columns) {
  std::string names;
  for (const ColumnType& column : columns) {
    names += Format("{}\"{}\"", names.empty() ? "" : ", ", column.name);
  }
  return columns.empty() ? "none" : names;
}

}  // namespace

bool RowsBase::Next() {
  if (state_ == State::kEnded) return false;
  const absl::StatusOr<bool> more = Advance();
  if (!more.ok()) error_ = more.status();
  state_ = more.ok() && *more ? State::kOnRow : State::kEnded;
  return state_ == State::kOnRow;
}

absl::Status RowsBase::CheckRow(std::string_view what) const {
  if (!error_.ok()) return error_;
  if (state_ == State::kOnRow) return absl::OkStatus();
  const std::string message = Format("{} needs a current row; call Next first", what);
  return absl::FailedPreconditionError(message);
}

absl::Status RowsBase::ScanCell(size_t column, const Destination& destination) {
  absl::Status assigned = destination.Assign(Cell(column));
  if (assigned.ok()) return assigned;
  return Fail(InvalidParameter(
      Format("column {} \"{}\": {}", column + 1, (*columns_)[column].name, assigned.message())));
}

absl::Status RowsBase::ScanRow(std::span<const Destination> destinations) {
  if (absl::Status row = CheckRow("Scan"); !row.ok()) return row;
  if (destinations.size() != columns_->size()) {
    return Fail(InvalidParameter(internal::Format("Scan has {} variables for a row of {} columns",
                                                  destinations.size(), columns_->size())));
  }
  for (size_t i = 0; i < destinations.size(); ++i) {
    if (absl::Status scanned = ScanCell(i, destinations[i]); !scanned.ok()) return scanned;
  }
  return absl::OkStatus();
}

absl::Status RowsBase::ScanColumn(std::string_view column, const Destination& destination) {
  if (absl::Status row = CheckRow("Get"); !row.ok()) return row;
  size_t found = columns_->size();
  size_t times = 0;
  for (size_t i = 0; i < columns_->size(); ++i) {
    if ((*columns_)[i].name != column) continue;
    found = i;
    ++times;
  }
  if (times == 1) return ScanCell(found, destination);
  return Fail(
      InvalidParameter(Format("Get: {} \"{}\"; the columns are {}",
                              times == 0 ? "there is no column" : "more than one column is called",
                              column, ListNames(*columns_))));
}

std::vector<Value> RowsBase::Values() const {
  std::vector<Value> row;
  if (state_ != State::kOnRow) return row;
  row.reserve(columns_->size());
  for (size_t i = 0; i < columns_->size(); ++i) row.push_back(Cell(i).Copy());
  return row;
}

absl::Status RowsBase::Close() {
  if (state_ != State::kEnded) Abandon();
  state_ = State::kEnded;
  return error_;
}

std::vector<std::string> RowsBase::Columns() const {
  std::vector<std::string> names;
  names.reserve(columns_->size());
  for (const ColumnType& column : *columns_) names.push_back(column.name);
  return names;
}

// The statement, or its stream, is still in use; Abandon ends that.
absl::Status RowsBase::Fail(absl::Status error) {
  Abandon();
  state_ = State::kEnded;
  error_ = std::move(error);
  return error_;
}

}  // namespace internal
}  // namespace penstock
