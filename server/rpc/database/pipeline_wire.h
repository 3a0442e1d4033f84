// The messages of a Pipeline, taken apart and put together by their bytes: each call is parsed, and
// each answer serialized, by itself, so that a large message is never here as a whole.
#ifndef PENSTOCK_SERVER_RPC_DATABASE_PIPELINE_WIRE_H_
#define PENSTOCK_SERVER_RPC_DATABASE_PIPELINE_WIRE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::server {

// What a PipelineRequest holds. Reusable.
struct PipelineParts {
  // The bytes of each call.
  std::vector<std::string_view> calls;
  std::vector<uint64_t> next;
  std::vector<uint64_t> cancel;

  // Takes the message apart, whose bytes live as long as the parts are used. Returns false if it is
  // no message.
  bool Assign(std::string_view message);
};

// What has to be known of a call before it is parsed; 0 for what it does not have.
struct PipelineHead {
  uint64_t id = 0;
  // The number of its field of `call`.
  int content = 0;

  static PipelineHead Of(std::string_view call);
};

// Returns how many bytes AppendAnswer appends at most for content of this size.
size_t AnswerBytes(size_t content);

// Appends an answer, whose field with this number has the serialized `content`, to a
// PipelineResponse.
void AppendAnswer(uint64_t id, bool more, int field, std::string_view content, std::string* to);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_DATABASE_PIPELINE_WIRE_H_
