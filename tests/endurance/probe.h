// Whether a daemon that says it is ready serves.
#ifndef PENSTOCK_TESTS_ENDURANCE_PROBE_H_
#define PENSTOCK_TESTS_ENDURANCE_PROBE_H_

#include <string>

#include "absl/status/status.h"

namespace penstock::testing {

// A new client reaches the database and writes to it within 15 seconds; else the error, which
// names both. /readyz does not speak for servers, which may be in a pause between two attempts
// to connect, of up to 5 seconds: postgres is asked again meanwhile, the others are not.
absl::Status ProbeDatabase(const std::string& target, const std::string& database,
                           const std::string& driver);

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_ENDURANCE_PROBE_H_
