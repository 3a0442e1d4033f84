// The refusal of a caller who may only read.
#ifndef PENSTOCK_DRIVERS_API_ONLY_READ_H_
#define PENSTOCK_DRIVERS_API_ONLY_READ_H_

#include <string_view>

#include "absl/status/status.h"

namespace penstock::driver {

// Returns kNotAllowed for a run that asks for more than its caller may do, see
// StatementRun::must_only_read. `why` says what was too much, in lower case; empty: nothing more
// is to be said. Thread-safe.
absl::Status MayOnlyRead(std::string_view why = {});

// Returns the same for a failure with which the backend has refused to write (kReadOnly), with the
// backend's words and its SQLSTATE; any other status as it is. Thread-safe.
absl::Status AsMayOnlyRead(const absl::Status& status);

}  // namespace penstock::driver

#endif  // PENSTOCK_DRIVERS_API_ONLY_READ_H_
