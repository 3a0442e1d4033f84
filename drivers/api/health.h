// Problems of a database as a whole, as they are told to whoever operates the daemon.
#ifndef PENSTOCK_DRIVERS_API_HEALTH_H_
#define PENSTOCK_DRIVERS_API_HEALTH_H_

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::driver {

// Something that is wrong and lasts: not the failure of one statement.
struct Problem {
  // Which kind of problem, as a label at /metrics: lower-case words joined by "_", few
  // different ones. A driver has at most one problem of a kind at a time.
  std::string kind;
  // Tells the operator what is wrong, what the daemon does about it, and what the operator has to
  // do. It may name files. It contains no statements of clients, no values and no credentials.
  std::string text;
  // Requests fail because of it, so /readyz says it and answers 503. Otherwise it is
  // only logged and counted.
  bool refuses = true;

  bool operator==(const Problem&) const = default;
};

// The problems of one driver. Thread-safe; its lock is held for moments only.
class ProblemList {
 public:
  // Adds the problem, or takes the place of the one of its kind.
  void Begin(Problem problem);
  // There is no problem of this kind (any more).
  void End(std::string_view kind);
  std::vector<Problem> List() const;

 private:
  mutable std::mutex mutex_;
  std::vector<Problem> problems_;
};

}  // namespace penstock::driver

#endif  // PENSTOCK_DRIVERS_API_HEALTH_H_
