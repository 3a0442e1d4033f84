// Migrate: one run of a database's migrations, and a report of it.
//
//   reading (requests) -> queued (other calls of this daemon) -> acquiring (a
//   connection) -> running (executor): lock -> plan -> step … -> ending
//                     \-> pausing (another daemon has the lock) -> acquiring
//
// What waits does so without a thread and without a connection: the ticker moves
// it on. Each unit of work (a lock attempt, the plan, a step) is an executor's
// task of its own. Events are written by whoever has one, under a small lock.
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "server/log/log.h"
#include "server/rpc/call.h"
#include "server/rpc/calls.h"
#include "server/rpc/convert.h"
#include "server/rpc/migration_convert.h"
#include "server/rpc/service.h"
#include "server/rpc/transaction_steps.h"
#include "server/session/migration.h"
#include "server/session/transaction.h"

namespace penstock::server {
namespace {

using driver::MakeError;
using driver::MakeErrorWithHint;
using driver::Reason;
using Request = v1::MigrateRequest;
using Event = v1::MigrateResponse;

constexpr Duration kDefaultLockTimeout = std::chrono::seconds(60);
// How often a client hears that something still goes on.
constexpr Duration kReportEvery = std::chrono::seconds(1);
// Files of one call together.
constexpr size_t kMaxBytes = size_t{256} << 20;

class MigrateCall final : public BidiCall, public Task, public Pool::Waiter {
 public:
  MigrateCall(const RpcContext& context, const CallSource& source)
      : BidiCall(context, Rpc::kMigrate),
        Task(Sort::kBlocking),
        source_(source),
        steps_(context_, &cancellation_,
               [this](bool has_timeout, const google::protobuf::Duration& timeout,
                      driver::Deadline* deadline) {
                 return DeadlineFor(*database_, has_timeout, timeout, Clock::System().Now(),
                                    deadline);
               }) {
    transactional = true;
    source_.services->migration.RequestMigrate(&server_context_, stream(), source_.queue,
                                               source_.queue, StartTag());
  }

  void Tick(TimePoint now) override {
    CheckStall(now);
    const State state = state_.load();
    if (state == State::kQueued || state == State::kPausing) TickWaiting(state, now);
    if (state == State::kCoding && cancellation_.cancelled()) EndCoding();
    if (state == State::kRunning && now >= Load(report_at_)) {
      Store(report_at_, now + kReportEvery);
      const int32_t index = step_.load();
      if (index >= 0) ReportStep(index, now, false);
    }
  }

  void Drain(bool now) override {
    const State state = state_.load();
    const absl::Status why = MakeError(Reason::kDraining, "the daemon is shutting down");
    if (state == State::kQueued || state == State::kPausing) {
      End(why);
    } else if (now) {
      cancellation_.Cancel(why);
    }
  }

 private:
  enum class State : uint8_t {
    kReading,    // a read is outstanding
    kQueued,     // another migration of this daemon's has its turn
    kPausing,    // another daemon had the lock
    kAcquiring,  // waits for a connection
    kRunning,    // an executor's task is queued or running
    kCoding,     // in a code step: a read is outstanding
    kAnswering,  // in a code step: a part of an answer is being written
    kEnding,     // on the executor for the last time, or finished
  };
  // What the executor's task does next.
  enum class Work : uint8_t {
    kPrepare,
    kAcquire,
    kLock,
    kPlan,
    kStep,
    kCode,
    kFetch,
    kCodeDone,
    kRecord,
    kEnd
  };

  using AtomicTime = std::atomic<Duration::rep>;
  static TimePoint Load(const AtomicTime& time) { return TimePoint(Duration(time.load())); }
  static void Store(AtomicTime& to, TimePoint time) { to.store(time.time_since_epoch().count()); }

  void WaitForNext() override { WaitForMigrate(context_, source_); }
  void OnStart() override { StartRead(); }

