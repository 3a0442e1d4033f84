// The outer level of both messages in protobuf's encoding, whose rules are in
// https://protobuf.dev/programming-guides/encoding/. Fields may come in any order, and a field that
// this library does not know is skipped. The numbers of the fields are those of the generated
// messages, so that they cannot differ.
#include "client/src/pipe_wire.h"

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "penstock/internal/v1/database.pb.h"

namespace penstock::internal {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;
using Request = v1::PipelineRequest;
using Response = v1::PipelineResponse;

constexpr uint32_t Tag(int field, WireFormatLite::WireType type) {
  return static_cast<uint32_t>(field) << 3 | static_cast<uint32_t>(type);
}
constexpr uint32_t Bytes(int field) {
  return Tag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
}
constexpr uint32_t Number(int field) { return Tag(field, WireFormatLite::WIRETYPE_VARINT); }

void AppendVarint(uint64_t number, std::string* out) {
  uint8_t bytes[10];
  const uint8_t* const end = CodedOutputStream::WriteVarint64ToArray(number, bytes);
  out->append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(end - bytes));
}

// A repeated number is a field of bytes that has the numbers one after another.
void AppendToList(int field, uint64_t number, std::string* out) {
  AppendVarint(Bytes(field), out);
  AppendVarint(CodedOutputStream::VarintSize64(number), out);
  AppendVarint(number, out);
}

CodedInputStream Reader(std::string_view bytes) {
  return CodedInputStream(reinterpret_cast<const uint8_t*>(bytes.data()),
                          static_cast<int>(bytes.size()));
}

// Reads a field of bytes of `from`, whose tag was read.
bool ReadBytes(CodedInputStream* in, std::string_view from, std::string_view* bytes) {
  uint32_t size = 0;
  if (!in->ReadVarint32(&size)) return false;
  const auto begin = static_cast<size_t>(in->CurrentPosition());
  if (size > from.size() - begin) return false;
  *bytes = from.substr(begin, size);
  return in->Skip(static_cast<int>(size));
}

bool ReadAnswer(std::string_view bytes, PipeAnswer* answer) {
  answer->bytes = bytes;
  CodedInputStream in = Reader(bytes);
  while (const uint32_t tag = in.ReadTag()) {
    if (tag == Number(Response::Answer::kIdFieldNumber)) {
      if (!in.ReadVarint64(&answer->id)) return false;
    } else if (tag == Number(Response::Answer::kMoreFieldNumber)) {
      uint64_t more = 0;
      if (!in.ReadVarint64(&more)) return false;
      answer->more = more != 0;
    } else {
      if (tag == Bytes(Response::Answer::kErrorFieldNumber)) answer->failed = true;
      if (!WireFormatLite::SkipField(&in, tag)) return false;
    }
  }
  return in.ConsumedEntireMessage();
}

}  // namespace

void AppendPipeCall(std::string_view call, uint64_t id, std::string* request) {
  const uint32_t id_tag = Number(Request::Call::kIdFieldNumber);
  AppendVarint(Bytes(Request::kCallsFieldNumber), request);
  AppendVarint(
      call.size() + CodedOutputStream::VarintSize32(id_tag) + CodedOutputStream::VarintSize64(id),
      request);
  request->append(call);
  AppendVarint(id_tag, request);
  AppendVarint(id, request);
}

void AppendPipeNext(uint64_t id, std::string* request) {
  AppendToList(Request::kNextFieldNumber, id, request);
}

void AppendPipeCancel(uint64_t id, std::string* request) {
  AppendToList(Request::kCancelFieldNumber, id, request);
}

bool ReadPipeAnswers(std::string_view response, PipeAnswers* out) {
  CodedInputStream in = Reader(response);
  while (const uint32_t tag = in.ReadTag()) {
    std::string_view bytes;
    if (tag == Bytes(Response::kAnswersFieldNumber)) {
      if (!ReadBytes(&in, response, &bytes)) return false;
      if (!ReadAnswer(bytes, &out->answers.emplace_back())) return false;
    } else if (tag == Bytes(Response::kLimitsFieldNumber)) {
      Response::Limits limits;
      if (!ReadBytes(&in, response, &bytes)) return false;
      if (!limits.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
      out->max_calls = limits.max_calls();
      out->max_bytes = limits.max_bytes();
    } else if (tag == Number(Response::kDrainingFieldNumber)) {
      uint64_t draining = 0;
      if (!in.ReadVarint64(&draining)) return false;
      out->draining = draining != 0;
    } else if (!WireFormatLite::SkipField(&in, tag)) {
      return false;
    }
  }
  return in.ConsumedEntireMessage();
}

}  // namespace penstock::internal
