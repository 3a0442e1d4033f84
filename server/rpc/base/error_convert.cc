// Turns errors into messages, and into the ends of calls.
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "google/protobuf/any.pb.h"
#include "server/rpc/base/convert.h"
#include "text/utf8.h"

namespace penstock::server {
namespace {

// gRPC's clients take 8 KiB of metadata by default, and lose an error that has more: then
// they report RESOURCE_EXHAUSTED instead. gRPC's own headers need some hundred bytes.
constexpr size_t kMaxBytes = 7000;
// Each name keeps so much when the others are long too.
constexpr size_t kMaxNameBytes = 170;
constexpr size_t kMaxHintBytes = 900;
constexpr size_t kFairDetailBytes = 2000;

// The place of a text decides how much it takes. Everything is in grpc-status-details-bin, which is
// sent in base64; the status message is in grpc-message as well, where each byte that is not
// printable ASCII takes three, "%C3".
enum class Place : uint8_t { kDetails, kMessage };

size_t Thirds(std::string_view text, Place place) {
  size_t thirds = 4 * text.size();
  if (place == Place::kDetails) return thirds;
  for (const char c : text) thirds += c < ' ' || c > '~' || c == '%' ? 9 : 3;
  return thirds;
}

size_t Bytes(std::string_view text, Place place) { return (Thirds(text, place) + 2) / 3; }

// UTF-8 stays UTF-8.
std::string Cut(std::string text, Place place, size_t max_bytes) {
  if (Bytes(text, place) <= max_bytes) return text;
  const std::string end = fmt::format("… [cut, {} bytes]", text.size());
  size_t left = 3 * (max_bytes - std::min(max_bytes, Bytes(end, place)));
  size_t size = 0;
  for (;;) {
    size_t next = size + 1;
    while (next < text.size() && IsContinuation(text[next])) ++next;
    const size_t thirds = Thirds(std::string_view(text).substr(size, next - size), place);
    if (thirds > left) break;
    left -= thirds;
    size = next;
  }
  text.resize(size);
  return text + end;
}

// An error as it is sent.
struct Outgoing {
  std::string message;
  v1::ErrorDetail detail;
};

Outgoing Fit(const absl::Status& status) {
  const driver::ErrorInfo info = driver::GetErrorInfo(status);
  Outgoing out;
  v1::ErrorDetail& detail = out.detail;
  detail.set_reason(static_cast<v1::Reason>(info.reason));
  detail.set_retry(info.retry == driver::Retry::kUnspecified ? v1::RETRY_NEVER
                                                             : static_cast<v1::Retry>(info.retry));
  detail.set_driver_code(info.driver_code);
  detail.set_position(info.position);
  size_t left = kMaxBytes;
  const auto fit = [&left](const std::string& text, Place place, size_t max_bytes) {
    std::string cut = Cut(ToUtf8(text), place, max_bytes);
    left -= std::min(left, Bytes(cut, place));
    return cut;
  };
  detail.set_sqlstate(fit(info.sqlstate, Place::kDetails, kMaxNameBytes));
  detail.set_constraint(fit(info.constraint, Place::kDetails, kMaxNameBytes));
  detail.set_schema(fit(info.schema, Place::kDetails, kMaxNameBytes));
  detail.set_table(fit(info.table, Place::kDetails, kMaxNameBytes));
  detail.set_column(fit(info.column, Place::kDetails, kMaxNameBytes));
  detail.set_hint(fit(info.hint, Place::kDetails, kMaxHintBytes));
  const size_t for_detail = std::min(Bytes(info.detail, Place::kDetails), kFairDetailBytes);
  const std::string message(status.message());
  out.message = fit(message, Place::kMessage, left - for_detail);
  detail.set_detail(fit(info.detail, Place::kDetails, left));
  return out;
}

}  // namespace

void ToProto(const absl::Status& from, v1::Error* to) {
  Outgoing out = Fit(from);
  to->set_code(static_cast<int>(from.code()));
  to->set_message(std::move(out.message));
  *to->mutable_detail() = std::move(out.detail);
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const Outgoing out = Fit(status);
  v1::StatusDetails details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(out.message);
  details.add_details()->PackFrom(out.detail);
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), out.message,
                      details.SerializeAsString());
}

}  // namespace penstock::server
