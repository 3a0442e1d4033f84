// Converts between the library's types and protobuf messages.
#ifndef PENSTOCK_CLIENT_SRC_CONVERT_H_
#define PENSTOCK_CLIENT_SRC_CONVERT_H_

#include <algorithm>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/repeated_field.h"
#include "penstock/context.h"
#include "penstock/internal/v1/database.pb.h"
#include "penstock/internal/v1/value.pb.h"
#include "penstock/rows.h"
#include "penstock/value.h"

namespace penstock::internal {

// Convert arguments. INVALID_ARGUMENT names the parameter that cannot be sent as it is; protobuf
// would fail on it later and with a less helpful error.
absl::Status ToProto(const std::vector<Value>& args,
                     google::protobuf::RepeatedPtrField<v1::Value>* out);
absl::Status ToProto(const std::vector<std::vector<Value>>& rows,
                     google::protobuf::RepeatedPtrField<v1::Row>* out);

// Refuses text that is not UTF-8; `what` names it in the error.
absl::Status CheckUtf8(std::string_view text, std::string_view what);

// Refuses a statement that is not UTF-8, or that is empty: on a stream an empty statement would
// mean "the same as before".
absl::Status CheckSql(std::string_view sql);

Value FromProto(const v1::Value& value);
std::vector<ColumnType> FromProto(const google::protobuf::RepeatedPtrField<v1::Column>& columns);
Result FromProto(const v1::Summary& summary);
Notices FromProto(const google::protobuf::RepeatedPtrField<v1::Notice>& notices, int64_t dropped);

void ToProto(absl::Duration duration, google::protobuf::Duration* out);
absl::Duration FromProto(const google::protobuf::Duration& duration);

// Sets the request's timeout to the time that `ctx` leaves, if it has a deadline.
template <typename Request>
void SetTimeout(const Context& ctx, Request* request) {
  if (ctx.deadline() == absl::InfiniteFuture()) return;
  // A request that is already late is sent all the same, and fails at the daemon like any other.
  ToProto(std::max(ctx.deadline() - absl::Now(), absl::Nanoseconds(1)), request->mutable_timeout());
}

// Sets the request's settings to those of `ctx`. Fails if one of them is not UTF-8.
template <typename Request>
absl::Status SetSettings(const Context& ctx, Request* request) {
  for (const auto& [name, value] : ctx.settings()) {
    absl::Status status = CheckUtf8(name, "the name of a setting");
    if (status.ok()) status = CheckUtf8(value, "the value of a setting");
    if (!status.ok()) return status;
    (*request->mutable_settings())[name] = value;
  }
  return absl::OkStatus();
}

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_CONVERT_H_
