#include "tests/bench/load.h"

#include <fmt/format.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "penstock/v1/database.grpc.pb.h"

namespace penstock::bench {
namespace {

using Clock = std::chrono::steady_clock;

// How far a round is; shared by its callers. Thread-safe.
class Progress {
 public:
  explicit Progress(int callers) : callers_(callers) {}

  // A caller has a right answer. False: the round is over, send no more.
  bool Answered() {
    answers_.fetch_add(1, std::memory_order_relaxed);
    return !stopped_.load(std::memory_order_relaxed);
  }

  // The round has failed. Of several failures the first one is told.
  void Fail(std::string why) {
    std::lock_guard lock(mutex_);
    if (failure_.empty()) failure_ = std::move(why);
    stopped_ = true;
    changed_.notify_all();
  }

  // A caller has ended and uses this object no more.
  void Ended() {
    std::lock_guard lock(mutex_);
    --callers_;
    changed_.notify_all();
  }

  // Lets the callers go on for so long, or until one fails.
  void Wait(std::chrono::milliseconds duration) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, duration, [this] { return !failure_.empty(); });
  }

  absl::Status StopAndWait() {
    stopped_ = true;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return callers_ == 0; });
    return failure_.empty() ? absl::OkStatus() : absl::InternalError(failure_);
  }

  int64_t answers() const { return answers_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> answers_{0};
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  int callers_;
  std::string failure_;
};

// The ids that a caller asks for, one after another, all over the table.
class Ids {
 public:
  explicit Ids(int caller) : position_(caller) {}
  int64_t current() const { return position_ % kSelectRows + 1; }
  void Next() { position_ += 7919; }

 private:
  int64_t position_;
};

// The round trips of a caller.
class Stopwatch {
 public:
  explicit Stopwatch(bool wanted) : wanted_(wanted) {}
  void Start() {
    if (wanted_) start_ = Clock::now();
  }
  void Stop() {
    if (wanted_) times_.emplace_back(start_, Clock::now() - start_);
  }
  // Those that began at `since` or later, in microseconds, shortest first.
  std::vector<double> Sorted(Clock::time_point since) const {
    std::vector<double> sorted;
    for (const auto& [start, time] : times_) {
      if (start < since) continue;
      sorted.push_back(std::chrono::duration<double, std::micro>(time).count());
    }
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  }

 private:
  const bool wanted_;
  Clock::time_point start_;
  std::vector<std::pair<Clock::time_point, Clock::duration>> times_;
};

// What is wrong with the row of a point select; empty: nothing.
std::string CheckRow(const v1::QueryResponse& result, int64_t id) {
  if (result.row_count() != 1 || result.data_size() != 2 || result.data(0).integers_size() != 1 ||
      result.data(0).integers(0) != id || result.data(1).data().size() != kNameLength) {
    return fmt::format("asked for row {}, got: {}", id, result.ShortDebugString());
  }
  return {};
}

class Caller {
 public:
  virtual ~Caller() = default;
  const Stopwatch& stopwatch() const { return stopwatch_; }

 protected:
  Caller(const Round& round, Progress* progress, int number)
      : progress_(progress), ids_(number), stopwatch_(round.timed || round.callers == 1) {}

  Progress* const progress_;
  Ids ids_;
  Stopwatch stopwatch_;
};

// A Prepare stream with one run outstanding.
class PrepareCaller final
    : public Caller,
      public grpc::ClientBidiReactor<v1::PrepareRequest, v1::PrepareResponse> {
 public:
  PrepareCaller(v1::DatabaseService::Stub* stub, const Round& round, Progress* progress, int number)
      : Caller(round, progress, number), insert_(round.call == Call::kPreparedInsert) {
    request_.set_sql(insert_ ? kInsertSql : kSelectSql);
    request_.set_format(v1::FORMAT_COLUMNS);
    stub->async()->Prepare(&context_, this);
    Send();
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;  // OnDone tells why
    if (!prepared_) {
      prepared_ = answer_.has_prepared();
      if (!prepared_) return Refuse("not prepared: " + answer_.ShortDebugString());
      return BothDone();
    }
    stopwatch_.Stop();
    std::string wrong = Check();
    if (!wrong.empty()) return Refuse(std::move(wrong));
    ids_.Next();
    go_on_ = progress_->Answered();
    BothDone();
  }

  void OnWriteDone(bool ok) override {
    if (ok) BothDone();
  }

  void OnDone(const grpc::Status& status) override {
    if (!status.ok()) progress_->Fail("Prepare: " + status.error_message());
    progress_->Ended();
  }

 private:
  void Send() {
    pending_ = 2;
    stopwatch_.Start();
    StartWrite(&request_);
    StartRead(&answer_);
  }

  // Called for the write and for its answer, in either order: gRPC allows the
  // next write only when it has said that the one before is done.
  void BothDone() {
    if (pending_.fetch_sub(1) != 1) return;
    if (!go_on_) return StartWritesDone();
    if (request_.args().empty()) {  // The first run.
      request_.Clear();
      request_.add_args();
    }
    request_.mutable_args(0)->set_integer(ids_.current());
    Send();
  }

  std::string Check() const {
    if (answer_.has_error()) return answer_.error().message();
    if (!insert_) return CheckRow(answer_.result(), ids_.current());
    if (answer_.result().summary().rows_affected() == 1) return {};
    return "no row was inserted: " + answer_.ShortDebugString();
  }

  void Refuse(std::string why) {
    progress_->Fail(std::move(why));
    context_.TryCancel();
  }

  const bool insert_;
  grpc::ClientContext context_;
  v1::PrepareRequest request_;
  v1::PrepareResponse answer_;
  bool prepared_ = false;
  bool go_on_ = true;
  std::atomic<int> pending_{0};
};

