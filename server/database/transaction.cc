#include "server/database/transaction.h"

#include <algorithm>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "text/string_views.h"

namespace penstock::server {
namespace {

using driver::MakeError;
using driver::Reason;

constexpr size_t kMaxNameLength = 63;

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

absl::Status CheckName(std::string_view name) {
  const bool good =
      !name.empty() && name.size() <= kMaxNameLength && !IsDigit(name.front()) &&
      std::all_of(name.begin(), name.end(), [](char c) { return IsLetter(c) || IsDigit(c); });
  if (good) return absl::OkStatus();
  return driver::MakeErrorWithHint(
      Reason::kInvalidParameter, "invalid savepoint name",
      "use 1 to 63 letters, digits and underscores, with no digit first");
}

// Turns an error after which the statement may be run again into one after which the transaction
// may be, because the transaction has ended with it.
absl::Status ForTransaction(const absl::Status& status) {
  driver::ErrorInfo info = driver::GetErrorInfo(status);
  if (status.ok() || info.retry != driver::Retry::kStatement) return status;
  info.retry = driver::Retry::kTransaction;
  const Reason reason = info.reason;
  return MakeError(reason, ToStd(status.message()), std::move(info));
}

}  // namespace

absl::Status Transaction::LostStatus() {
  return MakeError(Reason::kConnectionLost,
                   "the connection of the transaction was lost, and the transaction with it",
                   {.retry = driver::Retry::kTransaction,
                    .hint = "run the transaction again from its beginning"});
}

absl::Status Transaction::Settle(const absl::Status& status) {
  if (state_ != State::kOpen) return status;
  const bool over = lease_->transaction_aborted() || !lease_->healthy();
  if (!lease_->healthy() && !adopted_) {
    lost_ = true;
    Conclude(Conclusion::kKilled);
  }
  return over ? ForTransaction(status) : status;
}

absl::Status Transaction::CheckOpen() const {
  if (lost_) return LostStatus();
  if (state_ != State::kOpen) return MakeError(Reason::kProtocol, "the transaction is not open");
  if (!lease_->transaction_aborted()) return absl::OkStatus();
  return driver::MakeErrorWithHint(Reason::kTransactionAborted,
                                   "the backend has aborted the transaction after an earlier error",
                                   "roll back and run the transaction again");
}

absl::Status Transaction::Begin(Lease lease, const driver::TransactionOptions& options) {
  absl::Status status = lease.Connect(options.deadline);
  if (status.ok()) status = lease->Begin(options);
  if (!status.ok()) return status;  // gives the lease back
  lease_ = std::move(lease);
  state_ = State::kOpen;
  database_->metrics().open_transactions.Add();
  return absl::OkStatus();
}

void Transaction::Adopt(Lease lease) {
  adopted_ = true;
  lease_ = std::move(lease);
  state_ = State::kOpen;
  database_->metrics().open_transactions.Add();
}

Lease Transaction::Leave() {
  if (state_ != State::kOpen) return {};
  Lease lease = std::move(lease_);
  state_ = State::kEnded;
  database_->metrics().open_transactions.Add(-1);
  return lease;
}

void Transaction::Run(driver::StatementRun& run) {
  run.status = CheckOpen();
  if (!run.status.ok()) return;
  lease_->Run(run);
  if (run.cursor == nullptr) run.status = Settle(run.status);
}

absl::StatusOr<uint64_t> Transaction::Prepare(std::string_view sql,
                                              const driver::Deadline& deadline,
                                              driver::Cancellation* cancellation,
                                              driver::StatementInfo* info) {
  absl::Status open = CheckOpen();
  if (!open.ok()) return open;
  const auto limit = static_cast<size_t>(database_->limits().max_transaction_statements);
  if (statements_.size() >= limit) {
    return driver::MakeErrorWithHint(
        Reason::kLimitExceeded,
        fmt::format("the transaction already has {} prepared statements", limit),
        "close one with close_statement, or raise max_transaction_statements of the database");
  }
  absl::StatusOr<driver::StatementInfo> described = lease_->Describe(sql, deadline, cancellation);
  if (!described.ok()) return Settle(described.status());
  *info = *std::move(described);
  statements_.emplace(next_statement_, std::string(sql));
  return next_statement_++;
}

absl::StatusOr<std::string_view> Transaction::statement(uint64_t number) const {
  const auto found = statements_.find(number);
  if (found != statements_.end()) return std::string_view(found->second);
  return MakeError(Reason::kInvalidParameter,
                   number > 0 && number < next_statement_
                       ? fmt::format("statement {} was closed", number)
                       : fmt::format("no statement {} was prepared in this transaction", number));
}

absl::Status Transaction::CloseStatement(uint64_t number) {
  absl::Status found = statement(number).status();
  if (found.ok()) statements_.erase(number);
  return found;
}

absl::Status Transaction::Savepoint(std::string_view name) {
  absl::Status status = CheckName(name);
  if (status.ok()) status = CheckOpen();
  return status.ok() ? Settle(lease_->Savepoint(name)) : status;
}

absl::Status Transaction::RollbackTo(std::string_view name) {
  absl::Status status = CheckName(name);
  if (status.ok() && lost_) status = LostStatus();
  // CheckOpen is not asked: where the backend has it, this is the way out of an aborted
  // transaction.
  return status.ok() ? Settle(lease_->RollbackTo(name)) : status;
}

absl::Status Transaction::Release(std::string_view name) {
  absl::Status status = CheckName(name);
  if (status.ok()) status = CheckOpen();
  return status.ok() ? Settle(lease_->Release(name)) : status;
}

absl::Status Transaction::Commit() {
  absl::Status status = CheckOpen();
  if (status.ok()) {
    status = lease_->Commit();
    if (status.ok()) {
      Conclude(Conclusion::kCommitted);
      return status;
    }
  }
  End(Conclusion::kKilled);
  return ForTransaction(status);
}

absl::Status Transaction::Rollback() {
  if (state_ != State::kOpen) return absl::OkStatus();
  absl::Status status = lease_->Rollback();
  // Any other failure is one of the connection, with which the backend rolls back.
  const bool unknown = driver::GetErrorInfo(status).reason == Reason::kCommitOutcomeUnknown;
  Conclude(unknown ? Conclusion::kKilled : Conclusion::kRolledBack);
  return unknown ? status : absl::OkStatus();
}

void Transaction::End(Conclusion conclusion) {
  if (state_ != State::kOpen) return;
  // A rollback that fails leaves a connection that Reset or healthy() finds
  // out about; the slot is freed whatever happens.
  lease_->Rollback().IgnoreError();
  Conclude(conclusion);
}

void Transaction::Conclude(Conclusion conclusion) {
  state_ = State::kEnded;
  conclusion_ = conclusion;
  statements_.clear();
  lease_.Release();
  DatabaseMetrics& metrics = database_->metrics();
  metrics.open_transactions.Add(-1);
  switch (conclusion) {
    case Conclusion::kCommitted: metrics.transactions_committed.Add(); break;
    case Conclusion::kRolledBack: metrics.transactions_rolled_back.Add(); break;
    default: metrics.transactions_killed.Add(); break;
  }
}

}  // namespace penstock::server
