#include "server/pool/backoff.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "text/string_views.h"

namespace penstock::server {
namespace {

using driver::Reason;

std::string Text(Duration duration) {
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  if (milliseconds < 1000) return fmt::format("{} ms", std::max<int64_t>(milliseconds, 0));
  return fmt::format("{:.1f} s", static_cast<double>(milliseconds) / 1000);
}

// Turns the last failure into an error for callers that did not try themselves: the time that ran
// out was not theirs, and an error without a reason would not say what may be retried.
absl::Status Retold(const absl::Status& status) {
  const driver::ErrorInfo info = driver::GetErrorInfo(status);
  if (info.reason != Reason::kUnspecified && !absl::IsDeadlineExceeded(status)) return status;
  return driver::MakeError(Reason::kConnectionFailed, ToStd(status.message()),
                           {.driver_code = info.driver_code, .sqlstate = info.sqlstate});
}

}  // namespace

bool Backoff::full() const {
  return failing() && driver::GetErrorInfo(why_).reason == Reason::kBackendResources;
}

Backoff::Attempt Backoff::Start(TimePoint now) {
  if (!MayStart(now)) return Attempt::kNone;
  probing_ = failing();
  return probing_ ? Attempt::kProbe : Attempt::kFree;
}

void Backoff::Succeeded() {
  failures_ = 0;
  probing_ = false;
  why_ = absl::OkStatus();
}

void Backoff::Failed(Attempt attempt, TimePoint now, const absl::Status& why,
                     std::minstd_rand& random) {
  // Attempts that began together with the first that failed are no news.
  if (failing() && attempt != Attempt::kProbe) return;
  probing_ = false;
  ceiling_ = failing() ? std::min(options_.cap, 2 * ceiling_) : options_.first;
  ++failures_;
  std::uniform_int_distribution<Duration::rep> pause(0, ceiling_.count());
  next_ = now + Duration(pause(random));
  failed_at_ = now;
  why_ = Retold(why);
}

void Backoff::Abandoned(Attempt attempt) {
  if (attempt == Attempt::kProbe) probing_ = false;
}

absl::Status Backoff::Error(TimePoint now) const {
  return driver::Annotate(
      why_,
      fmt::format("connecting to the backend failed {} ago; {}", Text(now - failed_at_),
                  probing_ ? std::string("another attempt is under way")
                           : fmt::format("the next attempt is due in {}", Text(next_ - now))));
}

}  // namespace penstock::server
