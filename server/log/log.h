// Structured log lines on standard error, as text or as JSON.
#ifndef PENSTOCK_SERVER_LOG_LOG_H_
#define PENSTOCK_SERVER_LOG_LOG_H_

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "server/config/config.h"

namespace penstock::server {

enum class Level : int { kTrace = 0, kDebug = 1, kInfo = 2, kWarn = 3, kError = 4 };

// A value of a field, borrowed for the time of the call.
class FieldValue {
 public:
  using Variant = std::variant<bool, int64_t, uint64_t, double, std::string_view>;

  FieldValue(bool value) : value_(value) {}                                  // NOLINT: implicit
  FieldValue(std::string_view value) : value_(value) {}                      // NOLINT
  FieldValue(const std::string& value) : value_(std::string_view(value)) {}  // NOLINT
  FieldValue(const char* value) : value_(std::string_view(value)) {}         // NOLINT
  FieldValue(std::floating_point auto value) : value_(static_cast<double>(value)) {}    // NOLINT
  FieldValue(std::signed_integral auto value) : value_(static_cast<int64_t>(value)) {}  // NOLINT
  FieldValue(std::unsigned_integral auto value)                                         // NOLINT
      : value_(static_cast<uint64_t>(value)) {}

  const Variant& get() const { return value_; }

 private:
  Variant value_;
};

// One fact of a log line. Keys are the daemon's own identifiers ("duration_ms"); text of a client
// goes into values.
struct Field {
  std::string_view key;
  FieldValue value;
};

// Sets level and form of all later lines. Before the first call they are info and text. `config`
// has been checked; thread-safe.
void InitLogging(const LogConfig& config);

// Tells whether lines of this level are written; costly fields are prepared only then.
bool LogEnabled(Level level);

// Logs one line, which it stays whatever the values contain: control characters and
// invalid UTF-8 are escaped, so that nobody forges a line, and values over 8 KiB are cut.
// Does nothing, cheaply, if the level is off. Thread-safe.
//
// It never waits for who reads the log: lines wait within 1 MiB, and when that is full
// they are dropped and counted. `message` is a constant of ours and names the line's
// kind: over 100 of a kind at once, or 10 a second, are left out, and the next line of
// the kind tells how many (`left_out`), or a line of its own.
//
//   Log(Level::kWarn, "slow statement", {{"database", name}, {"duration_ms", 12.5}});
//
// text: 2026-03-01T12:00:00.000Z WARN slow statement database=main duration_ms=12.5
// json: {"ts":"2026-03-01T12:00:00.000Z","level":"warn","msg":"slow statement",
//        "database":"main","duration_ms":12.5}   (on one line)
void Log(Level level, std::string_view message, std::initializer_list<Field> fields = {});

// Logs one line of the audit, "audit" with these fields, whatever the level is: none is left out,
// unless nobody takes the log and it is dropped with the others. Thread-safe.
void LogAudit(std::initializer_list<Field> fields);

// Logs why the process ends, whatever the level is: in text after "penstockd: ", in JSON as an
// error for each of its lines.
void LogFatal(std::string_view what);

// Returns when the lines logged before have been written, or after `longest`: the end of a process
// does not wait for ever for a reader that reads nothing. Thread-safe.
void FlushLog(std::chrono::milliseconds longest);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_LOG_LOG_H_
