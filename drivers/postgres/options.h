// The configuration of a PostgreSQL database, checked.
#ifndef PENSTOCK_DRIVERS_POSTGRES_OPTIONS_H_
#define PENSTOCK_DRIVERS_POSTGRES_OPTIONS_H_

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "drivers/api/config.h"
#include "drivers/api/hidden_values.h"
#include "drivers/api/password.h"
#include "drivers/postgres/conninfo.h"
#include "drivers/postgres/session_settings.h"

namespace penstock::postgres {

// Each option is described in spec.cc, with its default.
struct Options {
  // libpq's connection parameters for each attempt, in the order in which they
  // are made: one host each. A password may be among them.
  std::vector<Parameters> attempts;
  // "db.example.com:5432, …": what may be named in an error. Of a connection string
  // nothing is: the hosts of `attempts` are not to be named either then.
  std::string where;
  bool names_hosts = true;
  // In the place of the one in `attempts`, unless it is empty; it may be another one later.
  driver::Password password;
  // What libpq and the server may say of the connection, and nobody is to be told: what
  // the connection string has in it. For Hide.
  std::vector<driver::HiddenValue> hidden;
  // How long a cancelled statement may take to end before its connection is closed.
  std::chrono::milliseconds cancel_grace{};
  size_t statement_cache_size = 0;
  // 0: no limit.
  std::chrono::milliseconds query_timeout{0};
  size_t max_value_bytes = 0;
  // Reset the session after each use, whatever ran (session_reset: always).
  bool always_reset = false;
  TimeZone time_zone = TimeZone::kUtc;

  // `text` without what is hidden and without the password.
  std::string Hide(std::string_view text) const;
};

// INVALID_ARGUMENT says what is wrong with which option; it never has a secret.
absl::StatusOr<Options> ParseOptions(const driver::Config& config);

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_OPTIONS_H_