// One call of Query after another.
class QueryCaller final : public Caller {
 public:
  QueryCaller(v1::DatabaseService::Stub* stub, const Round& round, Progress* progress, int number)
      : Caller(round, progress, number), stub_(stub) {
    request_.set_sql(kSelectSql);
    request_.set_format(v1::FORMAT_COLUMNS);
    request_.add_args();
    Send();
  }

 private:
  class OneCall final : public grpc::ClientReadReactor<v1::QueryResponse> {
   public:
    explicit OneCall(QueryCaller* caller) : caller_(caller) {
      caller_->stub_->async()->Query(&context_, &caller_->request_, this);
      StartRead(&answer_);
      StartCall();
    }
    void OnReadDone(bool ok) override {
      if (!ok) return;
      if (++messages_ == 1) wrong_ = CheckRow(answer_, caller_->ids_.current());
      StartRead(&rest_);
    }
    void OnDone(const grpc::Status& status) override {
      if (!status.ok()) wrong_ = "Query: " + status.error_message();
      if (wrong_.empty() && messages_ != 1) wrong_ = fmt::format("{} messages", messages_);
      QueryCaller* const caller = caller_;
      const std::string wrong = std::move(wrong_);
      delete this;
      caller->Answer(wrong);
    }

   private:
    QueryCaller* const caller_;
    grpc::ClientContext context_;
    v1::QueryResponse answer_;
    v1::QueryResponse rest_;  // A point select is answered by one message.
    int messages_ = 0;
    std::string wrong_;
  };

  void Send() {
    request_.mutable_args(0)->set_integer(ids_.current());
    stopwatch_.Start();
    new OneCall(this);
  }

  void Answer(const std::string& wrong) {
    stopwatch_.Stop();
    ids_.Next();
    if (!wrong.empty()) progress_->Fail(wrong);
    if (progress_->Answered()) return Send();
    progress_->Ended();
  }

  v1::DatabaseService::Stub* const stub_;
  v1::QueryRequest request_;
};

}  // namespace

absl::StatusOr<RoundResult> RunRound(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                                     const Round& round) {
  std::vector<std::unique_ptr<v1::DatabaseService::Stub>> stubs;
  for (const auto& channel : channels) stubs.push_back(v1::DatabaseService::NewStub(channel));
  Progress progress(round.callers);
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < round.callers; ++i) {
    v1::DatabaseService::Stub* stub = stubs[static_cast<size_t>(i) % stubs.size()].get();
    if (round.call == Call::kQuerySelect) {
      callers.push_back(std::make_unique<QueryCaller>(stub, round, &progress, i));
    } else {
      callers.push_back(std::make_unique<PrepareCaller>(stub, round, &progress, i));
    }
  }

  progress.Wait(round.warm_up);
  const int64_t before = progress.answers();
  const Clock::time_point start = Clock::now();
  progress.Wait(round.measured);
  const int64_t after = progress.answers();
  const std::chrono::duration<double> passed = Clock::now() - start;
  if (absl::Status ended = progress.StopAndWait(); !ended.ok()) return ended;

  RoundResult result;
  result.per_second = static_cast<double>(after - before) / passed.count();
  result.answers = progress.answers();
  std::vector<double> p99s;
  for (const auto& caller : callers) {
    const std::vector<double> times = caller->stopwatch().Sorted(start);
    if (times.empty()) {
      // It began no call in all that time, and ended none: it starved.
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
