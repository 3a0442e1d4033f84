#include "drivers/cockroachdb/migrations/lease.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <random>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::migrations {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;
using driver::Value;

// The time for a statement of the lease's own.
constexpr auto kStatementTimeout = std::chrono::seconds(10);
// How far the clocks of CockroachDB's nodes may lie apart (--max-offset, 500 ms unless it is set;
// a node that is further off ends itself). The end of a lease is written by one node's clock
// and compared with another's, so that it is over so much later only: nobody takes over what
// its holder may still have by the time that has passed.
constexpr auto kMostClockOffset = std::chrono::milliseconds(500);
// The heartbeat, and how soon after one that failed.
constexpr int kHeartbeats = 3;
constexpr int kAttempts = 20;

driver::TimePoint Now() { return std::chrono::steady_clock::now(); }

// Nobody else's, whoever else runs on however many machines; for people it says where
// the holder is.
std::string NewOwner() {
  std::random_device random;
  constexpr size_t kNameBytes = 256;
  std::array<char, kNameBytes> host = {};
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
  return fmt::format("{:08x}{:08x} pid {} on {}", random(), random(), getpid(), host.data());
}

bool IsContended(const absl::Status& status) {
  const Reason reason = driver::GetErrorInfo(status).reason;
  return reason == Reason::kSerializationFailure || reason == Reason::kDeadlock ||
         reason == Reason::kBusy;
}

std::string Interval(driver::Duration length) {
  return fmt::format("INTERVAL '{:.3f} seconds'", std::chrono::duration<double>(length).count());
}

absl::Status CreateTable(MigrationConnection* connection, const std::string& table) {
  absl::Status created = connection->Run(
      fmt::format("CREATE TABLE IF NOT EXISTS {} (id BIGINT NOT NULL PRIMARY KEY, "
                  "owner TEXT NOT NULL, fence BIGINT NOT NULL, expires_at TIMESTAMPTZ NOT NULL)",
                  table));
  // Two that do it at once may collide in the catalogue: at the table's row of it, or
  // at that of the type which a table has (duplicate_table, duplicate_object).
  const driver::ErrorInfo info = driver::GetErrorInfo(created);
  const bool other = info.reason == Reason::kUniqueViolation || info.sqlstate == "42P07" ||
                     info.sqlstate == "42710";
  return other ? absl::OkStatus() : created;
}

}  // namespace

Lease::~Lease() { StopHeartbeat(); }

absl::StatusOr<bool> Lease::TryTake(MigrationConnection* connection, const std::string& table,
                                    bool table_exists) {
  StopHeartbeat();
  absl::Status created = table_exists ? absl::OkStatus() : CreateTable(connection, table);
  if (IsContended(created)) return false;
  if (!created.ok()) return created;
  const std::string owner = NewOwner();
  const driver::TimePoint before = Now();
  // One statement; of two at once one writes nothing, or fails.
  const std::array args = {Value::Text(owner)};
  absl::StatusOr<Table> taken = connection->Query(
      fmt::format(
          "INSERT INTO {0} AS held (id, owner, fence, expires_at) "
          "SELECT place.id, $1::text, "
          "coalesce((SELECT max(old.fence) FROM {0} AS old), 0) + 1, now() + {1} "
          "FROM (VALUES (1), (2)) AS place (id) WHERE NOT EXISTS (SELECT 1 FROM {0} AS "
          "other WHERE other.id = 2 AND other.owner <> '' AND other.expires_at > now() - {2}) "
          "ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, fence = excluded.fence, "
          "expires_at = excluded.expires_at WHERE held.fence < excluded.fence "
          "RETURNING fence",
          table, Interval(length_), Interval(kMostClockOffset)),
      args);
  if (!taken.ok())
    return IsContended(taken.status()) ? false : absl::StatusOr<bool>(taken.status());
  constexpr size_t kRows = 2;
  if (taken->size() != kRows) return false;
  table_ = table;
  owner_ = owner;
  fence_ = taken->front().front().integer;
  connector_ = connection->connector();
  migrator_cancellation_ = connection->cancellation();
  ending_ = false;
  lost_ = absl::OkStatus();
  // The lease began after that by the database's clock.
  held_until_ = before + length_;
  stop_.Reset();
  thread_ = std::thread([this] { Keep(); });
  return true;
}

