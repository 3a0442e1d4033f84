#include "server/rpc/database/transaction_steps.h"

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::server {

using driver::MakeError;
using driver::Reason;
using Request = v1::TransactionRequest;

void TransactionSteps::Run(const Principal& principal, Database* database, Transaction* transaction,
                           const Request& request, TimePoint began) {
  principal_ = &principal;
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
    case Request::kGet: return RunGet(request.get());
    case Request::kScan: return RunScan(request.scan());
    case Request::kWrite: return RunWrite(request.write());
    case Request::kDeleteRange: return RunDeleteRange(request.delete_range());
    default: break;
  }
  Fail(MakeError(Reason::kProtocol, "the request is not a step within a transaction"));
}

bool TransactionSteps::Next(std::string* response) {
  if (answer_.has_value()) {
    *response = answer_->SerializeAsString();
    answer_.reset();
    return true;
  }
  failure_ = absl::OkStatus();
  if (!builder_.TakePart(response)) return false;
  *response = FieldBytes(v1::TransactionResponse::kResultFieldNumber, *response);
  return true;
}

void TransactionSteps::RunQuery(const Request::Statement& statement) {
  if (!statement.rows().empty()) {
    return Fail(
        MakeError(Reason::kInvalidParameter, "`rows` are allowed in `exec` only, not in `query`"));
  }
  absl::Status status = arguments_.Assign(statement.args());
  if (status.ok()) {
    status = StartSql(statement.sql(), statement.has_timeout(), statement.timeout());
  }
  RunRows(status, statement.format(), limits_->first_batch);
}

void TransactionSteps::RunExecute(const Request::Execute& execute) {
  absl::StatusOr<std::string_view> sql = transaction_->statement(execute.statement());
  absl::Status status = sql.status();
  if (status.ok()) status = arguments_.Assign(execute.args());
  if (status.ok()) status = StartSql(*sql, execute.has_timeout(), execute.timeout());
  if (status.ok()) run_->prepared = true;
  RunRows(status, execute.format(), limits_->first_batch);
}

// A get is answered at once, however much it is.
void TransactionSteps::RunGet(const v1::BatchGetRequest& get) {
  RunRows(StartKeyValue(get, "kv get"), v1::FORMAT_ROWS, limits_->message);
}

void TransactionSteps::RunScan(const v1::ScanRequest& scan) {
  RunRows(StartKeyValue(scan, "kv scan"), v1::FORMAT_ROWS, limits_->first_batch);
}

void TransactionSteps::RunWrite(const v1::WriteRequest& write) {
  if (!RunKeyValue(StartKeyValue(write, "kv write"))) return;
  ToProto(*run_->key_value, answer_.emplace().mutable_written());
}

void TransactionSteps::RunDeleteRange(const v1::DeleteRangeRequest& range) {
  if (!RunKeyValue(StartKeyValue(range, "kv delete range"))) return;
  answer_.emplace().mutable_deleted()->set_deleted(run_->summary.rows_affected);
}

template <typename KeyValueRequest>
absl::Status TransactionSteps::StartKeyValue(const KeyValueRequest& request,
                                             std::string_view name) {
  if (!request.database().empty() && request.database() != database_->name()) {
    return driver::MakeErrorWithHint(
        Reason::kInvalidParameter,
        fmt::format("the transaction uses the database '{}', not the one requested",
                    database_->name()),
        "leave `database` out");
  }
  absl::Status status = key_values_.Assign(request);
  if (status.ok()) status = principal_->CheckKeys(*key_values_.run(), database_->name());
  if (status.ok()) status = arguments_.Assign({});
  if (status.ok()) status = Start(name, request.has_timeout(), request.timeout());
  if (status.ok()) run_->key_value = key_values_.run();
  return status;
}

bool TransactionSteps::RunKeyValue(absl::Status ready) {
  if (ready.ok()) {
    transaction_->Run(*run_);
    RecordStatement(context_, principal_->name(), *database_, *run_, began_);
    ready = run_->status;
  }
  if (!ready.ok()) Fail(ready);
  return ready.ok();
}

void TransactionSteps::RunRows(const absl::Status& ready, v1::Format format,
                               size_t first_batch_bytes) {
  if (!ready.ok()) return Fail(ready);
  builder_.Start(format, limits_->batch);
  meter_.Start(&principal_->quota());
  run_->writer = &builder_;
  run_->limits.max_bytes = first_batch_bytes;
  transaction_->Run(*run_);
  AdvanceRows();
}

void TransactionSteps::Fetch() {
  if (cancellation_->cancelled()) run_->status = cancellation_->status();
  if (run_->status.ok()) {
    absl::StatusOr<bool> more = run_->cursor->Fetch({.max_bytes = limits_->batch}, &builder_);
    if (!more.ok()) run_->status = more.status();
    if (more.ok() && !*more) {
      run_->summary = run_->cursor->summary();
      run_->cursor.reset();
    }
  }
  AdvanceRows();
}

void TransactionSteps::AdvanceRows() {
  if (run_->status.ok()) run_->status = meter_.Check(builder_.size());
  if (!run_->status.ok()) {
    run_->cursor.reset();
    run_->status = transaction_->Settle(run_->status);
  }
  if (run_->cursor == nullptr)
    RecordStatement(context_, principal_->name(), *database_, *run_, began_);
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
  if (status.ok()) status = StartSql(statement.sql(), statement.has_timeout(), statement.timeout());
  if (!status.ok()) return Fail(status);
  run_->rows = arguments_.rows();
  transaction_->Run(*run_);
  RecordStatement(context_, principal_->name(), *database_, *run_, began_);
  if (!run_->status.ok()) return Fail(run_->status);
  ToProto(run_->summary, answer_.emplace().mutable_executed());
}

absl::Status TransactionSteps::StartSql(std::string_view sql, bool has_timeout,
                                        const google::protobuf::Duration& timeout) {
  absl::Status allowed = principal_->CheckSql(database_->name());
  return allowed.ok() ? Start(sql, has_timeout, timeout) : allowed;
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
  absl::Status ready = principal_->CheckSql(database_->name());
  if (ready.ok()) ready = deadline_of_(false, {}, &deadline);
  if (!ready.ok()) return Fail(ready);
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

// The parts that were built of a result are not sent any more.
void TransactionSteps::Fail(const absl::Status& why) {
  builder_.Start(v1::FORMAT_ROWS, 0);
  failure_ = why;
  ToProto(why, answer_.emplace().mutable_error());
}

}  // namespace penstock::server
