// Durations and sizes as people write them in a configuration.
#ifndef PENSTOCK_SERVER_CONFIG_UNITS_H_
#define PENSTOCK_SERVER_CONFIG_UNITS_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/config/config.h"

namespace penstock::server {

// Reads "500ms", "10s", "5m", "1h", "1h30m", and "0". A bare number is refused, because nobody can
// tell seconds from milliseconds; so is more than ten years.
absl::StatusOr<Milliseconds> ParseDuration(std::string_view text);

// Reads "4096" (bytes), "256KiB", "64MiB", "1GiB".
absl::StatusOr<size_t> ParseSize(std::string_view text);

// Writes the value in the largest unit that divides it: "1h", "90s", "64MiB".
std::string FormatDuration(Milliseconds duration);
std::string FormatSize(size_t bytes);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_UNITS_H_
