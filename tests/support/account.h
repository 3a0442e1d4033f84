// Compares what the callers of writes were told with what the database has.
#ifndef PENSTOCK_TESTS_SUPPORT_ACCOUNT_H_
#define PENSTOCK_TESTS_SUPPORT_ACCOUNT_H_

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace penstock::testing {

// Records the ids that callers have written, each of which is written once. Thread-safe.
class Account {
 public:
  // Records the status of the call that wrote `id`.
  void Enter(const std::string& id, const absl::Status& status);

  size_t acknowledged() const;
  // Returns for example "1200 acknowledged, 40 refused, 12 unknown".
  std::string Summary() const;

  // Compares the record with `there`, which says how many times each id exists, and returns the
  // differences. An acknowledged id must exist once, one with an unknown outcome at most once, and
  // one that failed otherwise must not exist.
  std::vector<std::string> Check(const std::map<std::string, int>& there) const;
  // Returns the ids that failed, other than with an unknown outcome, with a status that `so`
  // accepts. Those that failed so, other than with an unknown outcome.
  std::vector<std::string> Refused(const std::function<bool(const absl::Status&)>& so) const;
  // Returns the failures that say neither that the outcome is unknown nor that the call may be
  // repeated.
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
