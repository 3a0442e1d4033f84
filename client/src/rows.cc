#include "penstock/rows.h"

#include "client/src/format.h"
#include "client/src/refusal.h"
#include "client/src/rows_base.h"

namespace penstock {

absl::StatusOr<int64_t> Result::LastInsertId() const {
  if (last_insert_id_.has_value()) return *last_insert_id_;
  return internal::Refusal(
      absl::StatusCode::kUnimplemented,
      "no last insert id: the statement inserted no row, or this backend does not "
      "tell (capability last_insert_id)",
      "UNSUPPORTED", "read the key with INSERT … RETURNING and Query");
}

namespace internal {

bool RowsBase::Next() {
  if (state_ == State::kEnded) return false;
  const absl::StatusOr<bool> more = Advance();
  if (!more.ok()) error_ = more.status();
  state_ = more.ok() && *more ? State::kOnRow : State::kEnded;
  return state_ == State::kOnRow;
}

absl::Status RowsBase::ScanRow(std::span<const Destination> destinations) {
  if (!error_.ok()) return error_;
  if (state_ != State::kOnRow) {
    return absl::FailedPreconditionError("Scan without a row: Next comes first");
  }
  if (destinations.size() != columns_->size()) {
    return Fail(InvalidParameter(internal::Format("Scan has {} variables for a row of {} columns",
                                                  destinations.size(), columns_->size())));
  }
  for (size_t i = 0; i < destinations.size(); ++i) {
    const absl::Status assigned = destinations[i].Assign(Cell(i));
    if (!assigned.ok()) {
      return Fail(InvalidParameter(internal::Format(
          "column {} \"{}\": {}", i + 1, (*columns_)[i].name,
          std::string_view(assigned.message().data(), assigned.message().size()))));
    }
  }
  return absl::OkStatus();
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

// The statement still runs, or its stream is still in use: that ends too.
absl::Status RowsBase::Fail(absl::Status error) {
  Abandon();
  state_ = State::kEnded;
  error_ = std::move(error);
  return error_;
}

}  // namespace internal
}  // namespace penstock
