#include "server/database/database.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "server/database/driver_factory.h"
#include "server/log/log.h"
#include "text/string_views.h"

namespace penstock::server {
namespace {

using driver::DriverInfo;
using driver::Reason;

// How often a driver looks at its files.
constexpr auto kExaminationPause = std::chrono::seconds(1);

// The read and the write pool share max_open connections.
int WriteConnections(const DriverInfo& info, const PoolConfig& config) {
  if (!info.split_lanes) return config.max_open;
  return info.max_writers > 0 ? std::min(info.max_writers, config.max_open)
                              : std::max(1, config.max_open / 2);
}

int ReadConnections(const DriverInfo& info, const PoolConfig& config) {
  return std::max(1, config.max_open - WriteConnections(info, config));
}

std::unique_ptr<Pool> MakePool(driver::Driver* driver, driver::Lane lane, int max_open,
                               const PoolConfig& config) {
  const DriverInfo& info = driver->info();
  Pool::Options options;
  options.lane = lane;
  options.config = config;
  options.config.max_open = max_open;
  if (info.embedded) options.config.max_idle = max_open;
  // Each pool has the reserve, as far as its share of the connections goes.
  options.config.min_idle = std::min(config.min_idle, max_open);
  // An embedded connection has no link that could break while it is idle.
  options.check_after_idle = info.embedded ? Duration::zero() : std::chrono::seconds(1);
  options.patience = Pool::kPatience + Duration(info.overrun);
  // Replacements would open more connections to a server than it was promised, and a second writer
  // to SQLite.
  options.replace_stuck = info.embedded && (lane == driver::Lane::kRead || info.max_writers == 0);
  return std::make_unique<Pool>(driver, options);
}

StatementQueue::Options QueueOptions(const Pool& pool) {
  const PoolConfig& config = pool.options().config;
  return {.max_runners = config.max_open,
          .flushes = pool.options().lane == driver::Lane::kWrite,
          .max_waiting = config.max_waiters,
          .acquire_timeout = config.acquire_timeout};
}

// Appends a line that tells why a database did not open.
void AddError(const std::string& name, const DatabaseConfig& database, const absl::Status& why,
              std::string* errors) {
  const std::string where = database.line > 0 ? fmt::format(" (line {})", database.line) : "";
  const std::string hint = driver::GetErrorInfo(why).hint;
  *errors += fmt::format("{}database '{}'{}: {}{}{}", errors->empty() ? "" : "\n", name, where,
                         ToStd(why.message()), hint.empty() ? "" : "; ", hint);
}

int Threads(const DriverInfo& info, const PoolConfig& config) {
  // One for each connection, so that a commit or rollback never waits for a
  // thread that another connection's statement keeps.
  return WriteConnections(info, config) + (info.split_lanes ? ReadConnections(info, config) : 0);
}

}  // namespace

// Blocking work that a worker thread does for the ticker, one run at a time.
class Database::Chore final : public Task {
 public:
  Chore(ThreadPool* thread_pool, std::function<void()> work)
      : Task(Kind::kBlocking), thread_pool_(thread_pool), work_(std::move(work)) {}

  // Returns false if the work is still being done from the last time.
  bool Start() {
    if (under_way_.exchange(true)) return false;
    thread_pool_->Enqueue(this);
    return true;
  }

  void Run() override {
    work_();
    under_way_.store(false);
  }

