// One message of a result, read where it lies.
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
  // Takes the content of `part`, whose rows have `column_count` columns. INTERNAL
  // if its arrays do not fit together; it has no rows then.
  absl::Status Reset(v1::QueryResponse* part, size_t column_count);

  size_t row_count() const { return row_count_; }

  // Valid until the next Reset. Both indices are within bounds.
  ValueView Cell(size_t row, size_t column) const;

 private:
  // Where the arrays of a column begin; those that its kind has are set.
  struct Reader {
    Kind kind = Kind::kUnspecified;
    const std::string* nulls = nullptr;
    const bool* booleans = nullptr;
    const int64_t* integers = nullptr;
    const double* reals = nullptr;
    const uint32_t* ends = nullptr;
    const uint32_t* nanos = nullptr;
    const char* data = nullptr;
    // Of kinds that differ from row to row, and arrays.
    std::vector<Value> values;
  };

  // False if the arrays do not fit together.
  static bool Open(const v1::ColumnData& column, size_t rows, Reader* reader);
  // For the kinds with `ends` and `data`.
  static bool OpenBytes(const v1::ColumnData& column, size_t rows, Reader* reader);
  // For values of several kinds, and for nothing but NULL.
  static bool OpenMixed(const v1::ColumnData& column, size_t rows, Reader* reader);

  v1::QueryResponse part_;
  size_t row_count_ = 0;
  std::vector<Reader> readers_;
};

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_BATCH_H_
