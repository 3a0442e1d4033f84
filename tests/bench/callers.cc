#include "tests/bench/callers.h"

#include <algorithm>

namespace penstock::bench {

void Progress::Fail(std::string why) {
  std::lock_guard lock(mutex_);
  if (failure_.empty()) failure_ = std::move(why);
  stopped_ = true;
  changed_.notify_all();
}

void Progress::Ended() {
  std::lock_guard lock(mutex_);
  --callers_;
  changed_.notify_all();
}

void Progress::Wait(std::chrono::milliseconds duration) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, duration, [this] { return !failure_.empty(); });
}

absl::Status Progress::StopAndWait() {
  stopped_ = true;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return callers_ == 0; });
  return failure_.empty() ? absl::OkStatus() : absl::InternalError(failure_);
}

std::vector<double> Stopwatch::Sorted(Clock::time_point since) const {
  std::vector<double> sorted;
  for (const auto& [start, time] : times_) {
    if (start < since) continue;
    sorted.push_back(std::chrono::duration<double, std::micro>(time).count());
  }
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

ThreadCaller::ThreadCaller(const Round& round, Progress* progress, int number, MakeCall call)
    : Caller(round, progress, number), call_(std::move(call)), thread_([this] { Run(); }) {}

void ThreadCaller::Run() {
  for (bool go_on = true; go_on; ids_.Next()) {
    stopwatch_.Start();
    std::string wrong = call_(ids_.current());
    stopwatch_.Stop();
    if (!wrong.empty()) progress_->Fail(std::move(wrong));
    go_on = progress_->Answered(counts_);
  }
  progress_->Ended();
}

absl::StatusOr<RoundResult> RunCallers(const Round& round, const MakeCaller& make) {
  const bool has_neighbour = round.neighbour != Neighbour::kNobody;
  Progress progress(round.callers + (has_neighbour ? 1 : 0));
  const std::unique_ptr<Caller> neighbour =
      has_neighbour ? make(round.callers, &progress) : nullptr;
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < round.callers; ++i) callers.push_back(make(i, &progress));

  progress.Wait(round.warm_up);
  const int64_t before = progress.answers();
  const auto start = Stopwatch::Clock::now();
  progress.Wait(round.measured);
  const int64_t after = progress.answers();
  const std::chrono::duration<double> passed = Stopwatch::Clock::now() - start;
  if (absl::Status ended = progress.StopAndWait(); !ended.ok()) return ended;

  RoundResult result;
  result.per_second = static_cast<double>(after - before) / passed.count();
  result.answers = progress.answers();
  std::vector<double> p99s;
  for (const auto& caller : callers) {
    const std::vector<double> times = caller->stopwatch().Sorted(start);
    if (times.empty()) {
      // The caller has starved: it neither began nor ended a call in the measured part.
      if (round.timed) return absl::InternalError("a caller had no answer in the whole round");
      continue;
    }
    p99s.push_back(times[times.size() * 99 / 100]);
    if (caller != callers.front()) continue;
    result.p50 = times[times.size() / 2];
    result.p99 = p99s.back();
  }
  if (!p99s.empty()) {
    std::sort(p99s.begin(), p99s.end());
    result.median_p99 = p99s[p99s.size() / 2];
    result.slowest_p99 = p99s.back();
  }
  return result;
}

}  // namespace penstock::bench
