// Makes Rows from values, for tests of code that reads rows.
#ifndef PENSTOCK_MAKE_ROWS_H_
#define PENSTOCK_MAKE_ROWS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "penstock/rows.h"

namespace penstock {

// Makes Rows from a list. Each of `rows` has one value for each column; missing values are NULL,
// surplus ones are dropped. The kind of a column is the kind of its first value that is not NULL.
// Unless `error` is OK, reading fails with it after the last row, as when a result is cut off.
std::unique_ptr<Rows> MakeRows(std::vector<std::string> columns,
                               std::vector<std::vector<Value>> rows,
                               absl::Status error = absl::OkStatus());

}  // namespace penstock

#endif  // PENSTOCK_MAKE_ROWS_H_
