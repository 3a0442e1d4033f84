// Prepare: a statement that is described once and run as often as arguments
// arrive. Between runs it holds neither a connection nor a thread.
#include <atomic>
#include <memory>

#include "drivers/api/error.h"
#include "server/rpc/base/call.h"
#include "server/rpc/base/calls.h"
#include "server/rpc/base/convert.h"
#include "server/rpc/base/service.h"
#include "server/rpc/database/result_builder.h"

namespace penstock::server {
namespace {

class PrepareCall final : public BidiCall, public PendingRun, public Task, public Pool::Waiter {
 public:
  PrepareCall(const RpcContext& context, const CallSource& source)
      : BidiCall(context, Rpc::kPrepare), source_(source) {
    source_.services->database.RequestPrepare(&server_context_, stream(), source_.queue,
                                              source_.queue, StartTag());
  }

  void Tick(TimePoint now) override {
    CheckStall(now);
    if (!IdleTooLong(now)) return;
    // Whoever moves the state away from kReading owns the call.
    State idle = State::kReading;
    if (state_.compare_exchange_strong(idle, State::kEnding)) Finish(IdleStatus());
  }

  void Drain(bool now) override {
    draining_.store(true);
    State idle = State::kReading;
    // Whoever moves the state away from kReading owns the call.
    if (state_.compare_exchange_strong(idle, State::kEnding)) {
      Finish(DrainingStatus());
    } else if (now) {
      cancellation_.Cancel(DrainingStatus());
    }
  }

 private:
  enum class State : uint8_t {
    kReading,     // a read is outstanding and nothing else
    kDescribing,  // waiting for a connection, or describing on it
    kRunning,     // in a lane, or fetching
    kWriting,     // a write is outstanding, more will follow
    kTurning,     // the last write of a run is outstanding, and so is the next read
    kTurned,      // the next request is there, the last write still outstanding
    kEnding,      // Finish was called
  };

  void WaitForNext() override { WaitForPrepare(context_, source_); }

  void OnStart() override { ReadNext(); }

  void ReadNext() {
    SetIdle(true);
    state_.store(State::kReading);
    StartRead();
    if (draining_.load()) Drain(false);
  }

  void OnRead(bool ok) override {
    SetIdle(false);
    read_ok_ = ok;
    const State busy = database_ == nullptr ? State::kDescribing : State::kRunning;
    for (State now = state_.load();;) {
      if (now == State::kEnding) return;  // ended while idle
      const State next = now == State::kTurning ? State::kTurned : busy;
      if (!state_.compare_exchange_weak(now, next)) continue;
      if (next == busy) OnRequest();
      return;
    }
  }

  // With a request in in(), or the end of the client's side, and nothing else
  // outstanding.
  void OnRequest() {
    if (!read_ok_) {
      // The client has closed its side (or is gone, and then nobody sees this).
      End(cancellation_.status());
      return;
    }
    if (draining_.load()) {
      End(DrainingStatus());
      return;
    }
    began_ = Clock::System().Now();
    request_.Clear();
    absl::Status status_of_request = Take(in(), &request_);
    if (!status_of_request.ok()) {
      End(status_of_request);
      return;
    }
    if (database_ == nullptr) {
      status_of_request = Describe();
      if (!status_of_request.ok()) End(status_of_request);
    } else if (!request_.sql().empty() || !request_.database().empty()) {
      End(driver::MakeErrorWithHint(driver::Reason::kProtocol,
                                    "`sql` and `database` belong to the first request only",
                                    "open another Prepare stream for another statement"));
    } else {
      status_of_request = SubmitRun();
      if (!status_of_request.ok()) AnswerError(status_of_request);
    }
  }

  absl::Status Describe() {
    if (!request_.args().empty()) {
      return driver::MakeErrorWithHint(driver::Reason::kProtocol,
                                       "the first request of a Prepare stream takes no `args`",
                                       "send `sql` first, wait for nothing, then send `args`");
    }
    absl::StatusOr<Database*> database = context_.databases->Find(request_.database());
    if (!database.ok()) return database.status();
    database_ = *database;
    sql_ = request_.sql();
    format_ = request_.format();
    absl::Status limited =
        DeadlineFor(*database_, request_.has_timeout(), request_.timeout(), began_, &deadline);
    if (!limited.ok()) return limited;
    wait_until = database_->AcquireDeadline(deadline);
    Pool& pool = database_->pool(driver::Lane::kRead);
    waiting_in_.store(&pool);
    Ref();
    pool.Acquire(this);
    return absl::OkStatus();
  }

  // Pool::Waiter.
  void OnLease(absl::StatusOr<Lease> granted) override {
    waiting_in_.store(nullptr);
    if (granted.ok()) {
      lease = *std::move(granted);
      database_->executor().Enqueue(this);
    } else {
      End(granted.status());
      Unref();
    }
  }

  void OnCancelled() override {
    Pool* pool = waiting_in_.load();
    if (pool != nullptr && pool->Forget(this)) OnLease(cancellation_.status());
  }

  // Task.
  void Run() override {
    if (state_.load() == State::kDescribing) {
      RunDescribe();
    } else {
      RunFetch();
    }
    Unref();
  }

  absl::StatusOr<driver::StatementInfo> DescribeOnLease() {
    absl::Status connected = lease.Connect(deadline);
    if (!connected.ok()) return connected;
    return lease->Describe(sql_, deadline, &cancellation_);
  }

