#include <algorithm>
#include <utility>

#include "client/src/rows_base.h"
#include "penstock/make_rows.h"

namespace penstock {
namespace {

class MemoryRows final : public internal::RowsBase {
 public:
  MemoryRows(internal::ColumnList columns, std::vector<std::vector<Value>> rows, absl::Status error)
      : RowsBase(std::move(columns)), rows_(std::move(rows)), error_(std::move(error)) {}

  int64_t RowsAffected() const override { return 0; }

 protected:
  absl::StatusOr<bool> Advance() override {
    if (next_ == rows_.size()) {
      if (!error_.ok()) return error_;
      return false;
    }
    ++next_;
    return true;
  }
  ValueView Cell(size_t column) const override { return ValueView::Of(rows_[next_ - 1][column]); }
  void Abandon() override {}

 private:
  const std::vector<std::vector<Value>> rows_;
  const absl::Status error_;
  size_t next_ = 0;
};

// Returns the kind of the column's first value that is not NULL.
Kind KindOf(size_t column, const std::vector<std::vector<Value>>& rows) {
  for (const std::vector<Value>& row : rows) {
    if (!row[column].is_null()) return row[column].kind();
  }
  return Kind::kUnspecified;
}

}  // namespace

std::unique_ptr<Rows> MakeRows(std::vector<std::string> columns,
                               std::vector<std::vector<Value>> rows, absl::Status error) {
  for (std::vector<Value>& row : rows) row.resize(columns.size());
  auto types = std::make_shared<std::vector<ColumnType>>();
  for (size_t i = 0; i < columns.size(); ++i) {
    types->push_back({.name = std::move(columns[i]), .kind = KindOf(i, rows)});
  }
  return std::make_unique<MemoryRows>(std::move(types), std::move(rows), std::move(error));
}

}  // namespace penstock
