#include "drivers/api/only_read.h"

#include <string>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::driver {
namespace {

absl::Status Refuse(std::string_view why, ErrorInfo info) {
  info.hint = "use an identity that has the right to write";
  info.retry = Retry::kUnspecified;
  return MakeError(Reason::kNotAllowed,
                   fmt::format("the caller may only read{}{}", why.empty() ? "" : ": ", why),
                   std::move(info));
}

}  // namespace

absl::Status MayOnlyRead(std::string_view why) { return Refuse(why, {}); }

absl::Status AsMayOnlyRead(const absl::Status& status) {
  ErrorInfo info = GetErrorInfo(status);
  if (info.reason != Reason::kReadOnly) return status;
  const std::string words(status.message());
  return Refuse(words, std::move(info));
}

}  // namespace penstock::driver
