#include "server/rpc/transaction_steps.h"

#include "drivers/api/error.h"

namespace penstock::server {

using driver::MakeError;
using driver::Reason;
using Request = v1::TransactionRequest;

void TransactionSteps::Run(Database* database, Transaction* transaction, const Request& request,
                           TimePoint began) {
  database_ = database;
  transaction_ = transaction;
  began_ = began;
  switch (request.step_case()) {
    case Request::kQuery: return RunQuery(request.query());
    case Request::kExec: return RunExec(request.exec());
    case Request::kPrepare: return RunPrepare(request.prepare());
    case Request::kExecute: return RunExecute(request.execute());
    case Request::kCloseStatement:
      return Acknowledge(transaction->CloseStatement(request.close_statement().statement()));
    case Request::kSavepoint:
      return Acknowledge(transaction->Savepoint(request.savepoint().name()));
    case Request::kRollbackTo:
      return Acknowledge(transaction->RollbackTo(request.rollback_to().name()));
    case Request::kRelease: return Acknowledge(transaction->Release(request.release().name()));
    default: break;
  }
  Fail(MakeError(Reason::kProtocol, "this is no step within a transaction"));
}

bool TransactionSteps::Next(v1::TransactionResponse* response) {
  if (answer_.has_value()) {
    response->Swap(&*answer_);
    answer_.reset();
    return true;
  }
  failure_ = absl::OkStatus();
  return builder_.TakePart(response->mutable_result());
}

void TransactionSteps::RunQuery(const Request::Statement& statement) {
  if (!statement.rows().empty()) {
    return Fail(MakeError(Reason::kInvalidParameter, "`rows` go with `exec`, not with `query`"));
  }
  absl::Status status = arguments_.Assign(statement.args());
  if (status.ok()) {
    status = Start(statement.sql(), statement.has_timeout(), statement.timeout());
  }
  RunRows(status, statement.format());
}

void TransactionSteps::RunExecute(const Request::Execute& execute) {
  absl::StatusOr<std::string_view> sql = transaction_->statement(execute.statement());
  absl::Status status = sql.status();
  if (status.ok()) status = arguments_.Assign(execute.args());
  if (status.ok()) status = Start(*sql, execute.has_timeout(), execute.timeout());
  RunRows(status, execute.format());
}

void TransactionSteps::RunRows(const absl::Status& ready, v1::Format format) {
  if (!ready.ok()) return Fail(ready);
  const ServerConfig& server = context_.config->server;
  builder_.Start(format, server.batch_bytes);
  run_->writer = &builder_;
  run_->limits.max_bytes = server.first_batch_bytes;
  transaction_->Run(*run_);
  AdvanceRows();
}

void TransactionSteps::Fetch() {
  if (cancellation_->cancelled()) run_->status = cancellation_->status();
  if (run_->status.ok()) {
    absl::StatusOr<bool> more =
        run_->cursor->Fetch({.max_bytes = context_.config->server.batch_bytes}, &builder_);
    if (!more.ok()) run_->status = more.status();
    if (more.ok() && !*more) {
      run_->summary = run_->cursor->summary();
      run_->cursor.reset();
    }
  }
  AdvanceRows();
}

void TransactionSteps::AdvanceRows() {
  if (!run_->status.ok()) run_->cursor.reset();
  if (run_->cursor == nullptr) RecordStatement(context_, *database_, *run_, began_);
  if (!run_->status.ok()) return Fail(run_->status);
  builder_.Flush(run_->cursor == nullptr ? &run_->summary : nullptr);
}

void TransactionSteps::Drop(const absl::Status& why) {
  if (!more()) return Fail(why);
  run_->status = why;
  AdvanceRows();
}

void TransactionSteps::RunExec(const Request::Statement& statement) {
  absl::Status status;
  if (!statement.args().empty() && !statement.rows().empty()) {
    status =
        MakeError(Reason::kInvalidParameter, "a request has either `args` or `rows`, not both");
  } else if (statement.rows().empty()) {
    status = arguments_.Assign(statement.args());
  } else {
    status = arguments_.AssignRows(statement.rows());
  }
  if (status.ok()) status = Start(statement.sql(), statement.has_timeout(), statement.timeout());
  if (!status.ok()) return Fail(status);
  run_->rows = arguments_.rows();
  transaction_->Run(*run_);
  RecordStatement(context_, *database_, *run_, began_);
  if (!run_->status.ok()) return Fail(run_->status);
  ToProto(run_->summary, answer_.emplace().mutable_executed());
}

absl::Status TransactionSteps::Start(std::string_view sql, bool has_timeout,
                                     const google::protobuf::Duration& timeout) {
  run_.emplace();
  run_->sql = sql;
  run_->args = arguments_.values();
  run_->cancellation = cancellation_;
  return deadline_of_(has_timeout, timeout, &run_->deadline);
}

void TransactionSteps::RunPrepare(const Request::Prepare& prepare) {
  driver::Deadline deadline;
  absl::Status limited = deadline_of_(false, {}, &deadline);
  if (!limited.ok()) return Fail(limited);
  driver::StatementInfo info;
  absl::StatusOr<uint64_t> number =
      transaction_->Prepare(prepare.sql(), deadline, cancellation_, &info);
  if (!number.ok()) return Fail(number.status());
  v1::Prepared* prepared = answer_.emplace().mutable_prepared();
  ToProto(info, prepared);
  prepared->set_statement(*number);
}

void TransactionSteps::Acknowledge(const absl::Status& status) {
  if (!status.ok()) return Fail(status);
  answer_.emplace().mutable_done();
}

// What was built of a result is not sent any more.
void TransactionSteps::Fail(const absl::Status& why) {
  builder_.Start(v1::FORMAT_ROWS, 0);
  failure_ = why;
  ToProto(why, answer_.emplace().mutable_error());
}

}  // namespace penstock::server
