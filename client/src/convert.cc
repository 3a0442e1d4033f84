#include "client/src/convert.h"

#include <algorithm>
#include <utility>

#include "client/src/format.h"
#include "client/src/status.h"
#include "text/string_views.h"
#include "text/utf8.h"

namespace penstock::internal {
namespace {

absl::Status ToProto(const Value& value, v1::Value* out) {
  if (absl::Status status = value.status(); !status.ok()) return status;
  // Fills a protobuf string, which must be UTF-8.
  const auto fill = [&value](std::string* field) {
    if (!IsUtf8(value.text())) {
      return InvalidParameter(internal::Format(
          "{} is not valid UTF-8; use penstock::Bytes for bytes", KindName(value.kind())));
    }
    *field = value.text();
    return absl::OkStatus();
  };
  switch (value.kind()) {
    case Kind::kUnspecified: out->set_null(google::protobuf::NULL_VALUE); break;
    case Kind::kBoolean: out->set_boolean(value.boolean()); break;
    case Kind::kInteger: out->set_integer(value.integer()); break;
    case Kind::kReal: out->set_real(value.real()); break;
    case Kind::kBlob: out->set_blob(value.text()); break;
    case Kind::kTimestamp:
      out->mutable_timestamp()->set_seconds(value.timestamp().seconds);
      out->mutable_timestamp()->set_nanos(value.timestamp().nanos);
      break;
    case Kind::kText: return fill(out->mutable_text());
    case Kind::kDecimal: return fill(out->mutable_decimal());
    case Kind::kDate: return fill(out->mutable_date());
    case Kind::kTime: return fill(out->mutable_time());
    case Kind::kInterval: return fill(out->mutable_interval());
    case Kind::kUuid: return fill(out->mutable_uuid());
    case Kind::kJson: return fill(out->mutable_json());
    case Kind::kArray:
      out->mutable_array();  // An empty array has no values to add.
      for (const Value& element : value.elements()) {
        absl::Status status = ToProto(element, out->mutable_array()->add_values());
        if (!status.ok()) return status;
      }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ToProto(const std::vector<Value>& args,
                     google::protobuf::RepeatedPtrField<v1::Value>* out) {
  out->Reserve(static_cast<int>(args.size()));
  for (const Value& arg : args) {
    const absl::Status status = ToProto(arg, out->Add());
    if (!status.ok()) {
      return InvalidParameter(
          internal::Format("parameter {}: {}", out->size(), ToStd(status.message())));
    }
  }
  return absl::OkStatus();
}

absl::Status ToProto(const std::vector<std::vector<Value>>& rows,
                     google::protobuf::RepeatedPtrField<v1::Row>* out) {
  out->Reserve(static_cast<int>(rows.size()));
  for (const std::vector<Value>& row : rows) {
    const absl::Status status = ToProto(row, out->Add()->mutable_values());
    if (!status.ok()) {
      return InvalidParameter(internal::Format("row {}: {}", out->size(), ToStd(status.message())));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckUtf8(std::string_view text, std::string_view what) {
  if (IsUtf8(text)) return absl::OkStatus();
  return InvalidParameter(internal::Format("{} is not valid UTF-8", what));
}

absl::Status CheckSql(std::string_view sql) {
  if (sql.empty()) return EmptyStatement();
  return CheckUtf8(sql, "the statement");
}

Value FromProto(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kBoolean: return Value(value.boolean());
    case v1::Value::kInteger: return Value(value.integer());
    case v1::Value::kReal: return Value(value.real());
    case v1::Value::kText: return Value(value.text());
    case v1::Value::kBlob: return Value(Bytes{value.blob()});
    case v1::Value::kDecimal: return Value::Decimal(value.decimal());
    case v1::Value::kTimestamp:
      return Value(Timestamp{value.timestamp().seconds(), value.timestamp().nanos()});
    case v1::Value::kDate: return Value::Date(value.date());
    case v1::Value::kTime: return Value::Time(value.time());
    case v1::Value::kInterval: return Value::Interval(value.interval());
    case v1::Value::kUuid: return Value::Uuid(value.uuid());
    case v1::Value::kJson: return Value::Json(value.json());
    case v1::Value::kArray: {
      std::vector<Value> elements;
      elements.reserve(static_cast<size_t>(value.array().values_size()));
      for (const v1::Value& element : value.array().values()) {
        elements.push_back(FromProto(element));
      }
      return Value::Array(std::move(elements));
    }
    case v1::Value::kNull:
    case v1::Value::KIND_NOT_SET: break;
  }
  return Value();
}

std::vector<ColumnType> FromProto(const google::protobuf::RepeatedPtrField<v1::Column>& columns) {
  std::vector<ColumnType> types;
  types.reserve(columns.size());
  for (const v1::Column& column : columns) {
    // A newer daemon may have kinds that this library does not know.
    const Kind kind =
        v1::Kind_IsValid(column.kind()) ? static_cast<Kind>(column.kind()) : Kind::kUnspecified;
    types.push_back({.name = column.name(), .kind = kind, .native_type = column.native_type()});
  }
  return types;
}

Notices FromProto(const google::protobuf::RepeatedPtrField<v1::Notice>& notices, int64_t dropped) {
  Notices all{.dropped = dropped};
  for (const v1::Notice& notice : notices) {
    all.list.push_back({.severity = notice.severity(),
                        .sqlstate = notice.sqlstate(),
                        .message = notice.message(),
                        .detail = notice.detail(),
                        .hint = notice.hint()});
  }
  return all;
}

Result FromProto(const v1::Summary& summary) {
  std::optional<int64_t> id;
  if (summary.has_last_insert_id()) id = summary.last_insert_id();
  return Result(summary.rows_affected(), id,
                FromProto(summary.notices(), summary.notices_dropped()));
}

void ToProto(absl::Duration duration, google::protobuf::Duration* out) {
  absl::Duration rest;
  // The longest duration that protobuf allows is ten thousand years.
  duration = std::min(duration, absl::Seconds(315'576'000'000));
  out->set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  out->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
}

absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

}  // namespace penstock::internal
