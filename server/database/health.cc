#include "server/database/health.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "server/log/log.h"

namespace penstock::server {
namespace {

// A logged statement is cut to this length.
constexpr size_t kMaxLoggedSql = 2000;

constexpr auto kDiskFullPause = std::chrono::minutes(1);

int64_t InMilliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

}  // namespace

Health::Health(std::string database, std::string driver, bool log_sql)
    : database_(std::move(database)), driver_(std::move(driver)), log_sql_(log_sql) {}

void Health::Update(const std::vector<driver::Problem>& problems, TimePoint now) {
  std::lock_guard lock(mutex_);
  if (problems.empty() && lasting_.empty()) return;
  for (const driver::Problem& problem : problems) {
    if (!lasting_.emplace(problem.kind, now).second) continue;
    ++counts_[problem.kind];
    Log(problem.refuses ? Level::kError : Level::kWarn, "a database has a problem",
        {{"database", database_},
         {"driver", driver_},
         {"problem", problem.kind},
         {"text", problem.text}});
  }
  std::erase_if(lasting_, [&](const auto& lasting) {
    const auto& [kind, since] = lasting;
    const bool lasts = std::any_of(problems.begin(), problems.end(),
                                   [&](const auto& problem) { return problem.kind == kind; });
    if (lasts) return false;
    Log(Level::kInfo, "a database problem has ended",
        {{"database", database_},
         {"driver", driver_},
         {"problem", kind},
         {"lasted_ms", InMilliseconds(now - since)}});
    return true;
  });
}

void Health::Note(const std::string& pool, const std::vector<StuckCall>& calls) const {
  for (const StuckCall& call : calls) {
    const bool back = call.came_back;
    Log(back ? Level::kInfo : Level::kError,
        back ? "a stuck call has returned" : "a call is stuck: it continues past its time limit",
        {{"database", database_},
         {"driver", driver_},
         {"pool", pool},
         {"over_ms", InMilliseconds(call.over_for)},
         {"statements", call.statements},
         {"sql", log_sql_ ? call.sql.substr(0, kMaxLoggedSql) : ""}});
  }
}

void Health::NoteOutcome(const absl::Status& status, TimePoint now) {
  if (status.ok() || driver::GetErrorInfo(status).reason != driver::Reason::kDiskFull) return;
  {
    std::lock_guard lock(mutex_);
    if (disk_full_told_ != TimePoint{} && now - disk_full_told_ < kDiskFullPause) return;
    disk_full_told_ = now;
  }
  Log(Level::kError, "a write failed: the disk is full",
      {{"database", database_}, {"driver", driver_}, {"error", std::string(status.message())}});
}

std::map<std::string, int64_t> Health::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

std::vector<driver::Problem> ConnectProblems(const PoolStats& stats) {
  if (!stats.dead) return {};
  return {
      {.kind = "unreachable",
       .text =
           "cannot connect to the backend; the daemon tries again, with pauses of up to 5 seconds",
       .refuses = false}};
}

std::vector<driver::Problem> StuckProblems(const std::string& pool, const PoolStats& stats,
                                           const Pool::Options& options) {
  if (stats.stuck == 0) return {};
  const int room = options.config.max_open * (options.replace_stuck ? 2 : 1);
  // While some connections are left, or others replace the stuck ones, every caller is served.
  const bool refuses = stats.stuck >= room;
  const std::string what = fmt::format(
      "{} of the connections that {} {} in a call that continues past its time limit", stats.stuck,
      pool == "read"    ? "read"
      : pool == "write" ? "write"
                        : "there are",
      stats.stuck == 1 ? "is" : "are");
  return {{.kind = fmt::format("stuck_{}", pool),
           .text = fmt::format("{}; {}", what,
                               refuses ? "none is left, so other requests wait and fail at their "
                                         "limits; restart the daemon if the call does not end"
                                       : "the others serve requests meanwhile"),
           .refuses = refuses}};
}

}  // namespace penstock::server
