#include "tests/support/pipeline_stream.h"

#include <utility>

namespace penstock::testing {

PipelineStream::PipelineStream(const Wire& wire,
                               const std::map<std::string, std::string>& metadata) {
  for (const auto& [key, value] : metadata) context_.AddMetadata(key, value);
  stream_ = wire.stub().Pipeline(wire.Authorized(&context_));
}

PipelineStream::~PipelineStream() {
  if (!finished_) context_.TryCancel();
}

PipelineStream::Call PipelineStream::Query(uint64_t id, const std::string& sql,
                                           const Values& args) {
  Call call;
  call.set_id(id);
  call.mutable_query()->set_sql(sql);
  Assign(call.mutable_query()->mutable_args(), args);
  return call;
}

PipelineStream::Call PipelineStream::Exec(uint64_t id, const std::string& sql, const Values& args) {
  Call call;
  call.set_id(id);
  call.mutable_exec()->set_sql(sql);
  Assign(call.mutable_exec()->mutable_args(), args);
  return call;
}

PipelineStream::Call PipelineStream::Prepare(uint64_t id, uint32_t statement,
                                             const std::string& sql) {
  Call call;
  call.set_id(id);
  call.mutable_prepare()->set_statement(statement);
  call.mutable_prepare()->set_sql(sql);
  return call;
}

PipelineStream::Call PipelineStream::Run(uint64_t id, uint32_t statement, const Values& args) {
  Call call;
  call.set_id(id);
  call.mutable_run()->set_statement(statement);
  Assign(call.mutable_run()->mutable_args(), args);
  return call;
}

bool PipelineStream::Send(const std::vector<Call>& calls) {
  Request request;
  for (const Call& call : calls) *request.add_calls() = call;
  return Write(request);
}

bool PipelineStream::Next(uint64_t id) {
  Request request;
  request.add_next(id);
  return Write(request);
}

bool PipelineStream::Cancel(uint64_t id) {
  Request request;
  request.add_cancel(id);
  return Write(request);
}

bool PipelineStream::Read() {
  Response response;
  if (!stream_->Read(&response)) return false;
  ++messages_;
  if (response.has_limits()) limits_ = response.limits();
  draining_ = draining_ || response.draining();
  for (Answer& answer : *response.mutable_answers()) {
    answers_[answer.id()].push_back(std::move(answer));
  }
  return true;
}

PipelineStream::Answer PipelineStream::Receive(uint64_t id) {
  for (;;) {
    const auto found = answers_.find(id);
    if (found != answers_.end()) {
      Answer answer = std::move(found->second.front());
      found->second.pop_front();
      if (found->second.empty()) answers_.erase(found);
      return answer;
    }
    if (!Read()) return {};
  }
}

Outcome PipelineStream::Receive(const Call& call) {
  Outcome outcome;
  for (;;) {
    const Answer answer = Receive(call.id());
    switch (answer.answer_case()) {
      case Answer::kError:
        outcome.status = grpc::Status(static_cast<grpc::StatusCode>(answer.error().code()),
                                      answer.error().message());
        outcome.detail = answer.error().detail();
        return outcome;
      case Answer::kResult: outcome.Add(answer.result()); break;
      case Answer::kExecuted:
        outcome.summary = answer.executed();
        outcome.has_summary = true;
        break;
      case Answer::ANSWER_NOT_SET:
        outcome.status = WaitForEnd();
        outcome.detail = DetailOf(outcome.status);
        return outcome;
      default: break;
    }
    if (!answer.more()) return outcome;
    Next(call.id());
  }
}

Outcome PipelineStream::Do(const Call& call) {
  Send({call});
  return Receive(call);
}

grpc::Status PipelineStream::WaitForEnd() {
  while (Read()) {
  }
  finished_ = true;
  return stream_->Finish();
}

grpc::Status PipelineStream::Finish() {
  WritesDone();
  return WaitForEnd();
}

}  // namespace penstock::testing
