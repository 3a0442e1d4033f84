// Writes PipelineRequests and reads PipelineResponses without making messages of them: who sends
// and receives for all callers only puts together what each of them has written, and takes apart
// what each of them then reads for itself. Without gRPC.
#ifndef PENSTOCK_CLIENT_SRC_PIPE_WIRE_H_
#define PENSTOCK_CLIENT_SRC_PIPE_WIRE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::internal {

// The most bytes that a request takes in a message besides its own.
inline constexpr size_t kPipeFrameBytes = 24;

// Appends a call to a PipelineRequest. `call` is a serialized PipelineRequest.Call without an id.
void AppendPipeCall(std::string_view call, uint64_t id, std::string* request);
// Append an id to `next` and to `cancel`.
void AppendPipeNext(uint64_t id, std::string* request);
void AppendPipeCancel(uint64_t id, std::string* request);

// An answer of a PipelineResponse.
struct PipeAnswer {
  uint64_t id = 0;
  bool more = false;
  // It has an `error`.
  bool failed = false;
  // The whole Answer, serialized. Refers to the response.
  std::string_view bytes = {};
};

// A PipelineResponse taken apart.
struct PipeAnswers {
  std::vector<PipeAnswer> answers = {};
  bool draining = false;
  // `limits`; 0 unless the message has them.
  uint64_t max_calls = 0;
  uint64_t max_bytes = 0;
};

// Reads a response. Returns false if it is not a PipelineResponse.
bool ReadPipeAnswers(std::string_view response, PipeAnswers* out);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_PIPE_WIRE_H_
