// The interface to which a driver writes rows.
#ifndef PENSTOCK_DRIVERS_API_ROW_WRITER_H_
#define PENSTOCK_DRIVERS_API_ROW_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "drivers/api/value.h"

namespace penstock::driver {

// Receives rows value by value, so that they go from the backend's buffer to
// their final form (a protobuf message, a test's vector) in one copy and a
// driver knows nothing of that form.
//
// A driver calls Begin, then for each row one value method a column,
// in column order, and EndRow. Not thread-safe: used by the one thread that
// drives the cursor. The bytes passed in are copied before the call returns.
class RowWriter {
 public:
  virtual ~RowWriter() = default;

  // The columns of what follows, before any row; an empty list for a statement
  // that returns no rows. A driver that has to run the statement again calls it
  // again, which discards what the run has written so far.
  virtual void Begin(const Columns& columns) = 0;

  virtual void Null() = 0;
  virtual void Boolean(bool value) = 0;
  virtual void Integer(int64_t value) = 0;
  virtual void Real(double value) = 0;
  // Every kind whose content is text or bytes (see Value::text). `bytes` of any
  // kind but kBlob is valid UTF-8: the driver has checked it.
  virtual void Bytes(Kind kind, std::string_view bytes) = 0;
  virtual void Timestamp(int64_t seconds, int32_t nanos) = 0;
  virtual void Array(std::span<const Value> elements) = 0;

  // Completes the row.
  virtual void EndRow() = 0;

  // About how much memory the rows written since the last batch was taken away
  // occupy. A driver compares it with BatchLimits after each row.
  virtual size_t bytes() const = 0;
};

}  // namespace penstock::driver

#endif  // PENSTOCK_DRIVERS_API_ROW_WRITER_H_
