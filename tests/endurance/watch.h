// Looks at a daemon and its clients all the time.
#ifndef PENSTOCK_TESTS_ENDURANCE_WATCH_H_
#define PENSTOCK_TESTS_ENDURANCE_WATCH_H_

#include <atomic>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/endurance/supervised.h"
#include "tests/endurance/trouble.h"
#include "tests/support/writers.h"

namespace penstock::testing {

// From construction to destruction, on a thread of its own, complains of
// - a call that goes on for longer than its limit and kLate: it hangs. One that hangs for
//   good ends this process, with what was complained of, since nothing could end the call;
// - a daemon that takes more memory than the limits of its configuration let it;
// - one that ends by itself;
// - one that does not answer /healthz, /readyz and /metrics, or does not say why it is not
//   ready, unless it is silenced.
class Watch {
 public:
  // What a busy machine may add to a limit.
  static constexpr absl::Duration kLate = absl::Seconds(5);

  // `writers` and the others outlive it.
  Watch(const Supervised* daemon, const std::list<Writers>* writers, Complaints* complaints);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // From the first Silence to the last Resume the daemon need not answer over HTTP.
  void Silence();
  void Resume();

  // The memory that the daemon took at most, and how often each reason not to be ready was told.
  std::string Summary() const;

 private:
  void Run();
  void CheckCalls();
  void CheckProcess();
  void CheckHttp();

  const Supervised* const daemon_;
  const std::list<Writers>* const writers_;
  Complaints* const complaints_;
  std::atomic<bool> ending_{false};
  std::atomic<int> silences_{0};
  // How often silences_ changed.
  std::atomic<int> changes_{0};
  std::atomic<int64_t> most_resident_{0};
  mutable std::mutex mutex_;
  std::map<std::string, int> not_ready_;
  std::thread thread_;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_ENDURANCE_WATCH_H_
