// Rows from values, for tests of code that reads rows.
#ifndef PENSTOCK_MAKE_ROWS_H_
#define PENSTOCK_MAKE_ROWS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "penstock/rows.h"

namespace penstock {

// Rows that are all there from the start. Each of `rows` has a value a column; fewer
// are filled up with NULL, more are dropped. A column's kind is that of its first
// value that is not NULL. If `error` is not OK, it comes after the last row, as
// when a result is cut off.
std::unique_ptr<Rows> MakeRows(std::vector<std::string> columns,
                               std::vector<std::vector<Value>> rows,
                               absl::Status error = absl::OkStatus());

}  // namespace penstock

#endif  // PENSTOCK_MAKE_ROWS_H_