  void OnRead(bool ok) override {
    if (migration_ != nullptr) return OnCode(ok);
    if (cancellation_.cancelled()) return Finish(cancellation_.status());
    if (!ok) {
      return Finish(MakeError(Reason::kProtocol, database_ == nullptr
                                                     ? "the stream ended before `start`"
                                                     : "the stream ended before all `files`"));
    }
    Request request;
    bool more = false;
    absl::Status status = Parse(in(), &request);
    if (status.ok()) status = Take(&request, &more);
    if (!status.ok()) return Finish(status);
    if (more) return StartRead();
    Do(Work::kPrepare);
  }

  absl::Status Take(Request* request, bool* more) {
    const bool known = request->has_start() || request->has_files();
    if (!known || request->has_start() == (database_ != nullptr)) {
      return MakeError(
          Reason::kProtocol,
          "the first request of a Migrate stream has `start`, the others have `files`");
    }
    google::protobuf::RepeatedPtrField<v1::MigrationFile>* files =
        request->has_start() ? request->mutable_start()->mutable_files()
                             : request->mutable_files()->mutable_files();
    for (const v1::MigrationFile& file : *files) bytes_ += file.content().size();
    if (bytes_ > kMaxBytes) {
      return MakeError(Reason::kLimitExceeded,
                       fmt::format("the migrations have more than {} MiB", kMaxBytes >> 20));
    }
    TakeFiles(files, &spec_.files);
    *more = request->has_start() ? request->start().more_files() : request->files().more_files();
    return request->has_start() ? TakeStart(request->start()) : absl::OkStatus();
  }

  absl::Status TakeStart(const Request::Start& start) {
    absl::StatusOr<Database*> database = context_.databases->Find(start.database());
    if (!database.ok()) return database.status();
    absl::Status status = FromProto(start, &spec_);
    Duration wait = kDefaultLockTimeout;
    if (status.ok() && start.has_lock_timeout()) status = FromProto(start.lock_timeout(), &wait);
    if (!status.ok()) return status;
    const TimePoint now = Clock::System().Now();
    waiting_since_ = now;
    lock_until_ = now + wait;
    folder_ = start.folder();
    database_ = *database;
    return absl::OkStatus();
  }

  // Has the executor do it. From any thread that owns the call.
  void Do(Work work) {
    work_ = work;
    state_.store(work == Work::kEnd ? State::kEnding : State::kRunning);
    Ref();
    database_->executor().Enqueue(this);
  }

  void End(absl::Status status) {
    end_status_ = std::move(status);
    Do(Work::kEnd);
  }

  // From the ticker's thread, which owns a call that waits.
  void TickWaiting(State state, TimePoint now) {
    if (cancellation_.cancelled()) return End(cancellation_.status());
    if (state == State::kQueued && TakeTurn()) return Do(Work::kAcquire);
    if (state == State::kPausing && now >= pause_until_) return Do(Work::kAcquire);
    if (now >= lock_until_) {
      return End(MakeErrorWithHint(Reason::kMigrationLocked,
                                   "another migrator has been at work on this database for longer "
                                   "than lock_timeout",
                                   "wait for it to end, or give lock_timeout more time"));
    }
    if (now < Load(report_at_)) return;
    Store(report_at_, now + kReportEvery);
    Event event;
    ToProto(now - waiting_since_, event.mutable_waiting()->mutable_elapsed());
    Push(event);
  }

  bool TakeTurn() {
    // One that only looks need not wait.
    if (!has_turn_ && !spec_.dry_run) has_turn_ = database_->TryBeginMigration();
    return has_turn_ || spec_.dry_run;
  }

  // Task.
  void Run() override {
    if (cancellation_.cancelled() && work_ != Work::kEnd) {
      end_status_ = cancellation_.status();
      work_ = Work::kEnd;
    }
    const absl::Status status = RunWork();
    if (!status.ok()) End(status);
    Unref();
  }

