#include "client/src/batch.h"

#include <algorithm>
#include <string>

#include "client/src/convert.h"
#include "client/src/format.h"
#include "client/src/status.h"

namespace penstock::internal {
namespace {

template <typename Array>
bool Has(const Array& array, size_t rows) {
  return static_cast<size_t>(array.size()) == rows;
}

// The daemon omits the bits after the last NULL.
bool IsNull(const std::string& nulls, size_t row) {
  return row / 8 < nulls.size() && (static_cast<uint8_t>(nulls[row / 8]) >> (row % 8) & 1) != 0;
}

}  // namespace

absl::Status Batch::Reset(v1::QueryResponse* part, size_t column_count) {
  part_.Swap(part);
  row_count_ = 0;
  const size_t rows = part_.row_count();
  if (rows == 0) return absl::OkStatus();
  if (!Has(part_.data(), column_count)) {
    return ProtocolError(
        internal::Format("a batch has {} columns of {}", part_.data_size(), column_count));
  }
  readers_.resize(column_count);
  for (size_t i = 0; i < column_count; ++i) {
    if (!Open(part_.data(static_cast<int>(i)), rows, &readers_[i])) {
      return ProtocolError(
          internal::Format("column {} of a batch does not have {} rows", i + 1, rows));
    }
  }
  row_count_ = rows;
  return absl::OkStatus();
}

bool Batch::Open(const v1::ColumnData& column, size_t rows, Reader* reader) {
  *reader = Reader();
  reader->nulls = &column.nulls();
  if (!v1::Kind_IsValid(column.kind())) return false;
  reader->kind = static_cast<Kind>(column.kind());
  switch (reader->kind) {
    case Kind::kBoolean:
      reader->booleans = column.booleans().data();
      return Has(column.booleans(), rows);
    case Kind::kInteger:
      reader->integers = column.integers().data();
      return Has(column.integers(), rows);
    case Kind::kReal: reader->reals = column.reals().data(); return Has(column.reals(), rows);
    case Kind::kTimestamp:
      reader->integers = column.integers().data();
      reader->nanos = column.nanos().data();
      return Has(column.integers(), rows) && Has(column.nanos(), rows);
    case Kind::kArray:
    case Kind::kUnspecified: return OpenMixed(column, rows, reader);
    default: return OpenBytes(column, rows, reader);
  }
}

bool Batch::OpenBytes(const v1::ColumnData& column, size_t rows, Reader* reader) {
  reader->ends = column.ends().data();
  reader->data = column.data().data();
  return Has(column.ends(), rows) && std::is_sorted(column.ends().begin(), column.ends().end()) &&
         column.ends(static_cast<int>(rows) - 1) <= column.data().size();
}

bool Batch::OpenMixed(const v1::ColumnData& column, size_t rows, Reader* reader) {
  if (Has(column.values(), rows)) {
    reader->values.reserve(rows);
    for (const v1::Value& value : column.values()) reader->values.push_back(FromProto(value));
    return true;
  }
  if (!column.values().empty()) return false;
  for (size_t row = 0; row < rows; ++row) {
    if (!IsNull(*reader->nulls, row)) return false;
  }
  return true;
}

ValueView Batch::Cell(size_t row, size_t column) const {
  const Reader& reader = readers_[column];
  if (IsNull(*reader.nulls, row)) return {};
  switch (reader.kind) {
    case Kind::kBoolean: return {.kind = Kind::kBoolean, .integer = reader.booleans[row]};
    case Kind::kInteger: return {.kind = Kind::kInteger, .integer = reader.integers[row]};
    case Kind::kReal: return {.kind = Kind::kReal, .real = reader.reals[row]};
    case Kind::kTimestamp:
      return {.kind = Kind::kTimestamp,
              .nanos = static_cast<int32_t>(reader.nanos[row]),
              .integer = reader.integers[row]};
    case Kind::kArray:
    case Kind::kUnspecified: return ValueView::Of(reader.values[row]);
    default: {
      const uint32_t begin = row == 0 ? 0 : reader.ends[row - 1];
      return {.kind = reader.kind, .text = {reader.data + begin, reader.ends[row] - begin}};
    }
  }
}

}  // namespace penstock::internal
