// Limits the lines of a kind.
#ifndef PENSTOCK_SERVER_LOG_LIMITER_H_
#define PENSTOCK_SERVER_LOG_LIMITER_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::server {

// Counts lines by kind, so that a kind that many clients cause again and again leaves the others
// room. Thread-safe.
class LineLimiter {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // This many lines are let through at once, and this many a second in the long run.
  static constexpr double kBurst = 100;
  static constexpr double kPerSecond = 10;

  struct Verdict {
    bool write;
    // The number of lines of the kind that were left out before this one, if it is written.
    int64_t left_out;
  };
  Verdict Ask(std::string_view kind, TimePoint now);

  struct LeftOut {
    std::string kind;
    int64_t count;
  };
  // Takes the counts of lines that were left out and not yet told, of kinds without a line since
  // `before`.
  std::vector<LeftOut> Take(TimePoint before);

 private:
  struct Kind {
    double tokens = kBurst;
    TimePoint asked;
    int64_t left_out = 0;
  };

  std::mutex mutex_;
  std::map<std::string, Kind, std::less<>> kinds_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_LOG_LIMITER_H_
