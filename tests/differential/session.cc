#include "tests/differential/session.h"

#include <algorithm>
#include <cstddef>

namespace penstock::differential {
namespace {

using testing::Outcome;
using testing::PrepareStream;

// Prepare streams that stay open beside the one in use.
constexpr size_t kOpenStreams = 8;

void SetError(const v1::Error& error, Outcome* outcome) {
  outcome->status = grpc::Status(static_cast<grpc::StatusCode>(error.code()), error.message());
  outcome->detail = error.detail();
}

}  // namespace

std::string_view ModeName(Mode mode) {
  switch (mode) {
    case Mode::kAutocommit: return "autocommit";
    case Mode::kTransaction: return "transaction";
    case Mode::kPrepare: return "prepare";
    case Mode::kParameters: return "parameters";
  }
  return "?";
}

Session::Session(testing::Wire& wire, const Backend& backend, Mode mode)
    : wire_(wire), backend_(backend), mode_(mode) {}

Session::~Session() = default;

Answer Session::Run(const std::string& sql, const Values& args, bool wants_rows) {
  const bool prepares = mode_ == Mode::kPrepare || mode_ == Mode::kParameters;
  if (transaction_ != nullptr) {
    if (prepares) return ToAnswer(RunPreparedInTransaction(sql, args));
    return ToAnswer(wants_rows ? QueryInTransaction(sql, args) : ExecInTransaction(sql, args));
  }
  if (prepares) return ToAnswer(RunPrepared(sql, args));
  if (!wants_rows) return ToAnswer(wire_.Exec(sql, args));
  v1::QueryRequest request;
  request.set_sql(sql);
  request.set_format(NextFormat());
  testing::Assign(request.mutable_args(), args);
  return ToAnswer(wire_.Query(request));
}

Outcome Session::RunPrepared(const std::string& sql, const Values& args) {
  const auto found = std::find_if(prepared_.begin(), prepared_.end(),
                                  [&](const auto& entry) { return entry.first == sql; });
  if (found != prepared_.end()) {
    prepared_.splice(prepared_.begin(), prepared_, found);
  } else {
    prepared_.emplace_front(sql, std::make_unique<PrepareStream>(wire_, sql, NextFormat()));
    if (prepared_.size() > kOpenStreams) prepared_.pop_back();
  }
  PrepareStream& stream = *prepared_.front().second;
  Outcome outcome = stream.Run(args);
  // The run has the columns only if they are not those that were told before.
  if (outcome.columns.empty()) {
    const auto& columns = stream.prepared().columns();
    outcome.columns.assign(columns.begin(), columns.end());
  }
  // The stream may have ended with the failure.
  if (!outcome.status.ok()) prepared_.pop_front();
  return outcome;
}

Outcome Session::RunPreparedInTransaction(const std::string& sql, const Values& args) {
  Stream::Request prepare;
  prepare.mutable_prepare()->set_sql(sql);
  const Stream::Response prepared = transaction_->Step(prepare);
  Outcome outcome;
  if (prepared.has_error()) {
    SetError(prepared.error(), &outcome);
    return outcome;
  }
  Stream::Request execute;
  execute.mutable_execute()->set_statement(prepared.prepared().statement());
  execute.mutable_execute()->set_format(NextFormat());
  testing::Assign(execute.mutable_execute()->mutable_args(), args);
  outcome = Step(execute);
  if (outcome.columns.empty()) {
    const auto& columns = prepared.prepared().columns();
    outcome.columns.assign(columns.begin(), columns.end());
  }
  Stream::Request close;
  close.mutable_close_statement()->set_statement(prepared.prepared().statement());
  transaction_->Step(close);
  return outcome;
}

Outcome Session::QueryInTransaction(const std::string& sql, const Values& args) {
  Stream::Request request;
  request.mutable_query()->set_sql(sql);
  request.mutable_query()->set_format(NextFormat());
  testing::Assign(request.mutable_query()->mutable_args(), args);
  return Step(request);
}

Outcome Session::ExecInTransaction(const std::string& sql, const Values& args) {
  Stream::Request request;
  request.mutable_exec()->set_sql(sql);
  testing::Assign(request.mutable_exec()->mutable_args(), args);
  return Step(request);
}

Outcome Session::Step(const Stream::Request& request) {
  Outcome outcome;
  if (transaction_ == nullptr) {
    outcome.status = grpc::Status(grpc::StatusCode::UNKNOWN, "the stream has ended before");
    return outcome;
  }
  Stream::Response response = transaction_->Step(request);
  for (;;) {
    switch (response.answer_case()) {
      case Stream::Response::kError: SetError(response.error(), &outcome); return outcome;
      case Stream::Response::kExecuted: outcome.summary = response.executed(); return outcome;
      case Stream::Response::kResult: break;
      case Stream::Response::ANSWER_NOT_SET:
        outcome.status = transaction_->Finish();
        if (outcome.status.ok()) {
          outcome.status = grpc::Status(grpc::StatusCode::UNKNOWN, "the stream has ended");
        }
        outcome.detail = testing::DetailOf(outcome.status);
        transaction_ = nullptr;
        return outcome;
      default: return outcome;
    }
    outcome.Add(response.result());
    if (outcome.has_summary) return outcome;
    response.Clear();
    transaction_->Read(&response);
  }
}

Answer Session::Begin(const Control& control) {
  transaction_ = std::make_unique<Stream>(wire_);
  Stream::Request request;
  request.mutable_begin()->set_isolation(control.isolation);
  request.mutable_begin()->set_read_only(control.read_only);
  return ToAnswer(Step(request));
}

Answer Session::Commit() {
  Stream::Request request;
  request.mutable_commit();
  return End(request);
}

Answer Session::Rollback() {
  Stream::Request request;
  request.mutable_rollback();
  return End(request);
}

Answer Session::End(const Stream::Request& request) {
  Answer answer = ToAnswer(Step(request));
  if (transaction_ != nullptr) transaction_->Finish();
  transaction_ = nullptr;
  return answer;
}

Answer Session::Savepoint(const std::string& name) {
  Stream::Request request;
  request.mutable_savepoint()->set_name(name);
  return ToAnswer(Step(request));
}

Answer Session::RollbackTo(const std::string& name) {
  Stream::Request request;
  request.mutable_rollback_to()->set_name(name);
  return ToAnswer(Step(request));
}

Answer Session::Release(const std::string& name) {
  Stream::Request request;
  request.mutable_release()->set_name(name);
  return ToAnswer(Step(request));
}

Answer Session::ToAnswer(Outcome outcome) const {
  Answer answer;
  answer.columns = std::move(outcome.columns);
  if (!outcome.status.ok()) {
    answer.failure = Failure{.code = backend_.CodeOf(outcome.detail),
                             .reason = outcome.detail.reason(),
                             .message = outcome.status.error_message()};
    return answer;
  }
  answer.rows = std::move(outcome.rows);
  answer.rows_affected = outcome.summary.rows_affected();
  if (outcome.summary.has_last_insert_id()) {
    answer.last_insert_id = outcome.summary.last_insert_id();
  }
  return answer;
}

v1::Format Session::NextFormat() {
  columns_next_ = !columns_next_;
  return columns_next_ ? v1::FORMAT_COLUMNS : v1::FORMAT_ROWS;
}

}  // namespace penstock::differential
