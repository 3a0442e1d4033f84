// The messages of a Pipeline, taken apart and put together by their bytes: each call is parsed, and
// each answer serialized, by itself, so that a large message is never here as a whole.
#ifndef PENSTOCK_SERVER_RPC_DATABASE_PIPELINE_WIRE_H_
#define PENSTOCK_SERVER_RPC_DATABASE_PIPELINE_WIRE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "google/protobuf/io/coded_stream.h"

namespace penstock::server {

// Goes through a PipelineRequest part by part and keeps none of them: a message of a few bytes a
// part would take many times its size.
class PipelineReader {
 public:
  enum class Part : uint8_t {
    kCall,
    kNext,
    kCancel,
    kEnd,
    kBroken,  // it is no message; nothing is to be read any more
  };

  // The message's bytes outlive the reader and what call() has returned.
  explicit PipelineReader(std::string_view message);

  Part Read();
  // The bytes of the call that was read.
  std::string_view call() const { return call_; }
  // The number that was read, of kNext or kCancel.
  uint64_t id() const { return id_; }

 private:
  Part ReadCall();
  Part ReadNumber();

  const std::string_view message_;
  google::protobuf::io::CodedInputStream in_;
  std::string_view call_;
  uint64_t id_ = 0;
  // What the numbers are that come, and where a list of them ends.
  Part numbers_ = Part::kEnd;
  int list_end_ = 0;
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
