// The callers of every load. Each caller has one call outstanding.
#ifndef PENSTOCK_TESTS_BENCH_CALLERS_H_
#define PENSTOCK_TESTS_BENCH_CALLERS_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/bench/load.h"

namespace penstock::bench {

// The progress of a round, shared by its callers. Thread-safe.
class Progress {
 public:
  explicit Progress(int callers) : callers_(callers) {}

  // Counts a correct answer, unless the caller is the one beside the others. Returns false if the
  // round is over and the caller must send no more.
  bool Answered(bool counts = true) {
    if (counts) answers_.fetch_add(1, std::memory_order_relaxed);
    return !stopped_.load(std::memory_order_relaxed);
  }

  // Makes the round fail. The first of several failures is reported.
  void Fail(std::string why);
  // Says that a caller has ended and will not use this object again.
  void Ended();
  // Waits for `duration`, or until a caller fails.
  void Wait(std::chrono::milliseconds duration);
  absl::Status StopAndWait();

  int64_t answers() const { return answers_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> answers_{0};
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  int callers_;
  std::string failure_;
};

// The ids that a caller asks for, spread over the whole table.
class Ids {
 public:
  explicit Ids(int caller) : position_(caller) {}
  int64_t current() const { return position_ % kSelectRows + 1; }
  void Next() { position_ += 7919; }

 private:
  int64_t position_;
};

// Measures the round trips of a caller.
class Stopwatch {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Stopwatch(bool wanted) : wanted_(wanted) {}
  void Start() {
    if (wanted_) start_ = Clock::now();
  }
  void Stop() {
    if (wanted_) times_.emplace_back(start_, Clock::now() - start_);
  }
  // Returns the round trips that began at `since` or later, in microseconds, the shortest first.
  std::vector<double> Sorted(Clock::time_point since) const;

 private:
  const bool wanted_;
  Clock::time_point start_;
  std::vector<std::pair<Clock::time_point, Clock::duration>> times_;
};

// Begins its first call in its constructor, and reports each answer, a failure, and its end to
// `progress`.
class Caller {
 public:
  virtual ~Caller() = default;
  const Stopwatch& stopwatch() const { return stopwatch_; }

 protected:
  Caller(const Round& round, Progress* progress, int number)
      : progress_(progress),
        ids_(number),
        counts_(number < round.callers),
        stopwatch_(round.timed || round.callers == 1) {}

  Progress* const progress_;
  Ids ids_;
  // False of the one beside the others.
  const bool counts_;
  Stopwatch stopwatch_;
};

// A caller with a thread of its own.
class ThreadCaller final : public Caller {
 public:
  // Makes one call, and returns what is wrong with the answer (empty if nothing is).
  using MakeCall = std::function<std::string(int64_t id)>;

  ThreadCaller(const Round& round, Progress* progress, int number, MakeCall call);
  ~ThreadCaller() override { thread_.join(); }

 private:
  void Run();

  const MakeCall call_;
  // Declared last, because it uses the other members as soon as it starts.
  std::thread thread_;
};

using MakeCaller = std::function<std::unique_ptr<Caller>(int number, Progress* progress)>;

// Runs one round of `round.callers` callers, and of one with the next number if there is one beside
// them.
absl::StatusOr<RoundResult> RunCallers(const Round& round, const MakeCaller& make);

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_CALLERS_H_
