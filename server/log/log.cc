#include "server/log/log.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "server/log/limiter.h"
#include "server/log/line.h"
#include "server/log/sink.h"
#include "spdlog/logger.h"
#include "spdlog/sinks/sink.h"

namespace penstock::server {
namespace {

// Log reads it without a lock.
std::atomic<bool> json{false};

std::string Line(Level level, std::string_view message, std::span<const Field> fields) {
  return LogLine(json.load(std::memory_order_relaxed), level, message, fields);
}

// It is never destroyed, like the sink.
LineLimiter& Limiter() {
  static auto* const limiter = new LineLimiter;
  return *limiter;
}

void TellLeftOut(LineLimiter::TimePoint before);

LogSink& Sink() {
  static auto* const sink = new LogSink(
      STDERR_FILENO,
      [](int64_t count) {
        const Field fields[] = {{"lines", count}};
        return Line(Level::kWarn, "log lines were dropped: nobody read them", fields);
      },
      [] { TellLeftOut(std::chrono::steady_clock::now() - std::chrono::seconds(1)); });
  return *sink;
}

// Lines come whole, with their time and level, because the fields depend on the form of the line.
class QueueSink final : public spdlog::sinks::sink {
 public:
  void log(const spdlog::details::log_msg& msg) override {
    Sink().Push(std::string(msg.payload.data(), msg.payload.size()));
  }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}
};

// It holds the level.
spdlog::logger& Logger() {
  static auto* const logger = new spdlog::logger("penstock", std::make_shared<QueueSink>());
  return *logger;
}

spdlog::level::level_enum ToSpdlog(Level level) {
  return static_cast<spdlog::level::level_enum>(level);
}

void Write(Level level, const std::string& line) {
  Logger().log(ToSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

// A kind whose next line comes soon tells it in that line.
void TellLeftOut(LineLimiter::TimePoint before) {
  for (const LineLimiter::LeftOut& left_out : Limiter().Take(before)) {
    const Field fields[] = {{"kind", left_out.kind}, {"lines", left_out.count}};
    Sink().Push(Line(Level::kWarn, "log lines were omitted: there were too many", fields));
  }
}

}  // namespace

void InitLogging(const LogConfig& config) {
  json = config.format == "json";
  Logger().set_level(static_cast<spdlog::level::level_enum>(LevelNumber(config.level)));
}

bool LogEnabled(Level level) { return Logger().should_log(ToSpdlog(level)); }

void Log(Level level, std::string_view message, std::initializer_list<Field> fields) {
  if (!LogEnabled(level)) return;
  const auto verdict = Limiter().Ask(message, std::chrono::steady_clock::now());
  if (!verdict.write) return;
  if (verdict.left_out == 0) return Write(level, Line(level, message, fields));
  std::vector<Field> more(fields);
  more.push_back({"left_out", verdict.left_out});
  Write(level, Line(level, message, more));
}

void LogAudit(std::initializer_list<Field> fields) {
  Sink().Push(Line(Level::kInfo, "audit", fields));
}

void LogFatal(std::string_view what) {
  if (!json) return Sink().Push("penstockd: " + std::string(what) + "\n");
  while (!what.empty()) {
    const std::string_view line = what.substr(0, what.find('\n'));
    what.remove_prefix(std::min(what.size(), line.size() + 1));
    Sink().Push(Line(Level::kError, line, {}));
  }
}

void FlushLog(std::chrono::milliseconds longest) {
  TellLeftOut(LineLimiter::TimePoint::max());
  Sink().Flush(longest);
}

}  // namespace penstock::server
