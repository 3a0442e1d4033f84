#include "server/rpc/base/context.h"

#include <string>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "server/log/log.h"
#include "server/rpc/base/audit.h"

namespace penstock::server {
namespace {

// A statement is recognised by so much of it.
constexpr size_t kMaxLoggedSql = 2000;
constexpr size_t kMaxLoggedValue = 100;

std::string ValueText(const driver::Value& value) {
  switch (value.kind) {
    case driver::Kind::kUnspecified: return "NULL";
    case driver::Kind::kBoolean: return value.integer != 0 ? "true" : "false";
    case driver::Kind::kInteger: return fmt::format("{}", value.integer);
    case driver::Kind::kReal: return fmt::format("{}", value.real);
    case driver::Kind::kTimestamp: return fmt::format("@{}.{:09}", value.integer, value.nanos);
    case driver::Kind::kBlob: return fmt::format("<{} bytes>", value.text.size());
    case driver::Kind::kArray: return fmt::format("<{} elements>", value.elements.size());
    default: return std::string(value.text.substr(0, kMaxLoggedValue));
  }
}

std::string ArgumentText(std::span<const driver::Value> args) {
  std::string text;
  for (const driver::Value& value : args) {
    if (!text.empty()) text += ", ";
    text += ValueText(value);
  }
  return text;
}

}  // namespace

void LiveCalls::Add() {
  std::lock_guard lock(mutex_);
  ++count_;
}

void LiveCalls::Remove() {
  std::lock_guard lock(mutex_);
  if (--count_ == 0) none_.notify_all();
}

void LiveCalls::WaitUntilNone() {
  std::unique_lock lock(mutex_);
  none_.wait(lock, [this] { return count_ == 0; });
}

void RecordStatement(const RpcContext& context, std::string_view who, Database& database,
                     const driver::StatementRun& run, TimePoint began) {
  AuditStatement(context, who, database, run);
  const TimePoint now = Clock::System().Now();
  const Duration elapsed = now - began;
  database.NoteOutcome(run.status, now);
  DatabaseMetrics& metrics = database.metrics();
  metrics.CountStatement(run.status.code(), elapsed);
  metrics.rows_returned.Add(run.summary.rows_returned);
  metrics.rows_affected.Add(run.summary.rows_affected);
  const LogConfig& log = context.config->log;
  if (log.slow_statement == Milliseconds::zero() || elapsed < log.slow_statement) return;
  const std::string sql(run.sql.substr(0, kMaxLoggedSql));
  const std::string code = absl::StatusCodeToString(run.status.code());
  const double ms = std::chrono::duration<double, std::milli>(elapsed).count();
  if (log.parameter_values) {
    Log(Level::kWarn, "slow statement",
        {{"database", database.name()},
         {"duration_ms", ms},
         {"code", code},
         {"rows", run.summary.rows_returned},
         {"caller", who},
         {"sql", sql},
         {"args", ArgumentText(run.args)}});
  } else {
    Log(Level::kWarn, "slow statement",
        {{"database", database.name()},
         {"duration_ms", ms},
         {"code", code},
         {"rows", run.summary.rows_returned},
         {"caller", who},
         {"sql", sql}});
  }
}

}  // namespace penstock::server