 private:
  ThreadPool* const thread_pool_;
  const std::function<void()> work_;
  std::atomic<bool> under_way_{false};
};

Database::Database(std::string name, const DatabaseConfig& config,
                   std::unique_ptr<driver::Driver> driver, bool log_sql)
    : name_(std::move(name)),
      limits_(config.limits),
      settings_(config.settings),
      migrations_table_(config.migrations_table),
      migrations_lease_(config.migrations_lease),
      acquire_timeout_(config.pool.acquire_timeout),
      driver_(std::move(driver)),
      health_(name_, info().name, log_sql),
      write_pool_(MakePool(driver_.get(), driver::Lane::kWrite,
                           WriteConnections(info(), config.pool), config.pool)),
      read_pool_(info().split_lanes ? MakePool(driver_.get(), driver::Lane::kRead,
                                               ReadConnections(info(), config.pool), config.pool)
                                    : nullptr),
      thread_pool_({.threads = Threads(info(), config.pool), .embedded = info().embedded}) {
  write_queue_ =
      std::make_unique<StatementQueue>(write_pool_.get(), &thread_pool_, nullptr,
                                       QueueOptions(*write_pool_), &metrics_.write_batches);
  if (read_pool_ != nullptr) {
    read_queue_ =
        std::make_unique<StatementQueue>(read_pool_.get(), &thread_pool_, write_queue_.get(),
                                         QueueOptions(*read_pool_), &metrics_.read_batches);
    write_queue_->RefuseEarlyBy(read_queue_.get());
  }
  for (const auto& [pool_name, pool] : Pools()) {
    upkeep_.push_back(std::make_unique<Chore>(&thread_pool_, [pool = pool] { pool->Maintain(); }));
  }
  if (info().embedded) {
    examination_ = std::make_unique<Chore>(&thread_pool_, [this] { driver_->Examine(); });
  }
}

absl::StatusOr<std::unique_ptr<driver::Connection>> Database::ConnectApart(
    const driver::Deadline& deadline) {
  return driver_->Connect(driver::Lane::kWrite, deadline);
}

// The last runner may still be on its way to rest after its last statement was answered, and it
// uses queues and pools.
Database::~Database() { thread_pool_.Stop(); }

void Database::Submit(PendingRun* run) {
  (read_queue_ != nullptr ? read_queue_ : write_queue_)->Submit(run);
}

void Database::SubmitWrite(PendingRun* run) { write_queue_->Submit(run); }

void Database::SubmitMany(std::span<PendingRun* const> runs, bool writes) {
  (writes || read_queue_ == nullptr ? write_queue_ : read_queue_)->SubmitMany(runs);
}

Pool& Database::pool(driver::Lane lane) {
  return lane == driver::Lane::kRead && read_pool_ != nullptr ? *read_pool_ : *write_pool_;
}

driver::Deadline Database::AcquireDeadline(const driver::Deadline& request) const {
  if (acquire_timeout_ == Duration::zero()) return request;
  return driver::Earlier(
      request, {.at = Clock::System().Now() + acquire_timeout_, .reason = Reason::kAcquireTimeout});
}

void Database::Tick(TimePoint now) {
  int replaced = 0;
  const auto pools = Pools();
  for (size_t i = 0; i < pools.size(); ++i) {
    const auto& [pool_name, pool] = pools[i];
    if (pool->Tick(now)) upkeep_[i]->Start();
    health_.Note(pool_name, pool->TakeStuckCalls());
    replaced += pool->replaced();
  }
  // A thread for each connection, also for those that take the place of stuck ones.
  thread_pool_.ProvideExtra(replaced);
  write_queue_->Tick(now);
  if (read_queue_ != nullptr) read_queue_->Tick(now);
  if (examination_ != nullptr && now >= next_examination_ && examination_->Start()) {
    next_examination_ = now + kExaminationPause;
  }
  thread_pool_.Tick();
  health_.Update(Problems(), now);
}

std::vector<std::pair<std::string, Pool*>> Database::Pools() const {
  if (read_pool_ == nullptr) return {{"all", write_pool_.get()}};
  return {{"read", read_pool_.get()}, {"write", write_pool_.get()}};
}

std::vector<driver::Problem> Database::Problems() const {
  std::vector<driver::Problem> problems = driver_->Problems();
  for (const auto& [pool_name, pool] : Pools()) {
    const PoolStats stats = pool->Stats();
    for (driver::Problem& stuck : StuckProblems(pool_name, stats, pool->options())) {
      problems.push_back(std::move(stuck));
    }
    for (driver::Problem& dead : ConnectProblems(stats)) problems.push_back(std::move(dead));
  }
  return problems;
}

std::vector<std::pair<std::string, PoolStats>> Database::Stats() const {
  const auto stats_of = [](const Pool& pool, const StatementQueue& queue) {
    PoolStats stats = pool.Stats();
    stats.waiting += static_cast<int>(queue.waiting());
    return stats;
  };
  if (read_pool_ == nullptr) return {{"all", stats_of(*write_pool_, *write_queue_)}};
  return {{"read", stats_of(*read_pool_, *read_queue_)},
          {"write", stats_of(*write_pool_, *write_queue_)}};
}

absl::StatusOr<std::unique_ptr<Databases>> Databases::Open(const Config& config) {
  std::vector<std::unique_ptr<Database>> opened;
  std::map<std::string, absl::Status, std::less<>> damaged;
  std::string errors;
  bool refused = false;
  const bool log_sql = config.log.slow_statement != Milliseconds::zero();
  for (const auto& [name, database] : config.databases) {
    absl::StatusOr<std::unique_ptr<driver::Driver>> driver = OpenDriver(database.driver);
    if (driver.ok()) {
      opened.push_back(std::make_unique<Database>(name, database, *std::move(driver), log_sql));
      continue;
    }
    AddError(name, database, driver.status(), &errors);
    if (driver::GetErrorInfo(driver.status()).reason == Reason::kCorruption) {
      damaged.emplace(name, driver.status());
    } else {
      refused = true;
    }
  }
  if (refused || (opened.empty() && !damaged.empty())) {
    return absl::FailedPreconditionError(errors);
  }
  if (!damaged.empty()) Log(Level::kError, "damaged databases are not served", {{"error", errors}});
  auto databases = std::make_unique<Databases>(std::move(opened), config.default_database);
  databases->damaged_ = std::move(damaged);
  return databases;
}

Databases::Databases(std::vector<std::unique_ptr<Database>> databases, std::string default_name)
    : default_name_(std::move(default_name)) {
  for (std::unique_ptr<Database>& database : databases) {
    if (database->name() == default_name_) default_ = database.get();
    std::string name = database->name();
    databases_.emplace(std::move(name), std::move(database));
  }
}

absl::StatusOr<Database*> Databases::Find(std::string_view name) const {
  if (name.empty() && default_ != nullptr) return default_;
  if (name.empty()) name = default_name_;
  const auto found = databases_.find(name);
  if (found != databases_.end()) return found->second.get();
  const auto damaged = damaged_.find(name);
  if (damaged != damaged_.end()) return damaged->second;
  std::string known;
  for (const auto& [known_name, database] : databases_) {
    known += (known.empty() ? "" : ", ") + known_name;
  }
  return driver::MakeErrorWithHint(Reason::kUnknownDatabase,
                                   fmt::format("no database named '{}'", name),
                                   "use one of: " + known);
}

void Databases::Tick(TimePoint now) {
  for (const auto& [name, database] : databases_) database->Tick(now);
}

absl::Status Databases::Ready() const {
  std::string text;
  for (const auto& [name, database] : databases_) {
    for (const driver::Problem& problem : database->Problems()) {
      if (!problem.refuses) continue;
      text += fmt::format("{}database '{}': {}", text.empty() ? "" : "\n", name, problem.text);
    }
  }
  return text.empty() ? absl::OkStatus() : absl::UnavailableError(text);
}

}  // namespace penstock::server
