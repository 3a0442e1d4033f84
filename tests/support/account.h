// What became of writes, by what their callers were told and by what is there.
#ifndef PENSTOCK_TESTS_SUPPORT_ACCOUNT_H_
#define PENSTOCK_TESTS_SUPPORT_ACCOUNT_H_

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace penstock::testing {

// The ids that were written, each once. Thread-safe.
class Account {
 public:
  // What the call that wrote the id ended with.
  void Enter(const std::string& id, const absl::Status& status);

  size_t acknowledged() const;
  // "1200 acknowledged, 40 refused, 12 unknown"
  std::string Summary() const;

  // What does not agree with how often each id is there: what was acknowledged is there once,
  // what failed in any other way than with an unknown outcome is not, and nothing is twice.
  std::vector<std::string> Check(const std::map<std::string, int>& there) const;
  // Those that failed so, other than with an unknown outcome.
  std::vector<std::string> Refused(const std::function<bool(const absl::Status&)>& so) const;
  // Failures that say neither that the outcome is unknown nor that the call may be repeated.
  std::vector<std::string> NotRetryable() const;
  // Forgets all ids.
  void Clear();

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> acknowledged_;
  std::vector<std::string> unknown_;
  std::map<std::string, absl::Status> refused_;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_ACCOUNT_H_
