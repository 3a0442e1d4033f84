#include "server/auth/quota.h"

#include <algorithm>
#include <chrono>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "server/log/log.h"

namespace penstock::server {
namespace {

using driver::Duration;
using driver::TimePoint;
using std::chrono::milliseconds;

// Calls may come at once that would come within this time at an even pace.
constexpr Duration kBurst = std::chrono::seconds(1);

uint64_t NextNumber() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

absl::Status Error(std::string_view what, std::string hint, driver::Retry retry) {
  driver::ErrorInfo info{.retry = retry};
  info.hint = std::move(hint);
  return driver::MakeError(driver::Reason::kLimitExceeded, what, std::move(info));
}

}  // namespace

std::string_view LimitName(Quota::Limit limit) {
  switch (limit) {
    case Quota::Limit::kCalls: return "max_calls";
    case Quota::Limit::kTransactions: return "max_transactions";
    case Quota::Limit::kRate: return "calls_per_second";
    case Quota::Limit::kResultBytes: return "max_result_bytes";
    case Quota::Limit::kResultRows: return "max_result_rows";
  }
  return "";
}

Quota::Share& Quota::Share::operator=(Share&& other) noexcept {
  if (this != &other) {
    Release();
    quota_ = std::move(other.quota_);
    transaction_ = other.transaction_;
  }
  return *this;
}

void Quota::Share::Release() {
  const std::shared_ptr<Quota> quota = std::exchange(quota_, nullptr);
  if (quota != nullptr) quota->Leave(transaction_);
}

std::shared_ptr<Quota> Quota::Make(std::string name, const IdentityLimits& limits) {
  return std::shared_ptr<Quota>(new Quota(std::move(name), limits));
}

Quota::Quota(std::string name, const IdentityLimits& limits)
    : name_(std::move(name)), number_(NextNumber()) {
  SetLimits(limits);
}

void Quota::SetLimits(const IdentityLimits& limits) {
  std::lock_guard lock(mutex_);
  limits_ = limits;
  limits_results_.store(limits.max_result_bytes > 0 || limits.max_result_rows > 0);
}

IdentityLimits Quota::limits() const {
  std::lock_guard lock(mutex_);
  return limits_;
}

int Quota::calls() const {
  std::lock_guard lock(mutex_);
  return calls_;
}

absl::StatusOr<Quota::Share> Quota::Admit(bool transaction, TimePoint now) {
  std::optional<Excess> excess;
  bool enforced = false;
  {
    std::lock_guard lock(mutex_);
    excess = FindExcessLocked(transaction, now);
    enforced = limits_.enforce;
    if (!excess.has_value() || !enforced) {
      ++calls_;
      if (transaction) ++transactions_;
    }
  }
  if (excess.has_value()) {
    Note(*excess, enforced);
    if (enforced) {
      return Error(excess->what, std::move(excess->hint), driver::Retry::kStatement);
    }
  }
  return Share(shared_from_this(), transaction);
}

std::optional<Quota::Excess> Quota::FindExcessLocked(bool transaction, TimePoint now) {
  if (limits_.max_calls > 0 && calls_ >= limits_.max_calls) {
    return Excess{
        .limit = Limit::kCalls,
        .what = fmt::format("identity '{}' has {} calls and streams in flight already (max_calls)",
                            name_, limits_.max_calls),
        .hint = "make fewer calls at once, or raise max_calls of the identity"};
  }
  if (transaction && limits_.max_transactions > 0 && transactions_ >= limits_.max_transactions) {
    return Excess{
        .limit = Limit::kTransactions,
        .what = fmt::format("identity '{}' has {} transactions open already (max_transactions)",
                            name_, limits_.max_transactions),
        .hint = "end a transaction before the next, or raise max_transactions of the identity"};
  }
  return limits_.calls_per_second > 0 ? TakeFromRateLocked(now) : std::nullopt;
}

// A bucket of tokens, told by the time at which it would be full: a call that does not come at an
// even pace borrows from the calls to come, up to kBurst.
std::optional<Quota::Excess> Quota::TakeFromRateLocked(TimePoint now) {
  const TimePoint until = std::max(paced_until_, now) + kBurst / limits_.calls_per_second;
  const Duration wait = until - now - kBurst;
  if (wait <= Duration::zero()) {
    paced_until_ = until;
    return std::nullopt;
  }
  return Excess{.limit = Limit::kRate,
                .what = fmt::format("identity '{}' makes more than {} calls a second "
                                    "(calls_per_second)",
                                    name_, limits_.calls_per_second),
                .hint = fmt::format("make the call again after {} ms, or raise calls_per_second of "
                                    "the identity",
                                    std::chrono::ceil<milliseconds>(wait).count())};
}

absl::Status Quota::CheckResult(const ResultSize& size, bool* exceeded) {
  *exceeded = false;
  if (!limits_results_.load(std::memory_order_relaxed)) return absl::OkStatus();
  std::optional<Excess> excess;
  bool enforced = false;
  {
    std::lock_guard lock(mutex_);
    excess = FindExcessOfResultLocked(size);
    enforced = limits_.enforce;
  }
  *exceeded = excess.has_value();
  if (!*exceeded) return absl::OkStatus();
  Note(*excess, enforced);
  if (!enforced) return absl::OkStatus();
  return Error(excess->what, std::move(excess->hint), driver::Retry::kNever);
}

std::optional<Quota::Excess> Quota::FindExcessOfResultLocked(const ResultSize& size) const {
  if (limits_.max_result_rows > 0 && size.rows > limits_.max_result_rows) {
    return Excess{
        .limit = Limit::kResultRows,
        .what = fmt::format("the result has more than {} rows (max_result_rows of identity '{}')",
                            limits_.max_result_rows, name_),
        .hint = "ask for fewer rows at once, or raise max_result_rows of the identity"};
  }
  if (limits_.max_result_bytes > 0 && size.bytes > limits_.max_result_bytes) {
    return Excess{
        .limit = Limit::kResultBytes,
        .what = fmt::format("the result has more than {} bytes (max_result_bytes of identity '{}')",
                            limits_.max_result_bytes, name_),
        .hint = "ask for fewer rows or columns, or raise max_result_bytes of the identity"};
  }
  return std::nullopt;
}

void Quota::Note(const Excess& excess, bool enforced) {
  exceeded_[static_cast<size_t>(excess.limit)].Add();
  if (enforced) return;
  Log(Level::kWarn, "an identity exceeds a limit that is not enforced",
      {{"identity", name_}, {"limit", LimitName(excess.limit)}, {"what", excess.what}});
}

void Quota::Leave(bool transaction) {
  std::lock_guard lock(mutex_);
  --calls_;
  if (transaction) --transactions_;
}

absl::Status ResultMeter::Check(const ResultSize& size) {
  if (quota_ == nullptr || noted_) return absl::OkStatus();
  return quota_->CheckResult(size, &noted_);
}

}  // namespace penstock::server
