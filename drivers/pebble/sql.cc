// Statements of SQL. What they share with key-value operations is in batch.cc and
// transaction.cc.
#include <chrono>

#include "drivers/api/error.h"
#include "drivers/api/only_read.h"
#include "drivers/pebble/connection.h"
#include "drivers/pebble/sql_cursor.h"
#include "drivers/pebble/sql_session.h"
#include "drivers/sqlite_engine/functions.h"

namespace penstock::pebble {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;
using driver::StatementRun;
using sqlite_engine::Bytes;
using sqlite_engine::Statement;
using std::chrono::steady_clock;

// A read that takes longer is run together with no others the next time.
constexpr auto kBriskTime = std::chrono::milliseconds(3);

}  // namespace

Connection::Connection(Store* store, driver::Lane lane) : store_(store), lane_(lane) {}
Connection::~Connection() = default;

bool Connection::IsBrisk(const StatementRun& run) const {
  const Statement* statement = sql_ != nullptr ? sql_->Peek(run.sql) : nullptr;
  return statement != nullptr && statement->brisk();
}

absl::StatusOr<Statement*> Connection::Prepare(std::string_view sql,
                                               const driver::Deadline& deadline,
                                               const driver::Cancellation* cancellation) {
  if (sql_ == nullptr) {
    absl::StatusOr<std::unique_ptr<SqlSession>> opened = SqlSession::Open(store_);
    if (!opened.ok()) return opened.status();
    sql_ = *std::move(opened);
  }
  const sqlite_engine::StatementExecutor::Watch watch(sql_->executor(), deadline, cancellation);
  absl::StatusOr<Statement*> statement = sql_->Get(sql);
  if (statement.ok()) return statement;
  absl::Status interruption = sql_->executor()->Interruption();
  return interruption.ok() ? statement.status() : interruption;
}

Statement* Connection::Prepare(StatementRun* run) {
  const absl::StatusOr<Statement*> statement = Prepare(run->sql, run->deadline, run->cancellation);
  run->status = statement.status();
  if (!statement.ok()) return nullptr;
  run->read_only = (*statement)->read_only();
  if (!run->read_only && MustOnlyRead(*run)) {
    run->status = driver::MayOnlyRead();
    return nullptr;
  }
  if (transaction_ != nullptr || !(*statement)->reads_counters()) return *statement;
  run->status = sqlite_engine::CounterError();
  return nullptr;
}

absl::StatusOr<driver::StatementInfo> Connection::Describe(std::string_view sql,
                                                           const driver::Deadline& deadline,
                                                           driver::Cancellation* cancellation) {
  const absl::StatusOr<Statement*> statement = Prepare(sql, deadline, cancellation);
  if (!statement.ok()) return statement.status();
  return sqlite_engine::Describe(**statement);
}

void Connection::ReadSql(rocksdb::Transaction* transaction, StatementRun* run,
                         Statement* statement) {
  auto scope = std::make_unique<StatementScope>(sql_.get(), transaction);
  const driver::TimePoint began = steady_clock::now();
  if (!run->rows.empty()) {
    sql_->executor()->Execute(run, statement);
  } else {
    ReadFirstBatch(&scope, run, statement);
  }
  statement->set_brisk(run->cursor == nullptr && steady_clock::now() - began < kBriskTime);
}

void Connection::ReadFirstBatch(std::unique_ptr<StatementScope>* scope, StatementRun* run,
                                Statement* statement) {
  sqlite_engine::StatementExecutor* executor = sql_->executor();
  const sqlite_engine::StatementExecutor::Watch watch(executor, run->deadline, run->cancellation);
  // The arguments may be gone before a cursor is.
  run->status = statement->Bind(run->args, run->writer == nullptr ? Bytes::kBorrow : Bytes::kCopy);
  if (run->status.ok()) {
    const absl::StatusOr<bool> more =
        executor->StepFirst(statement, run->limits, run->writer, &run->summary);
    if (more.ok() && *more) {
      run->cursor = std::make_unique<SqlCursor>(executor, statement, std::move(*scope), *run);
      return;
    }
    run->status = more.status();
  }
  statement->Reset();
  if (!run->status.ok()) run->summary = {};
}

void Connection::WriteSql(rocksdb::Transaction* transaction, StatementRun* run,
                          Statement* statement) {
  const StatementScope scope(sql_.get(), transaction, statement);
  sql_->executor()->Execute(run, statement);
}

void Connection::RunSqlInTransaction(StatementRun* run) {
  Statement* statement = Prepare(run);
  if (statement == nullptr) return;
  if (statement->read_only()) {
    ReadSql(transaction_.get(), run, statement);
  } else if (read_only_) {
    run->status = ReadOnlyError();
  } else if (statement->note() != 0) {
    run->status =
        MakeErrorWithHint(Reason::kUnsupported,
                          "CREATE TABLE and DROP TABLE cannot be part of a transaction on pebble",
                          "run them outside it");
  } else {
    WriteGuarded({.store = store_, .transaction = transaction_.get()}, run, statement);
  }
}

}  // namespace penstock::pebble
