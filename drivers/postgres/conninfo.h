// Connection strings and connection parameters, as libpq takes them.
#ifndef PENSTOCK_DRIVERS_POSTGRES_CONNINFO_H_
#define PENSTOCK_DRIVERS_POSTGRES_CONNINFO_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace penstock::postgres {

// libpq's keywords and their values. A password may be among them.
using Parameters = std::map<std::string, std::string>;

// A connection string, a URI or key=value words. An error never has a part of it:
// where a password has a letter that ends it, any part may be one of the password.
absl::StatusOr<Parameters> ParseConnectionString(const std::string& text);

// Checks that libpq will take the parameters, as far as that shows without connecting: hosts,
// ports, numbers, and the words that an option may have. An error names the parameter,
// never its value.
absl::Status CheckParameters(const Parameters& parameters);

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_CONNINFO_H_