absl::Status Lease::Check() const {
  const std::lock_guard lock(mutex_);
  if (!lost_.ok() || Now() < held_until_) return lost_;
  return MakeErrorWithHint(Reason::kMigrationLocked,
                           "the lease of the migration lock expired before it was extended",
                           "run the migration again; the recorded steps remain");
}

std::string Lease::Condition() const {
  // The owner's first word is hexadecimal: nothing in it has to be quoted.
  return fmt::format("held.id = 1 AND held.fence = {} AND held.owner LIKE '{} %'", fence_,
                     owner_.substr(0, owner_.find(' ')));
}

void Lease::Keep() {
  std::unique_lock lock(mutex_);
  driver::Duration pause = length_ / kHeartbeats;
  while (!ending_changed_.wait_for(lock, pause, [this] { return ending_; })) {
    const driver::TimePoint held_until = held_until_;
    lock.unlock();
    Extend();
    lock.lock();
    if (!lost_.ok()) return;
    pause = length_ / (held_until_ > held_until ? kHeartbeats : kAttempts);
  }
}

void Lease::Extend() {
  const driver::Deadline deadline{.at = held_until_, .reason = Reason::kQueryTimeout};
  absl::Status status;
  if (connection_ == nullptr || !connection_->Alive()) {
    connection_.reset();
    absl::StatusOr<std::unique_ptr<driver::Connection>> made = connector_(deadline);
    status = made.status();
    if (made.ok()) connection_ = *std::move(made);
  }
  const driver::TimePoint before = Now();
  if (status.ok()) {
    MigrationConnection connection(connection_.get(), &stop_);
    connection.SetLimits({}, deadline);
    const std::array args = {Value::Text(owner_), Value::Integer(fence_)};
    absl::StatusOr<int64_t> extended =
        connection.Change(fmt::format("UPDATE {} SET expires_at = now() + {} "
                                      "WHERE id = 2 AND owner = $1::text AND fence = $2::bigint",
                                      table_, Interval(length_)),
                          args);
    if (extended.ok() && *extended == 1) {
      const std::lock_guard lock(mutex_);
      held_until_ = before + length_;
      return;
    }
    if (extended.ok()) {
      return Lose(
          "another migrator has taken over the migration lock, because its lease had expired");
    }
    status = extended.status();
  }
  // The reason is then whatever ended the heartbeat.
  if (stop_.cancelled() || Now() < held_until_) return;
  Lose(fmt::format(
      "the lease of the migration lock has expired, because it could not be extended: {}",
      std::string(status.message())));
}

void Lease::Lose(std::string_view why) {
  absl::Status lost = MakeErrorWithHint(Reason::kMigrationLocked, why,
                                        "run the migration again; the recorded steps remain");
  if (migrator_cancellation_ != nullptr) migrator_cancellation_->Cancel(lost);
  const std::lock_guard lock(mutex_);
  lost_ = std::move(lost);
}

void Lease::StopHeartbeat() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  ending_changed_.notify_one();
  stop_.Cancel(driver::MakeError(Reason::kCancelled, "the migration has ended"));
  thread_.join();
}

absl::Status Lease::Release(MigrationConnection* connection) {
  StopHeartbeat();
  stop_.Reset();
  const std::string sql =
      fmt::format("UPDATE {} SET owner = '' WHERE owner = $1::text AND fence = $2::bigint", table_);
  const std::array args = {Value::Text(owner_), Value::Integer(fence_)};
  absl::Status released = connection->Run(sql, args);
  // The migrator's connection may be what broke, and the heartbeat's connection ends with a
  // statement that StopHeartbeat has cancelled: the next migrator shall not have to wait for the
  // lease's end.
  if (!released.ok() && (connection_ == nullptr || !connection_->Alive())) {
    absl::StatusOr<std::unique_ptr<driver::Connection>> made =
        connector_({.at = Now() + kStatementTimeout, .reason = Reason::kQueryTimeout});
    connection_ = made.ok() ? *std::move(made) : nullptr;
  }
  if (!released.ok() && connection_ != nullptr) {
    MigrationConnection other(connection_.get(), nullptr);
    other.SetLimits(kStatementTimeout, driver::Deadline::None());
    released = other.Run(sql, args);
  }
  connection_.reset();
  return released;
}

}  // namespace penstock::migrations