  absl::Status RunWork() {
    switch (work_) {
      case Work::kPrepare: return RunPrepare();
      case Work::kAcquire: RunAcquire(); return absl::OkStatus();
      case Work::kLock: return RunLock();
      case Work::kPlan: return RunPlan();
      case Work::kStep: return RunStep();
      case Work::kCode: RunCode(); return absl::OkStatus();
      case Work::kFetch: RunFetch(); return absl::OkStatus();
      case Work::kCodeDone: return RunCodeDone();
      case Work::kRecord: return RunRecord();
      case Work::kEnd: RunEnd(); return absl::OkStatus();
    }
    return absl::OkStatus();
  }

  absl::Status RunPrepare() {
    if (!folder_.empty() && !spec_.files.empty()) {
      return MakeError(Reason::kInvalidParameter, "a request has either `files` or `folder`");
    }
    if (!folder_.empty()) {
      absl::StatusOr<std::vector<migrations::File>> files =
          ReadFolderBelow(context_.config->server.migrations_root, folder_);
      if (!files.ok()) return files.status();
      spec_.files = *std::move(files);
    }
    migration_ = std::make_unique<Migration>(database_, std::move(spec_), &cancellation_);
    spec_.dry_run = migration_->spec().dry_run;
    absl::Status status = migration_->Prepare();
    if (!status.ok()) return status;
    if (TakeTurn()) {
      RunAcquire();
    } else {
      state_.store(State::kQueued);
    }
    return absl::OkStatus();
  }

  void RunAcquire() {
    wait_until = database_->AcquireDeadline(driver::Deadline::None());
    Pool& pool = database_->pool(driver::Lane::kWrite);
    state_.store(State::kAcquiring);
    waiting_in_.store(&pool);
    Ref();
    pool.Acquire(this);
  }

  // Pool::Waiter.
  void OnLease(absl::StatusOr<Lease> lease) override {
    waiting_in_.store(nullptr);
    if (lease.ok()) {
      lease_ = *std::move(lease);
      Do(Work::kLock);
    } else {
      End(lease.status());
    }
    Unref();
  }

  void OnCancelled() override {
    Pool* pool = waiting_in_.load();
    if (pool != nullptr && pool->Forget(this)) OnLease(cancellation_.status());
  }

  absl::Status RunLock() {
    absl::StatusOr<bool> locked = migration_->Lock(std::move(lease_));
    if (!locked.ok()) return locked.status();
    if (*locked) {
      const bool migrate = migration_->spec().action == MigrationSpec::Action::kMigrate;
      Do(migrate ? Work::kPlan : Work::kRecord);
    } else {
      pause_until_ = Clock::System().Now() + kMigrationLockPause;
      state_.store(State::kPausing);
    }
    return absl::OkStatus();
  }

  absl::Status RunPlan() {
    absl::Status status = migration_->Plan();
    if (!status.ok()) return status;
    const bool dry_run = migration_->spec().dry_run;
    Event event;
    event.mutable_plan();
    for (const migrations::PlanStep& step : migration_->plan()) {
      ToProto(step, dry_run, event.mutable_plan()->add_steps());
    }
    Push(event);
    if (dry_run || migration_->plan().empty()) return Succeed(0, {});
    Do(Work::kStep);
    return absl::OkStatus();
  }

  absl::Status RunStep() {
    const TimePoint began = Clock::System().Now();
    Store(step_began_, began);
    Store(report_at_, began + kReportEvery);
    statement_.store(0);
    const migrations::PlanStep& step = migration_->plan()[next_step_];
    statements_.store(
        step.script() == nullptr ? 0 : static_cast<int64_t>(step.script()->statements.size()));
    const auto index = static_cast<int32_t>(next_step_);
    step_.store(index);
    ReportStep(index, began, false);
    if (step.script() == nullptr) return RunBeginCode();
    absl::Status status = migration_->RunStep(next_step_, [this](size_t statement, size_t) {
      statement_.store(static_cast<int64_t>(statement), std::memory_order_relaxed);
    });
    return EndStep(status);
  }