  void RunDescribe() {
    absl::StatusOr<driver::StatementInfo> info = DescribeOnLease();
    lease.Release();
    if (!info.ok()) {
      End(info.status());
      return;
    }
    read_only_ = info->read_only;
    columns_ = info->columns;
    response_.Clear();
    ToProto(*info, response_.mutable_prepared());
    WriteLast();
  }

  absl::Status SubmitRun() {
    absl::Status assigned = arguments_.Assign(request_.args());
    if (!assigned.ok()) return assigned;
    absl::Status limited =
        DeadlineFor(*database_, request_.has_timeout(), request_.timeout(), began_, &deadline);
    if (!limited.ok()) return limited;
    builder_.Start(format_, answer_limits().batch, columns_);
    sql = sql_;
    prepared = true;
    args = arguments_.values();
    cancellation = &cancellation_;
    caller = CallerName();
    writer = &builder_;
    limits.max_bytes = answer_limits().first_batch;
    max_returning_bytes = answer_limits().Returning(database_->limits().max_returning_bytes);
    summary = {};
    Ref();
    if (read_only_) {
      database_->Submit(this);
    } else {
      database_->SubmitWrite(this);
    }
    return absl::OkStatus();
  }

  // PendingRun.
  void OnRun() override {
    Advance();
    Unref();
  }

  void RunFetch() {
    // A statement that writes is asked all the same: the driver, which sees the cancel
    // too, knows what has become of it.
    if (status.ok() && read_only && cancellation_.cancelled()) status = cancellation_.status();
    if (status.ok()) {
      absl::StatusOr<bool> more = cursor->Fetch({.max_bytes = answer_limits().batch}, &builder_);
      if (!more.ok()) status = more.status();
      if (more.ok() && !*more) {
        summary = cursor->summary();
        CloseCursor();
      }
    }
    Advance();
  }

  // On an executor's thread.
  void Advance() {
    if (!status.ok()) CloseCursor();
    if (cursor == nullptr) RecordStatement(context_, *database_, *this, began_);
    // A cancel changes nothing about what has been done: the answer tells that, and the
    // next request is what is refused.
    if (!status.ok()) {
      AnswerError(status);
    } else {
      builder_.Flush(cursor == nullptr ? &summary : nullptr);
      SendPart();
    }
  }

  void SendPart() {
    // Not cleared: the builder takes the last part's memory for the next one.
    if (builder_.TakePart(response_.mutable_result())) {
      if (cursor == nullptr && !builder_.has_part()) {
        WriteLast();
      } else {
        WriteResponse();
      }
    } else if (cursor != nullptr) {
      state_.store(State::kRunning);
      Ref();
      database_->executor().Enqueue(this);
    } else {
      ReadNext();
    }
  }

  void AnswerError(const absl::Status& error) {
    response_.Clear();
    ToProto(error, response_.mutable_error());
    WriteLast();
  }

  // Writes the answer that ends a run. The next read is posted with it, so that
  // a request which is waiting already costs no turn of the queue of its own; after
  // it, because gRPC sends a window update for it, for which nobody waits.
  void WriteLast() {
    state_.store(State::kTurning);
    absl::Status written = Write(response_);
    if (!written.ok()) {
      // The row does not fit into a message: the run has failed, the stream goes on.
      written = Undelivered(*this, written);
      response_.Clear();
      ToProto(written, response_.mutable_error());
      if (!Write(response_).ok()) {
        End(written);
        return;
      }
    }
    // If the call has ended meanwhile it fails at once.
    StartRead();
  }

  void WriteResponse() {
    state_.store(State::kWriting);
    const absl::Status written = Write(response_);
    if (written.ok()) return;
    status = Undelivered(*this, written);
    if (cursor != nullptr) {
      Ref();
      database_->executor().Enqueue(this);
    } else {
      builder_.Start(format_, 0);
      AnswerError(status);
    }
  }

  void OnWritten(bool ok) override {
    for (State now = state_.load(); now == State::kTurning;) {
      // If the write failed so will the read, and end the call.
      SetIdle(true);
      if (!state_.compare_exchange_weak(now, State::kReading)) continue;
      if (draining_.load()) Drain(false);
      return;
    }
    if (state_.load() == State::kTurned) {
      state_.store(State::kRunning);
      OnRequest();
    } else if (ok) {
      SendPart();
    } else if (cursor != nullptr) {
      status = Undelivered(*this, GoneStatus());
      Ref();
      database_->executor().Enqueue(this);
    } else {
      End(GoneStatus());
    }
  }

  void End(const absl::Status& outcome) {
    state_.store(State::kEnding);
    Finish(outcome);
  }

  const CallSource source_;
  std::atomic<State> state_{State::kReading};
  std::atomic<bool> draining_{false};
  bool read_ok_ = false;                    // of the last read
  std::atomic<Pool*> waiting_in_{nullptr};  // while the description waits for a connection
  Database* database_ = nullptr;            // set by the first request
  std::string sql_;
  v1::Format format_ = v1::FORMAT_ROWS;
  driver::Columns columns_;
  bool read_only_ = false;
  v1::PrepareRequest request_;
  v1::PrepareResponse response_;
  Arguments arguments_;
  ResultBuilder builder_;
  TimePoint began_;
};

}  // namespace

void WaitForPrepare(const RpcContext& context, const CallSource& source) {
  new PrepareCall(context, source);  // owns itself
}

}  // namespace penstock::server
