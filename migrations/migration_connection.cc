#include "migrations/migration_connection.h"

#include <array>
#include <chrono>
#include <utility>

namespace penstock::migrations {
namespace {

constexpr int64_t kMicrosInSecond = 1'000'000;
constexpr auto kRecordTimeout = std::chrono::seconds(10);

// Keeps rows.
class Collector final : public driver::RowWriter {
 public:
  void Begin(const driver::Columns&) override {
    table_.clear();
    row_.clear();
  }
  void Null() override { row_.emplace_back(); }
  void Boolean(bool value) override {
    row_.push_back({.kind = driver::Kind::kBoolean, .integer = value, .text = {}});
  }
  void Integer(int64_t value) override {
    row_.push_back({.kind = driver::Kind::kInteger, .integer = value, .text = {}});
  }
  // Nothing that is asked for here is a real or an array.
  void Real(double) override { row_.push_back({.kind = driver::Kind::kReal, .text = {}}); }
  void Array(std::span<const driver::Value>) override {
    row_.push_back({.kind = driver::Kind::kArray, .text = {}});
  }
  void Bytes(driver::Kind kind, std::string_view bytes) override {
    row_.push_back({.kind = kind, .text = std::string(bytes)});
  }
  void Timestamp(int64_t seconds, int32_t nanos) override {
    row_.push_back({.kind = driver::Kind::kTimestamp,
                    .integer = seconds * kMicrosInSecond + nanos / 1000,
                    .text = {}});
  }
  void EndRow() override { table_.push_back(std::exchange(row_, {})); }
  // Whatever there is, it is read in one go.
  size_t bytes() const override { return 0; }

  Table Take() { return std::move(table_); }

 private:
  std::vector<Cell> row_;
  Table table_;
};

}  // namespace

void MigrationConnection::SetLimits(driver::Duration statement_timeout,
                                    const driver::Deadline& until) {
  statement_timeout_ = statement_timeout;
  until_ = until;
}

driver::Deadline MigrationConnection::StatementDeadline() const {
  if (shields_ > 0) {
    return {.at = std::chrono::steady_clock::now() + kRecordTimeout,
            .reason = driver::Reason::kQueryTimeout};
  }
  if (statement_timeout_ == driver::Duration::zero()) return until_;
  return driver::Earlier(until_, {.at = std::chrono::steady_clock::now() + statement_timeout_,
                                  .reason = driver::Reason::kRequestTimeout});
}

void MigrationConnection::SetLimitsOf(driver::StatementRun* run) const {
  run->deadline = StatementDeadline();
  run->cancellation = shields_ > 0 ? nullptr : cancellation_;
}

absl::Status MigrationConnection::Execute(driver::StatementRun* run) {
  SetLimitsOf(run);
  if (in_transaction_) {
    driver_connection_->Run(*run);
  } else {
    const std::array<driver::StatementRun*, 1> runs = {run};
    driver_connection_->RunBatch(runs);
  }
  while (run->status.ok() && run->cursor != nullptr) {
    absl::StatusOr<bool> more = run->cursor->Fetch({}, run->writer);
    if (!more.ok()) run->status = more.status();
    if (more.ok() && !*more) run->summary = run->cursor->summary();
    if (!more.ok() || !*more) run->cursor.reset();
  }
  run->cursor.reset();
  return run->status;
}

absl::Status MigrationConnection::Run(std::string_view sql, std::span<const driver::Value> args) {
  return Change(sql, args).status();
}

absl::StatusOr<int64_t> MigrationConnection::Change(std::string_view sql,
                                                    std::span<const driver::Value> args) {
  driver::StatementRun run;
  run.sql = sql;
  run.args = args;
  // Between two writes of the history's there is a step, which may change the schema.
  run.once = true;
  absl::Status status = Execute(&run);
  // One with values is the history's.
  if (args.empty()) Keep(&run.summary);
  if (!status.ok()) return status;
  return run.summary.rows_affected;
}

absl::Status MigrationConnection::RunAndCommit(std::string_view sql,
                                               std::span<const driver::Value> args) {
  driver::StatementRun run;
  run.sql = sql;
  run.args = args;
  run.once = true;
  SetLimitsOf(&run);
  absl::Status status = driver_connection_->RunAndCommit(run);
  in_transaction_ = !run.status.ok();
  return status;
}

void MigrationConnection::Keep(driver::Summary* summary) {
  for (driver::Notice& notice : summary->notices) {
    if (said_.notices.size() < driver::Summary::kMaxNotices) {
      said_.notices.push_back(std::move(notice));
    } else {
      ++said_.notices_dropped;
    }
  }
  said_.notices_dropped += summary->notices_dropped;
}

absl::StatusOr<Table> MigrationConnection::Query(std::string_view sql,
                                                 std::span<const driver::Value> args) {
  Collector collector;
  driver::StatementRun run;
  run.sql = sql;
  run.args = args;
  run.writer = &collector;
  absl::Status status = Execute(&run);
  if (!status.ok()) return status;
  return collector.Take();
}

absl::Status MigrationConnection::Write(driver::KeyValueRun* operation) {
  driver::StatementRun run;
  run.key_value = operation;
  return Execute(&run);
}

absl::StatusOr<Table> MigrationConnection::Scan(driver::KeyValueRun* operation) {
  Collector collector;
  driver::StatementRun run;
  run.key_value = operation;
  run.writer = &collector;
  absl::Status status = Execute(&run);
  if (!status.ok()) return status;
  return collector.Take();
}

absl::Status MigrationConnection::Begin(std::optional<bool> foreign_keys) {
  driver::TransactionOptions options;
  options.foreign_keys = foreign_keys;
  options.deadline = StatementDeadline();
  options.cancellation = cancellation_;
  absl::Status begun = driver_connection_->Begin(options);
  in_transaction_ = begun.ok();
  return begun;
}

absl::Status MigrationConnection::Commit() {
  in_transaction_ = false;
  return driver_connection_->Commit();
}

void MigrationConnection::Rollback() {
  if (!std::exchange(in_transaction_, false)) return;
  // One that fails has lost its connection, and the transaction with it.
  driver_connection_->Rollback().IgnoreError();
}

}  // namespace penstock::migrations
