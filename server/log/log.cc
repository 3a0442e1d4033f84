#include "server/log/log.h"

#include <atomic>
#include <cmath>
#include <memory>
#include <string>
#include <type_traits>

#include "fmt/format.h"
#include "server/config/utf8.h"
#include "spdlog/logger.h"
#include "spdlog/pattern_formatter.h"
#include "spdlog/sinks/stdout_sinks.h"

namespace penstock::server {
namespace {

using Buffer = fmt::memory_buffer;

constexpr int kOff = static_cast<int>(Level::kError) + 1;

struct LevelName {
  std::string_view name;   // as in the configuration and in JSON
  std::string_view upper;  // as in text
};
constexpr LevelName kLevels[] = {
    {"trace", "TRACE"}, {"debug", "DEBUG"}, {"info", "INFO"}, {"warn", "WARN"}, {"error", "ERROR"}};

// What Log reads without a lock.
struct Settings {
  std::atomic<int> least{static_cast<int>(Level::kInfo)};
  std::atomic<bool> json{false};
};
Settings settings;

// One logger a form, so that a line never has half of each. Both write under
// spdlog's one mutex for the console.
spdlog::logger MakeLogger(const std::string& pattern) {
  spdlog::logger logger("penstock", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger.set_level(spdlog::level::trace);
  logger.set_pattern(pattern, spdlog::pattern_time_type::utc);
  return logger;
}

// Never destroyed: threads may log while the process ends.
spdlog::logger& TextLogger() {
  static auto* const logger = new spdlog::logger(MakeLogger("%Y-%m-%dT%H:%M:%S.%eZ %v"));
  return *logger;
}

spdlog::logger& JsonLogger() {
  static auto* const logger =
      new spdlog::logger(MakeLogger(R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ",%v})"));
  return *logger;
}

void Append(Buffer* out, std::string_view text) { out->append(text); }

// A character that could end the line, move the cursor or hide text: C0, DEL,
// C1 and the Unicode line and paragraph separators.
bool IsControl(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  if (character.size() == 2)
    return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
  return character == "\u2028" || character == "\u2029";
}

// The code point of a valid character.
uint32_t CodePoint(std::string_view character) {
  uint32_t code = static_cast<unsigned char>(character[0]);
  if (character.size() > 1) code &= 0xFF >> (character.size() + 1);
  for (const char c : character.substr(1))
    code = code << 6 | (static_cast<unsigned char>(c) & 0x3F);
  return code;
}

// Appends `text` for inside quotes (or, as the message of a text line, outside
// them: then quotes stay as they are). Both forms escape as JSON does.
void AppendEscaped(Buffer* out, std::string_view text, bool quoted) {
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    const std::string_view character = text.substr(0, length == 0 ? 1 : length);
    text.remove_prefix(character.size());
    if (length == 0) {
      Append(out, "\\ufffd");
    } else if (character == "\n") {
      Append(out, "\\n");
    } else if (character == "\t") {
      Append(out, "\\t");
    } else if (IsControl(character)) {
      fmt::format_to(fmt::appender(*out), "\\u{:04x}", CodePoint(character));
    } else {
      if (quoted && (character == "\"" || character == "\\")) out->push_back('\\');
      Append(out, character);
    }
  }
}

void AppendQuoted(Buffer* out, std::string_view text) {
  out->push_back('"');
  AppendEscaped(out, text, true);
  out->push_back('"');
}

// Only what cannot be taken for another field or an escape stands bare.
bool NeedsQuotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte >= 0x7f || c == '"' || c == '=' || c == '\\') return true;
  }
  return false;
}

void AppendValue(Buffer* out, const FieldValue& value, bool json) {
  std::visit(
      [&](const auto& it) {
        using T = std::decay_t<decltype(it)>;
        if constexpr (std::is_same_v<T, std::string_view>) {
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

void AppendJson(Buffer* out, const LevelName& level, std::string_view message,
                std::initializer_list<Field> fields) {
  fmt::format_to(fmt::appender(*out), R"("level":"{}","msg":)", level.name);
  AppendQuoted(out, message);
  for (const Field& field : fields) {
    out->push_back(',');
    AppendQuoted(out, field.key);
    out->push_back(':');
    AppendValue(out, field.value, true);
  }
}

void AppendText(Buffer* out, const LevelName& level, std::string_view message,
                std::initializer_list<Field> fields) {
  fmt::format_to(fmt::appender(*out), "{} ", level.upper);
  AppendEscaped(out, message, false);
  for (const Field& field : fields) {
    out->push_back(' ');
    AppendEscaped(out, field.key, false);
    out->push_back('=');
    AppendValue(out, field.value, false);
  }
}

}  // namespace

void InitLogging(const LogConfig& config) {
  int least = kOff;
  for (int level = 0; level < kOff; ++level) {
    if (kLevels[level].name == config.level) least = level;
  }
  settings.json = config.format == "json";
  settings.least = least;
}

bool LogEnabled(Level level) {
  return static_cast<int>(level) >= settings.least.load(std::memory_order_relaxed);
}

void Log(Level level, std::string_view message, std::initializer_list<Field> fields) {
  if (!LogEnabled(level)) return;
  const LevelName& name = kLevels[static_cast<int>(level)];
  const bool json = settings.json.load(std::memory_order_relaxed);
  Buffer line;
  (json ? AppendJson : AppendText)(&line, name, message, fields);
  // The level is in the line already, under our name for it.
  (json ? JsonLogger() : TextLogger())
      .log(spdlog::level::critical, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace penstock::server
