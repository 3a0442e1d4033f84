#include "server/rpc/base/convert.h"

#include <algorithm>
#include <string>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "google/protobuf/message_lite.h"
#include "server/rpc/base/wire_writer.h"
#include "text/utf8.h"

namespace penstock::server {
namespace {

using driver::Kind;
using driver::MakeError;
using driver::Reason;

// No real array is so deep, and the stack is deep enough.
constexpr int kMaxArrayDepth = 32;

}  // namespace

absl::Status Arguments::Convert(const v1::Value& from, driver::Value* to, int depth) {
  using driver::Value;
  switch (from.kind_case()) {
    case v1::Value::kNull: *to = Value::Null(); break;
    case v1::Value::kBoolean: *to = Value::Boolean(from.boolean()); break;
    case v1::Value::kInteger: *to = Value::Integer(from.integer()); break;
    case v1::Value::kReal: *to = Value::Real(from.real()); break;
    case v1::Value::kText: *to = Value::Text(from.text()); break;
    case v1::Value::kBlob: *to = Value::Blob(from.blob()); break;
    case v1::Value::kDecimal: *to = Value::Of(Kind::kDecimal, from.decimal()); break;
    case v1::Value::kDate: *to = Value::Of(Kind::kDate, from.date()); break;
    case v1::Value::kTime: *to = Value::Of(Kind::kTime, from.time()); break;
    case v1::Value::kInterval: *to = Value::Of(Kind::kInterval, from.interval()); break;
    case v1::Value::kUuid: *to = Value::Of(Kind::kUuid, from.uuid()); break;
    case v1::Value::kJson: *to = Value::Of(Kind::kJson, from.json()); break;
    case v1::Value::kTimestamp: {
      const auto& timestamp = from.timestamp();
      if (timestamp.nanos() < 0 || timestamp.nanos() > 999'999'999) {
        return MakeError(Reason::kInvalidParameter,
                         "the nanos of a timestamp must be from 0 to 999999999");
      }
      *to = Value::Timestamp(timestamp.seconds(), timestamp.nanos());
      break;
    }
    case v1::Value::kArray: {
      if (depth >= kMaxArrayDepth) {
        return MakeError(Reason::kInvalidParameter,
                         fmt::format("an array is nested deeper than {} levels", kMaxArrayDepth));
      }
      std::vector<Value> elements(static_cast<size_t>(from.array().values_size()));
      for (size_t i = 0; i < elements.size(); ++i) {
        absl::Status status =
            Convert(from.array().values(static_cast<int>(i)), &elements[i], depth + 1);
        if (!status.ok()) return status;
      }
      arrays_.push_front(std::move(elements));
      *to = {.kind = Kind::kArray, .elements = arrays_.front()};
      break;
    }
    case v1::Value::KIND_NOT_SET:
      return driver::MakeErrorWithHint(Reason::kInvalidParameter, "a value has no kind set",
                                       "set `null` for NULL");
  }
  return absl::OkStatus();
}

absl::Status Arguments::Assign(const google::protobuf::RepeatedPtrField<v1::Value>& values) {
  arrays_.clear();
  rows_.clear();
  values_.resize(static_cast<size_t>(values.size()));
  for (int i = 0; i < values.size(); ++i) {
    absl::Status status = Convert(values.Get(i), &values_[static_cast<size_t>(i)], 0);
    if (!status.ok()) return driver::Annotate(status, fmt::format("parameter {}", i + 1));
  }
  return absl::OkStatus();
}

absl::Status Arguments::AssignRows(const google::protobuf::RepeatedPtrField<v1::Row>& rows) {
  arrays_.clear();
  values_.clear();
  rows_.resize(static_cast<size_t>(rows.size()));
  for (int r = 0; r < rows.size(); ++r) {
    std::vector<driver::Value>& row = rows_[static_cast<size_t>(r)];
    row.resize(static_cast<size_t>(rows.Get(r).values_size()));
    for (int i = 0; i < rows.Get(r).values_size(); ++i) {
      absl::Status status = Convert(rows.Get(r).values(i), &row[static_cast<size_t>(i)], 0);
      if (!status.ok()) {
        return driver::Annotate(status, fmt::format("row {}, parameter {}", r + 1, i + 1));
      }
    }
  }
  return absl::OkStatus();
}

void ToProto(const driver::Value& from, v1::Value* to) {
  switch (from.kind) {
    case Kind::kUnspecified: to->set_null(google::protobuf::NULL_VALUE); break;
    case Kind::kBoolean: to->set_boolean(from.integer != 0); break;
    case Kind::kInteger: to->set_integer(from.integer); break;
    case Kind::kReal: to->set_real(from.real); break;
    case Kind::kText: to->set_text(from.text.data(), from.text.size()); break;
    case Kind::kBlob: to->set_blob(from.text.data(), from.text.size()); break;
    case Kind::kDecimal: to->set_decimal(from.text.data(), from.text.size()); break;
    case Kind::kDate: to->set_date(from.text.data(), from.text.size()); break;
    case Kind::kTime: to->set_time(from.text.data(), from.text.size()); break;
    case Kind::kInterval: to->set_interval(from.text.data(), from.text.size()); break;
    case Kind::kUuid: to->set_uuid(from.text.data(), from.text.size()); break;
    case Kind::kJson: to->set_json(from.text.data(), from.text.size()); break;
    case Kind::kTimestamp:
      to->mutable_timestamp()->set_seconds(from.integer);
      to->mutable_timestamp()->set_nanos(from.nanos);
      break;
    case Kind::kArray:
      for (const driver::Value& element : from.elements) {
        ToProto(element, to->mutable_array()->add_values());
      }
      to->mutable_array();
      break;
  }
}

// Receivers refuse a whole message for one text that is not UTF-8; a backend's names
// may be anything.
void ToProto(const driver::Column& from, v1::Column* to) {
  to->set_name(ToUtf8(from.name));
  to->set_kind(static_cast<v1::Kind>(from.kind));
  to->set_native_type(ToUtf8(from.native_type));
}

void ToProto(const driver::Notice& from, v1::Notice* to) {
  to->set_severity(ToUtf8(from.severity));
  to->set_sqlstate(ToUtf8(from.sqlstate));
  to->set_message(ToUtf8(from.message));
  to->set_detail(ToUtf8(from.detail));
  to->set_hint(ToUtf8(from.hint));
}

void ToProto(const driver::Summary& from, v1::Summary* to) {
  to->set_rows_affected(from.rows_affected);
  to->set_rows_returned(from.rows_returned);
  if (from.last_insert_id.has_value()) to->set_last_insert_id(*from.last_insert_id);
  for (const driver::Notice& notice : from.notices) ToProto(notice, to->add_notices());
  if (from.notices_dropped != 0) to->set_notices_dropped(from.notices_dropped);
}

void ToProto(const driver::StatementInfo& from, v1::Prepared* to) {
  to->set_parameter_count(from.parameter_count);
  for (const Kind kind : from.parameter_kinds) to->add_parameter_kinds(static_cast<v1::Kind>(kind));
  for (const driver::Column& column : *from.columns) ToProto(column, to->add_columns());
  to->set_read_only(from.read_only);
}

void ToProto(const driver::Capabilities& from, v1::Capabilities* to) {
  to->set_last_insert_id(from.last_insert_id);
  to->set_returning(from.returning);
  to->set_savepoints(from.savepoints);
  to->set_transactional_ddl(from.transactional_ddl);
  to->set_arrays(from.arrays);
  to->set_single_writer(from.single_writer);
  to->set_staleness(from.staleness);
  to->set_read_committed(from.read_committed);
  to->set_settings(from.settings);
}

void ToProto(Duration from, google::protobuf::Duration* to) {
  const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(from).count();
  to->set_seconds(nanos / 1'000'000'000);
  to->set_nanos(static_cast<int32_t>(nanos % 1'000'000'000));
}

absl::Status FromProto(const google::protobuf::Duration& from, Duration* to) {
  // The range of google.protobuf.Duration is ten thousand years; a century is
  // as good as none and does not overflow.
  constexpr int64_t kCentury = int64_t{100} * 365 * 24 * 3600;
  if (from.seconds() < 0 || from.nanos() < 0 || from.nanos() > 999'999'999) {
    return MakeError(Reason::kInvalidParameter, "the timeout must be a duration of zero or more");
  }
  *to = std::chrono::seconds(std::min(from.seconds(), kCentury)) +
        std::chrono::nanoseconds(from.nanos());
  return absl::OkStatus();
}

absl::Status Parse(grpc::ByteBuffer* bytes, google::protobuf::MessageLite* message) {
  grpc::ProtoBufferReader reader(bytes);
  if (reader.status().ok() && message->ParseFromZeroCopyStream(&reader)) return absl::OkStatus();
  return driver::MakeErrorWithHint(
      Reason::kProtocol, "the request is not a valid message of its type",
      "send text as valid UTF-8 and other bytes as `blob`; check the version of the .proto files");
}

absl::Status ParseSmall(grpc::ByteBuffer* bytes, google::protobuf::MessageLite* message) {
  constexpr size_t kSmall = 4096;
  if (bytes->Length() <= kSmall) return Parse(bytes, message);
  return MakeError(Reason::kLimitExceeded,
                   fmt::format("the request has {} bytes, more than the limit of {} for its kind",
                               bytes->Length(), kSmall));
}

std::string FieldBytes(int field, std::string_view content) {
  std::string bytes;
  bytes.reserve(wire::BytesSize(field, content.size()));
  wire::AppendBytes(field, content, &bytes);
  return bytes;
}

absl::Status CheckMessageSize(size_t size, size_t max_bytes) {
  if (size <= max_bytes) return absl::OkStatus();
  return driver::MakeErrorWithHint(
      Reason::kLimitExceeded,
      fmt::format("a row needs a message of {} bytes, more than max_message_bytes ({})", size,
                  max_bytes),
      "select less at a time, or raise max_message_bytes of the server and the client");
}

absl::Status Serialize(const google::protobuf::MessageLite& message, size_t max_bytes,
                       grpc::ByteBuffer* bytes) {
  const size_t size = message.ByteSizeLong();
  absl::Status fits = CheckMessageSize(size, max_bytes);
  if (!fits.ok()) return fits;
  bytes->Clear();
  if (size <= 4096) {
    // The answer is one slice, without a detour over a stream, because most answers are small.
    grpc::Slice slice(size);
    message.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
    *bytes = grpc::ByteBuffer(&slice, 1);
    return absl::OkStatus();
  }
  grpc::ProtoBufferWriter writer(bytes, 1 << 20, static_cast<int>(size));
  if (!message.SerializeToZeroCopyStream(&writer)) {
    return MakeError(Reason::kUnspecified, "cannot serialize the answer");
  }
  return absl::OkStatus();
}

absl::Status ToBytes(std::string message, size_t max_bytes, grpc::ByteBuffer* bytes) {
  absl::Status fits = CheckMessageSize(message.size(), max_bytes);
  if (!fits.ok()) return fits;
  // A small one is copied, because a slice that owns its bytes costs more. A large one is not.
  constexpr size_t kCopied = 1024;
  if (message.size() <= kCopied) {
    grpc::Slice slice(message);
    *bytes = grpc::ByteBuffer(&slice, 1);
    return absl::OkStatus();
  }
  auto* owned = new std::string(std::move(message));
  grpc::Slice slice(
      owned->data(), owned->size(), [](void* text) { delete static_cast<std::string*>(text); },
      owned);
  *bytes = grpc::ByteBuffer(&slice, 1);
  return absl::OkStatus();
}

}  // namespace penstock::server
