// Reads the rows of one message in place.
#ifndef PENSTOCK_CLIENT_SRC_BATCH_H_
#define PENSTOCK_CLIENT_SRC_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "penstock/internal/v1/database.pb.h"
#include "penstock/scan.h"

namespace penstock::internal {

// The rows of one message in FORMAT_COLUMNS. Not thread-safe.
class Batch {
 public:
  // Takes the content of `part`, whose rows have `column_count` columns. INTERNAL if the lengths of
  // its arrays do not match; the batch then has no rows.
  absl::Status Reset(v1::QueryResponse* part, size_t column_count);

  size_t row_count() const { return row_count_; }

  // Returns one value, valid until the next Reset. Both indices must be within bounds.
  ValueView Cell(size_t row, size_t column) const;

 private:
  // The beginnings of a column's arrays. Only those that its kind needs are set.
  struct Reader {
    Kind kind = Kind::kUnspecified;
    const std::string* nulls = nullptr;
    const bool* booleans = nullptr;
    const int64_t* integers = nullptr;
    const double* reals = nullptr;
    const uint32_t* ends = nullptr;
    const uint32_t* nanos = nullptr;
    const char* data = nullptr;
    // The values of arrays, and of a column whose kinds differ from row to row.
    std::vector<Value> values;
  };

  // Return false if the lengths of the arrays do not match.
  static bool Open(const v1::ColumnData& column, size_t rows, Reader* reader);
  // For the kinds that have `ends` and `data`.
  static bool OpenBytes(const v1::ColumnData& column, size_t rows, Reader* reader);
  // For a column with values of several kinds, or with NULLs only.
  static bool OpenMixed(const v1::ColumnData& column, size_t rows, Reader* reader);

  v1::QueryResponse part_;
  size_t row_count_ = 0;
  std::vector<Reader> readers_;
};

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_BATCH_H_
