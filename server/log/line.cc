#include "server/log/line.h"

#include <chrono>
#include <cmath>
#include <ctime>
#include <type_traits>

#include "fmt/format.h"
#include "text/utf8.h"

namespace penstock::server {
namespace {

using Buffer = fmt::memory_buffer;

constexpr size_t kLongestValue = 8 << 10;

struct LevelName {
  std::string_view name;   // as in the configuration and in JSON
  std::string_view upper;  // as in text
};
constexpr LevelName kNames[] = {
    {"trace", "TRACE"}, {"debug", "DEBUG"}, {"info", "INFO"}, {"warn", "WARN"}, {"error", "ERROR"}};

void AppendTime(Buffer* out, std::chrono::system_clock::time_point now) {
  const auto since = std::chrono::floor<std::chrono::milliseconds>(now).time_since_epoch();
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(since).count();
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  fmt::format_to(fmt::appender(*out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                 utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                 utc.tm_sec, since.count() % 1000);
}

void Append(Buffer* out, std::string_view text) { out->append(text); }

// Tells whether a character could end the line, move the cursor or hide text: C0, DEL, C1 and the
// Unicode line and paragraph separators.
bool IsControl(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
}

// Appends `text` for use inside quotes or, as the message of a text line, outside of them, where
// quotes stay as they are. Both forms escape as JSON does.
void AppendEscaped(Buffer* out, std::string_view text, bool quoted) {
  while (!text.empty()) {
    const CodePoint next = FirstCodePoint(text);
    const uint32_t c = next.value;
    if (!next.valid) {
      Append(out, "\\ufffd");
    } else if (c == '\n') {
      Append(out, "\\n");
    } else if (c == '\t') {
      Append(out, "\\t");
    } else if (IsControl(c)) {
      fmt::format_to(fmt::appender(*out), "\\u{:04x}", c);
    } else {
      if (quoted && (c == '"' || c == '\\')) out->push_back('\\');
      Append(out, text.substr(0, next.length));
    }
    text.remove_prefix(next.length);
  }
}

void AppendQuoted(Buffer* out, std::string_view text) {
  out->push_back('"');
  AppendEscaped(out, text, true);
  out->push_back('"');
}

// Only text that cannot be taken for another field or an escape stands bare.
bool NeedsQuotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte >= 0x7f || c == '"' || c == '=' || c == '\\') return true;
  }
  return false;
}

// A client's text may have any length, and the line must not.
std::string Shortened(std::string_view text) {
  return fmt::format("{}… ({} bytes)", text.substr(0, kLongestValue), text.size());
}

void AppendValue(Buffer* out, const FieldValue& value, bool json) {
  std::visit(
      [&](const auto& it) {
        using T = std::decay_t<decltype(it)>;
        if constexpr (std::is_same_v<T, std::string_view>) {
          if (it.size() > kLongestValue) return AppendQuoted(out, Shortened(it));
          if (json || NeedsQuotes(it)) return AppendQuoted(out, it);
          return Append(out, it);
        } else {
          if constexpr (std::is_same_v<T, double>) {
            // JSON has no number for these.
            if (json && !std::isfinite(it)) return AppendQuoted(out, fmt::format("{}", it));
          }
          fmt::format_to(fmt::appender(*out), "{}", it);
        }
      },
      value.get());
}

void AppendJson(Buffer* out, Level level, std::string_view message, std::span<const Field> fields) {
  fmt::format_to(fmt::appender(*out), R"("level":"{}","msg":)",
                 kNames[static_cast<int>(level)].name);
  AppendQuoted(out, message);
  for (const Field& field : fields) {
    out->push_back(',');
    AppendQuoted(out, field.key);
    out->push_back(':');
    AppendValue(out, field.value, true);
  }
}

void AppendText(Buffer* out, Level level, std::string_view message, std::span<const Field> fields) {
  fmt::format_to(fmt::appender(*out), "{} ", kNames[static_cast<int>(level)].upper);
  AppendEscaped(out, message, false);
  for (const Field& field : fields) {
    out->push_back(' ');
    AppendEscaped(out, field.key, false);
    out->push_back('=');
    AppendValue(out, field.value, false);
  }
}

}  // namespace

int LevelNumber(std::string_view name) {
  int number = 0;
  while (number < kLevels && kNames[number].name != name) ++number;
  return number;
}

std::string LogLine(bool json, Level level, std::string_view message,
                    std::span<const Field> fields) {
  Buffer line;
  if (json) Append(&line, R"({"ts":")");
  AppendTime(&line, std::chrono::system_clock::now());
  Append(&line, json ? R"(",)" : " ");
  (json ? AppendJson : AppendText)(&line, level, message, fields);
  Append(&line, json ? "}\n" : "\n");
  return fmt::to_string(line);
}

}  // namespace penstock::server
