// The form of a log line.
#ifndef PENSTOCK_SERVER_LOG_LINE_H_
#define PENSTOCK_SERVER_LOG_LINE_H_

#include <span>
#include <string>
#include <string_view>

#include "server/log/log.h"

namespace penstock::server {

// The number of levels.
inline constexpr int kLevels = static_cast<int>(Level::kError) + 1;

// Returns the level of that name as in the configuration, or kLevels for "off".
int LevelNumber(std::string_view name);

// Forms one line, with the time and the line's end, whatever the values contain. Long values are
// shortened.
std::string LogLine(bool json, Level level, std::string_view message,
                    std::span<const Field> fields);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_LOG_LINE_H_
