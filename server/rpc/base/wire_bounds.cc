#include "server/rpc/base/wire_bounds.h"

#include <algorithm>
#include <cstdint>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/wire_format_lite.h"
#include "grpcpp/support/proto_buffer_reader.h"

namespace penstock::server {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// A value with the pointer to it, a text of a list, and a field that nobody knows.
constexpr size_t kByMessage = 64;
constexpr size_t kByText = 48;
constexpr size_t kByUnknown = 32;
constexpr size_t kByNumber = 8;
constexpr size_t kSmall = 512;
// No request is nested so deep; the parser refuses it.
constexpr int kDeepest = 100;

class Scanner {
 public:
  Scanner(CodedInputStream* in, size_t most) : in_(in), most_(most) {}

  // Reads up to the end of the message. Returns false if it is too large, or not of this type.
  bool Message(const Descriptor* type, int depth) {
    while (const uint32_t tag = in_->ReadTag()) {
      const FieldDescriptor* field =
          type->FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
      if (field == nullptr) expanded_ += kByUnknown;
      if (!Field(field, tag, depth) || TooLarge()) return false;
    }
    return true;
  }

  size_t expanded() const { return expanded_; }
  bool TooLarge() const { return expanded_ > most_; }

 private:
  bool Field(const FieldDescriptor* field, uint32_t tag, int depth) {
    uint64_t number = 0;
    switch (WireFormatLite::GetTagWireType(tag)) {
      case WireFormatLite::WIRETYPE_VARINT:
        if (field != nullptr && field->is_repeated()) expanded_ += kByNumber;
        return in_->ReadVarint64(&number);
      case WireFormatLite::WIRETYPE_FIXED64: return in_->Skip(8);
      case WireFormatLite::WIRETYPE_FIXED32: return in_->Skip(4);
      case WireFormatLite::WIRETYPE_LENGTH_DELIMITED: return Delimited(field, depth);
      default: return false;  // groups: none of ours
    }
  }

  bool Delimited(const FieldDescriptor* field, int depth) {
    uint32_t size = 0;
    if (!in_->ReadVarint32(&size)) return false;
    if (field != nullptr && field->type() == FieldDescriptor::TYPE_MESSAGE) {
      expanded_ += kByMessage;
      // The key and the value of a map have their own texts.
      if (field->is_map()) expanded_ += kByText;
      if (depth >= kDeepest) return false;
      const CodedInputStream::Limit before = in_->PushLimit(static_cast<int>(size));
      const bool good = Message(field->message_type(), depth + 1) && in_->ConsumedEntireMessage();
      in_->PopLimit(before);
      return good;
    }
    const bool packed = field != nullptr && field->is_packable();
    expanded_ += packed ? size * kByNumber : size;
    if (field != nullptr && field->is_repeated() && !packed) expanded_ += kByText;
    return !TooLarge() && in_->Skip(static_cast<int>(size));
  }

  CodedInputStream* const in_;
  const size_t most_;
  size_t expanded_ = 0;
};

absl::StatusOr<size_t> Expanded(google::protobuf::io::ZeroCopyInputStream* bytes, size_t size,
                                const Descriptor* type, size_t most) {
  CodedInputStream in(bytes);
  Scanner scanner(&in, most);
  scanner.Message(type, 0);
  if (!scanner.TooLarge()) return std::max(scanner.expanded(), size);
  return driver::MakeErrorWithHint(
      driver::Reason::kLimitExceeded,
      fmt::format("the request would take more than {} MiB of memory: it has too many values",
                  most >> 20),
      "send fewer values in one request");
}

// Most are small, and not looked at: they cannot become large.
bool IsSmall(size_t size, size_t most) { return size <= std::min(kSmall, most / kByMessage); }

}  // namespace

absl::StatusOr<size_t> ExpandedSize(grpc::ByteBuffer* bytes, const Descriptor* type, size_t most) {
  if (IsSmall(bytes->Length(), most)) return bytes->Length() * kByMessage;
  grpc::ProtoBufferReader reader(bytes);
  if (!reader.status().ok()) return bytes->Length();
  return Expanded(&reader, bytes->Length(), type, most);
}

absl::StatusOr<size_t> ExpandedSize(std::string_view bytes, const Descriptor* type, size_t most) {
  if (IsSmall(bytes.size(), most)) return bytes.size() * kByMessage;
  google::protobuf::io::ArrayInputStream reader(bytes.data(), static_cast<int>(bytes.size()));
  return Expanded(&reader, bytes.size(), type, most);
}

}  // namespace penstock::server
