// What one identity uses of the daemon, held against its limits.
#ifndef PENSTOCK_SERVER_AUTH_QUOTA_H_
#define PENSTOCK_SERVER_AUTH_QUOTA_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/deadline.h"
#include "server/config/identity.h"
#include "server/metrics/metrics.h"

namespace penstock::server {

// About the size of a result, or of as much of it as has come.
struct ResultSize {
  size_t bytes = 0;
  size_t rows = 0;
};

// Shared by the principals of an identity, and kept over reloads. All errors are kLimitExceeded and
// name the limit with its value. Thread-safe.
class Quota : public std::enable_shared_from_this<Quota> {
 public:
  enum class Limit : uint8_t { kCalls, kTransactions, kRate, kResultBytes, kResultRows };
  static constexpr size_t kLimits = 5;

  // A call in flight. Keeps the quota alive, and gives the call back when it is destroyed. Movable;
  // one thread at a time.
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept { *this = std::move(other); }
    Share& operator=(Share&& other) noexcept;
    ~Share() { Release(); }

    void Release();

   private:
    friend class Quota;
    Share(std::shared_ptr<Quota> quota, bool transaction)
        : quota_(std::move(quota)), transaction_(transaction) {}

    std::shared_ptr<Quota> quota_;
    bool transaction_ = false;
  };

  // `name` is the identity's.
  static std::shared_ptr<Quota> Make(std::string name, const IdentityLimits& limits = {});
  Quota(const Quota&) = delete;
  Quota& operator=(const Quota&) = delete;

  const std::string& name() const { return name_; }
  // A number that no other quota of this process has: the identity as a tenant of queues. Never 0.
  uint64_t number() const { return number_; }

  // Holds what begins from now on against these limits.
  void SetLimits(const IdentityLimits& limits);
  IdentityLimits limits() const;

  // Begins a call. If it exceeds a limit it has not begun, and may be made again: the error says
  // so, and for the rate when.
  absl::StatusOr<Share> Admit(bool transaction, driver::TimePoint now);

  // Tells in `exceeded` whether a result of this size exceeds a limit, which is then counted, and
  // returns an error if limits are enforced.
  absl::Status CheckResult(const ResultSize& size, bool* exceeded);

  // Counts a call that was admitted and has ended.
  void CountCall(absl::StatusCode code) {
    calls_ended_[static_cast<size_t>(code) % kStatusCodes].Add();
  }

  // The figures for /metrics: calls in flight, calls that have ended by status code, and how often
  // a limit was exceeded.
  int calls() const;
  int64_t calls_ended(size_t code) const { return calls_ended_[code].value(); }
  int64_t exceeded(Limit limit) const { return exceeded_[static_cast<size_t>(limit)].value(); }

 private:
  Quota(std::string name, const IdentityLimits& limits);

  // What exceeds a limit, in words, and what to do about it.
  struct Excess {
    Limit limit;
    std::string what;
    std::string hint;
  };

  std::optional<Excess> FindExcessLocked(bool transaction, driver::TimePoint now);
  std::optional<Excess> TakeFromRateLocked(driver::TimePoint now);
  std::optional<Excess> FindExcessOfResultLocked(const ResultSize& size) const;
  // Counts what exceeds a limit, and logs it if it is let through.
  void Note(const Excess& excess, bool enforced);
  void Leave(bool transaction);

  const std::string name_;
  const uint64_t number_;
  // False: no result needs to be looked at.
  std::atomic<bool> limits_results_{false};
  std::array<Count, kStatusCodes> calls_ended_;
  std::array<Count, kLimits> exceeded_;

  mutable std::mutex mutex_;
  IdentityLimits limits_;
  int calls_ = 0;
  int transactions_ = 0;
  // When all calls that have begun would have, had they come at an even pace of calls_per_second.
  driver::TimePoint paced_until_;
};

// The name of a limit in the configuration: "max_calls".
std::string_view LimitName(Quota::Limit limit);

// Holds one result after the other against the limits of its reader. One thread at a time.
class ResultMeter {
 public:
  // Begins a result. `quota` outlives its checks.
  void Start(Quota* quota) {
    quota_ = quota;
    noted_ = false;
  }
  // The result has this size by now, in all. An error ends it, see Quota::CheckResult. A result
  // that is let through although it is too large is noted once.
  absl::Status Check(const ResultSize& size);

 private:
  Quota* quota_ = nullptr;
  bool noted_ = false;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_AUTH_QUOTA_H_
