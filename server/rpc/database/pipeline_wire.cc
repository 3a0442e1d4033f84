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

}  // namespace

PipelineReader::PipelineReader(std::string_view message)
    : message_(message),
      in_(reinterpret_cast<const uint8_t*>(message.data()), static_cast<int>(message.size())) {}

PipelineReader::Part PipelineReader::Read() {
  for (;;) {
    if (in_.CurrentPosition() < list_end_) return ReadNumber();
    if (in_.CurrentPosition() == static_cast<int>(message_.size())) return Part::kEnd;
    const uint32_t tag = in_.ReadTag();
    if (tag == 0) return Part::kBroken;
    const int field = WireFormatLite::GetTagFieldNumber(tag);
    if (field == v1::PipelineRequest::kCallsFieldNumber) {
      if (tag != wire::Tag(field, wire::Type::kDelimited)) return Part::kBroken;
      return ReadCall();
    }
    if (field != v1::PipelineRequest::kNextFieldNumber &&
        field != v1::PipelineRequest::kCancelFieldNumber) {
      if (!WireFormatLite::SkipField(&in_, tag)) return Part::kBroken;
      continue;
    }
    // Numbers come one by one or as a list.
    numbers_ = field == v1::PipelineRequest::kNextFieldNumber ? Part::kNext : Part::kCancel;
    if (tag == wire::Tag(field, wire::Type::kVarint)) return ReadNumber();
    uint32_t size = 0;
    if (tag != wire::Tag(field, wire::Type::kDelimited) || !in_.ReadVarint32(&size)) {
      return Part::kBroken;
    }
    const auto begin = static_cast<size_t>(in_.CurrentPosition());
    if (size > message_.size() - begin) return Part::kBroken;
    list_end_ = static_cast<int>(begin + size);
  }
}

PipelineReader::Part PipelineReader::ReadCall() {
  uint32_t size = 0;
  if (!in_.ReadVarint32(&size)) return Part::kBroken;
  const auto begin = static_cast<size_t>(in_.CurrentPosition());
  if (size > message_.size() - begin) return Part::kBroken;
  call_ = message_.substr(begin, size);
  return in_.Skip(static_cast<int>(size)) ? Part::kCall : Part::kBroken;
}

PipelineReader::Part PipelineReader::ReadNumber() {
  const bool in_list = in_.CurrentPosition() < list_end_;
  if (!in_.ReadVarint64(&id_)) return Part::kBroken;
  return in_list && in_.CurrentPosition() > list_end_ ? Part::kBroken : numbers_;
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
