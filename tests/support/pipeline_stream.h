// A Pipeline stream, for tests. It hides nothing: whatever a client may send can be sent.
#ifndef PENSTOCK_TESTS_SUPPORT_PIPELINE_STREAM_H_
#define PENSTOCK_TESTS_SUPPORT_PIPELINE_STREAM_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/wire.h"

namespace penstock::testing {

// One thread at a time, except that Cancel may come from another.
class PipelineStream {
 public:
  using Request = v1::PipelineRequest;
  using Call = v1::PipelineRequest::Call;
  using Response = v1::PipelineResponse;
  using Answer = v1::PipelineResponse::Answer;

  // Opens the stream. `metadata` goes with it.
  explicit PipelineStream(const Wire& wire,
                          const std::map<std::string, std::string>& metadata = {});
  ~PipelineStream();

  // Calls, with the id that each is given.
  static Call Query(uint64_t id, const std::string& sql, const Values& args = {});
  static Call Exec(uint64_t id, const std::string& sql, const Values& args = {});
  static Call Prepare(uint64_t id, uint32_t statement, const std::string& sql);
  static Call Run(uint64_t id, uint32_t statement, const Values& args = {});

  bool Write(const Request& request) { return stream_->Write(request); }
  // Sends calls in one message.
  bool Send(const std::vector<Call>& calls);
  bool Next(uint64_t id);
  bool Cancel(uint64_t id);

  // Reads one message and sorts its answers. Returns false at the end of the stream.
  bool Read();
  // Returns the next answer to a call, and reads until there is one. At the end of the stream, one
  // without content.
  Answer Receive(uint64_t id);
  // Receives what a call returns, and asks for all of it. The end of the stream is an error with
  // its status.
  Outcome Receive(const Call& call);
  // Sends a call and receives its outcome.
  Outcome Do(const Call& call);

  // The answers that were read and not received, by call.
  std::map<uint64_t, std::deque<Answer>>& answers() { return answers_; }
  const Response::Limits& limits() const { return limits_; }
  bool draining() const { return draining_; }
  int messages() const { return messages_; }

  void WritesDone() { stream_->WritesDone(); }
  void CancelStream() { context_.TryCancel(); }
  // Waits for the end of the stream, without closing the client's side.
  grpc::Status WaitForEnd();
  grpc::Status Finish();

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<Request, Response>> stream_;
  std::map<uint64_t, std::deque<Answer>> answers_;
  Response::Limits limits_;
  bool draining_ = false;
  int messages_ = 0;
  bool finished_ = false;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_PIPELINE_STREAM_H_