  absl::Status EndStep(const absl::Status& status) {
    const TimePoint ended = Clock::System().Now();
    const migrations::PlanStep& step = migration_->plan()[next_step_];
    const std::chrono::duration<double, std::milli> took = ended - Load(step_began_);
    Log(status.ok() ? Level::kInfo : Level::kWarn, status.ok() ? "migrated" : "migration failed",
        {{"database", database_->name()},
         {"step", step.Title()},
         {"direction", Name(step.direction)},
         {"duration_ms", took.count()}});
    if (!status.ok()) return status;
    step_.store(-1);
    ReportStep(static_cast<int32_t>(next_step_), ended, true);
    if (++next_step_ == migration_->plan().size()) {
      return Succeed(static_cast<int32_t>(next_step_), {});
    }
    Do(Work::kStep);
    return absl::OkStatus();
  }

  absl::Status RunBeginCode() {
    step_.store(-1);
    absl::StatusOr<Lease> lease = migration_->BeginCode(next_step_);
    if (!lease.ok()) return lease.status();
    transaction_.emplace(database_);
    transaction_->Adopt(*std::move(lease));
    Event event;
    event.mutable_code_turn()->set_index(static_cast<int32_t>(next_step_));
    Push(event);
    ReadCode();
    return absl::OkStatus();
  }

  void ReadCode() {
    state_.store(State::kCoding);
    StartRead();
  }

  // From the ticker's thread.
  void EndCoding() {
    State coding = State::kCoding;
    if (state_.compare_exchange_strong(coding, State::kEnding)) End(cancellation_.status());
  }

  // A request within a code step.
  void OnCode(bool ok) {
    State coding = State::kCoding;
    if (!state_.compare_exchange_strong(coding, State::kRunning)) return;  // ended meanwhile
    if (cancellation_.cancelled()) return End(cancellation_.status());
    if (!ok) return End(MakeError(Reason::kProtocol, "the stream ended within a code step"));
    code_.Clear();
    const absl::Status parsed = Parse(in(), &code_);
    if (!parsed.ok()) return End(parsed);
    if (code_.has_code_done()) return Do(Work::kCodeDone);
    if (code_.has_transaction()) return Do(Work::kCode);
    End(MakeError(Reason::kProtocol,
                  "within a code step the requests have `transaction` or `code_done`"));
  }

  void RunCode() {
    steps_.Run(database_, &*transaction_, code_.transaction(), Clock::System().Now());
    Answer();
  }

  void RunFetch() {
    steps_.Fetch();
    Answer();
  }

  // On the executor, or after a write: the next part of the answer, or what comes
  // after the last.
  void Answer() {
    Event event;
    if (steps_.Next(event.mutable_transaction())) {
      state_.store(State::kAnswering);
      if (!Push(event, /*answers=*/true)) End(cancellation_.status());
    } else if (steps_.more()) {
      Do(Work::kFetch);
    } else {
      ReadCode();
    }
  }

  absl::Status RunCodeDone() {
    absl::Status outcome;
    if (code_.code_done().has_error()) {
      const v1::Error& error = code_.code_done().error();
      outcome = absl::Status(static_cast<absl::StatusCode>(error.code()), error.message());
      if (outcome.ok()) outcome = absl::UnknownError(error.message());
    }
    GiveUpCode();
    return EndStep(migration_->EndCode(next_step_, outcome));
  }

  // The connection is the migration's again.
  void GiveUpCode() {
    steps_.Close();
    if (!transaction_.has_value()) return;
    migration_->TakeBack(transaction_->Leave());
    transaction_.reset();
  }

  absl::Status RunRecord() {
    absl::StatusOr<std::vector<migrations::HistoryRow>> rows = migration_->Record();
    return rows.ok() ? Succeed(0, *rows) : rows.status();
  }

