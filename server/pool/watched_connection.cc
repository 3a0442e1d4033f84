#include "server/pool/watched_connection.h"

#include <string_view>
#include <utility>

namespace penstock::server {
namespace {

using driver::BatchLimits;
using driver::Cancellation;
using driver::Deadline;
using driver::StatementRun;
using Watch = CallMonitor::Watch;

class Scope {
 public:
  template <typename... What>
  explicit Scope(Watch& watch, const What&... what) : watch_(watch) {
    watch_.Begin(what...);
  }
  ~Scope() { watch_.End(); }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  Watch& watch_;
};

// Its run may have gone, but not its deadline and cancellation.
class WatchedCursor final : public driver::Cursor {
 public:
  WatchedCursor(Watch* watch, StatementRun* run)
      : watch_(*watch),
        deadline_(run->deadline),
        cancellation_(run->cancellation),
        cursor_(std::move(run->cursor)) {}

  absl::StatusOr<bool> Fetch(const BatchLimits& limits, driver::RowWriter* writer) override {
    const Scope scope(watch_, deadline_, cancellation_);
    return cursor_->Fetch(limits, writer);
  }
  const driver::Summary& summary() const override { return cursor_->summary(); }

 private:
  Watch& watch_;
  const Deadline deadline_;
  Cancellation* const cancellation_;
  const std::unique_ptr<driver::Cursor> cursor_;
};

class WatchedConnection final : public driver::Connection {
 public:
  WatchedConnection(std::unique_ptr<driver::Connection> connection, CallMonitor* monitor)
      : watch_(monitor), connection_(std::move(connection)) {}

  size_t RunBatch(std::span<StatementRun* const> runs) override {
    size_t done = 0;
    {
      const Scope scope(watch_, runs);
      done = connection_->RunBatch(runs);
    }
    if (done > 0) WatchCursor(runs[done - 1]);
    return done;
  }

  void Run(StatementRun& run) override {
    StatementRun* const one = &run;
    {
      const Scope scope(watch_, std::span<StatementRun* const>(&one, 1));
      connection_->Run(run);
    }
    WatchCursor(one);
  }

  absl::StatusOr<driver::StatementInfo> Describe(std::string_view sql, const Deadline& deadline,
                                                 Cancellation* cancellation) override {
    const Scope scope(watch_, deadline, cancellation);
    return connection_->Describe(sql, deadline, cancellation);
  }

  absl::Status Begin(const driver::TransactionOptions& options) override {
    watch_.set_transactional(true);
    absl::Status begun;
    {
      const Scope scope(watch_, options.deadline, options.cancellation);
      begun = connection_->Begin(options);
    }
    watch_.set_transactional(begun.ok());
    return begun;
  }

  absl::Status Commit() override {
    watch_.set_transactional(false);
    return connection_->Commit();
  }
  absl::Status RunAndCommit(StatementRun& run) override {
    StatementRun* const one = &run;
    absl::Status status;
    {
      const Scope scope(watch_, std::span<StatementRun* const>(&one, 1));
      status = connection_->RunAndCommit(run);
    }
    watch_.set_transactional(!run.status.ok());
    return status;
  }
  absl::Status Rollback() override {
    watch_.set_transactional(false);
    return connection_->Rollback();
  }

  absl::Status Ping(const Deadline& deadline) override {
    const Scope scope(watch_, deadline, nullptr);
    return connection_->Ping(deadline);
  }

  // The following calls have no limit of their own.
  absl::Status Savepoint(std::string_view name) override { return connection_->Savepoint(name); }
  absl::Status RollbackTo(std::string_view name) override { return connection_->RollbackTo(name); }
  absl::Status Release(std::string_view name) override { return connection_->Release(name); }
  absl::Status Reset() override { return connection_->Reset(); }

  // The following calls never block.
  size_t Together(std::span<StatementRun* const> runs) override {
    return connection_->Together(runs);
  }
  bool transaction_aborted() const override { return connection_->transaction_aborted(); }
  bool Alive() override { return connection_->Alive(); }
  void KeepSession(bool keep) override { connection_->KeepSession(keep); }
  bool healthy() const override { return connection_->healthy(); }

 private:
  void WatchCursor(StatementRun* run) {
    if (run->cursor != nullptr) run->cursor = std::make_unique<WatchedCursor>(&watch_, run);
  }

  // The connection's last moments need it no more.
  Watch watch_;
  const std::unique_ptr<driver::Connection> connection_;
};

}  // namespace

std::unique_ptr<driver::Connection> WatchCalls(std::unique_ptr<driver::Connection> connection,
                                               CallMonitor* monitor) {
  return std::make_unique<WatchedConnection>(std::move(connection), monitor);
}

}  // namespace penstock::server
