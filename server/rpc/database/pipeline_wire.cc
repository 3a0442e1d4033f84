#include "server/rpc/database/pipeline_wire.h"

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "penstock/v1/database.pb.h"
#include "server/rpc/base/wire_writer.h"

namespace penstock::server {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using Answer = v1::PipelineResponse::Answer;
using Call = v1::PipelineRequest::Call;

CodedInputStream Reader(std::string_view bytes) {
  return CodedInputStream(reinterpret_cast<const uint8_t*>(bytes.data()),
                          static_cast<int>(bytes.size()));
}

// Reads a field with numbers, packed or not.
bool ReadNumbers(CodedInputStream* in, uint32_t tag, std::vector<uint64_t>* to) {
  uint64_t number = 0;
  if (WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_VARINT) {
    if (!in->ReadVarint64(&number)) return false;
    to->push_back(number);
    return true;
  }
  uint32_t size = 0;
  if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED ||
      !in->ReadVarint32(&size) || static_cast<int>(size) > in->BytesUntilLimit()) {
    return false;
  }
  const CodedInputStream::Limit before = in->PushLimit(static_cast<int>(size));
  while (in->BytesUntilLimit() > 0) {
    if (!in->ReadVarint64(&number)) return false;
    to->push_back(number);
  }
  in->PopLimit(before);
  return true;
}

}  // namespace

bool PipelineParts::Assign(std::string_view message) {
  calls.clear();
  next.clear();
  cancel.clear();
  CodedInputStream in = Reader(message);
  in.PushLimit(static_cast<int>(message.size()));
  while (in.BytesUntilLimit() > 0) {
    const uint32_t tag = in.ReadTag();
    if (tag == 0) return false;
    bool read = false;
    switch (WireFormatLite::GetTagFieldNumber(tag)) {
      case v1::PipelineRequest::kNextFieldNumber: read = ReadNumbers(&in, tag, &next); break;
      case v1::PipelineRequest::kCancelFieldNumber: read = ReadNumbers(&in, tag, &cancel); break;
      case v1::PipelineRequest::kCallsFieldNumber: {
        uint32_t size = 0;
        read = tag == wire::Tag(v1::PipelineRequest::kCallsFieldNumber, wire::Type::kDelimited) &&
               in.ReadVarint32(&size) && static_cast<int64_t>(size) <= in.BytesUntilLimit();
        if (!read) break;
        calls.push_back(message.substr(static_cast<size_t>(in.CurrentPosition()), size));
        read = in.Skip(static_cast<int>(size));
        break;
      }
      default: read = WireFormatLite::SkipField(&in, tag); break;
    }
    if (!read) return false;
  }
  return true;
}

PipelineHead PipelineHead::Of(std::string_view call) {
  PipelineHead head;
  CodedInputStream in = Reader(call);
  // Most often the id is the first field, and what is called the next one.
  while (head.id == 0 || head.content == 0) {
    const uint32_t tag = in.ReadTag();
    if (tag == 0) break;
    const int field = WireFormatLite::GetTagFieldNumber(tag);
    if (tag == wire::Tag(Call::kIdFieldNumber, wire::Type::kVarint)) {
      if (!in.ReadVarint64(&head.id)) break;
      continue;
    }
    if (field >= Call::kRunFieldNumber && field <= Call::kScanFieldNumber) head.content = field;
    if (!WireFormatLite::SkipField(&in, tag)) break;
  }
  return head;
}

size_t AnswerBytes(size_t content) {
  // Four tags, of which none is long, three lengths or numbers, and a bool.
  constexpr size_t kMost = 4 + 3 * 10 + 1;
  return kMost + content;
}

void AppendAnswer(uint64_t id, bool more, int field, std::string_view content, std::string* to) {
  const size_t size = wire::NumberSize(Answer::kIdFieldNumber, id) +
                      (more ? wire::NumberSize(Answer::kMoreFieldNumber, 1) : 0) +
                      wire::BytesSize(field, content.size());
  wire::AppendHead(v1::PipelineResponse::kAnswersFieldNumber, size, to);
  wire::AppendNumber(Answer::kIdFieldNumber, id, to);
  if (more) wire::AppendNumber(Answer::kMoreFieldNumber, 1, to);
  wire::AppendBytes(field, content, to);
}

}  // namespace penstock::server