  absl::Status Succeed(int32_t steps, const std::vector<migrations::HistoryRow>& rows) {
    absl::StatusOr<int64_t> version = migration_->Version();
    if (!version.ok()) return version.status();
    Event event;
    event.mutable_result()->set_steps(steps);
    event.mutable_result()->set_version(*version);
    for (const migrations::HistoryRow& row : rows) {
      ToProto(row, event.mutable_result()->add_records());
    }
    // The lock is free when the client hears of it.
    migration_->End();
    Push(event);
    End(absl::OkStatus());
    return absl::OkStatus();
  }

  void RunEnd() {
    step_.store(-1);
    GiveUpCode();
    if (migration_ != nullptr) migration_->End();
    lease_.Release();
    if (std::exchange(has_turn_, false)) database_->EndMigration();
    std::unique_lock lock(mutex_);
    finish_ = write_error_.ok() ? end_status_ : write_error_;
    if (writing_) return;  // OnWritten finishes
    lock.unlock();
    Finish(*finish_);
  }

  void ReportStep(int32_t index, TimePoint now, bool done) {
    Event event;
    Event::Step* step = event.mutable_step();
    step->set_index(index);
    step->set_statement(done ? statements_.load() : statement_.load());
    step->set_statements(statements_.load());
    ToProto(now - Load(step_began_), step->mutable_elapsed());
    step->set_done(done);
    Push(event);
  }

  // Thread-safe. False: nothing can be written any more, and the call is cancelled.
  // `answers`: Answer is called when it and all before it have been written.
  bool Push(const Event& event, bool answers = false) {
    const std::lock_guard lock(mutex_);
    if (finish_.has_value() || !write_error_.ok()) return false;
    events_.push_back(event);
    answers_ = answers_ || answers;
    if (!writing_) WriteNextLocked();
    if (!write_error_.ok()) answers_ = false;
    return write_error_.ok();
  }

  void WriteNextLocked() {
    if (events_.empty()) return;
    write_error_ = Write(events_.front());
    writing_ = write_error_.ok();
    events_.pop_front();
    if (write_error_.ok()) return;
    events_.clear();
    cancellation_.Cancel(write_error_);
  }

  void OnWritten(bool ok) override {
    std::unique_lock lock(mutex_);
    writing_ = false;
    if (ok) {
      WriteNextLocked();
    } else {
      events_.clear();
    }
    const bool finish = !writing_ && finish_.has_value();
    const bool answer = !writing_ && answers_;
    if (answer) answers_ = false;
    const bool broken = !ok || !write_error_.ok();
    lock.unlock();
    if (finish) {
      Finish(*finish_);
    } else if (answer && broken) {
      End(GoneStatus());
    } else if (answer) {
      Answer();
    }
  }

  const CallSource source_;
  std::atomic<State> state_{State::kReading};
  Work work_ = Work::kPrepare;
  std::atomic<Pool*> waiting_in_{nullptr};
  absl::Status end_status_;

  Database* database_ = nullptr;  // set by start
  MigrationSpec spec_;            // until it is prepared
  std::string folder_;
  size_t bytes_ = 0;
  bool has_turn_ = false;
  TimePoint waiting_since_;
  TimePoint lock_until_;
  TimePoint pause_until_;
  Lease lease_;  // between OnLease and Lock
  std::unique_ptr<Migration> migration_;
  size_t next_step_ = 0;

  // Of a code step.
  std::optional<Transaction> transaction_;
  TransactionSteps steps_;
  Request code_;

  // For the ticker's reports.
  AtomicTime report_at_{TimePoint::min().time_since_epoch().count()};
  AtomicTime step_began_{0};
  std::atomic<int32_t> step_{-1};
  std::atomic<int64_t> statement_{0};
  std::atomic<int64_t> statements_{0};

  std::mutex mutex_;
  std::deque<Event> events_;
  bool writing_ = false;
  bool answers_ = false;
  absl::Status write_error_;
  std::optional<absl::Status> finish_;  // set once nothing more is pushed
};

}  // namespace

void WaitForMigrate(const RpcContext& context, const CallSource& source) {
  new MigrateCall(context, source);  // owns itself
}

}  // namespace penstock::server
