#include "client/src/refusal.h"

#include "absl/strings/cord.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "text/string_views.h"

namespace penstock::internal {

absl::Status Refusal(absl::StatusCode code, std::string_view message, std::string_view reason,
                     std::string_view hint) {
  absl::Status status(code, ToAbsl(message));
  std::string detail = absl::StrCat("reason: REASON_", ToAbsl(reason), " retry: RETRY_NEVER");
  if (!hint.empty()) {
    absl::StrAppend(&detail, " hint: \"", absl::Utf8SafeCEscape(ToAbsl(hint)), "\"");
  }
  status.SetPayload(kDetailUrl, absl::Cord(detail));
  return status;
}

absl::Status InvalidParameter(std::string_view message) {
  return Refusal(absl::StatusCode::kInvalidArgument, message, "INVALID_PARAMETER");
}

}  // namespace penstock::internal
