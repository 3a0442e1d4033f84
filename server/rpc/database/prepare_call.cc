// Prepare: a statement that is described once and run as often as arguments
// arrive. Between runs it holds neither a connection nor a thread.
#include <atomic>

#include "drivers/api/error.h"
#include "server/rpc/base/call.h"
#include "server/rpc/base/call_run.h"
#include "server/rpc/base/call_task.h"
#include "server/rpc/base/calls.h"
#include "server/rpc/base/convert.h"
#include "server/rpc/base/lease_request.h"
#include "server/rpc/base/service.h"
#include "server/rpc/database/result_builder.h"

namespace penstock::server {
namespace {

class PrepareCall final : public BidiCall {
 public:
  PrepareCall(const RpcContext& context, const CallSource& source)
      : BidiCall(context, source, Rpc::kPrepare, WaitForPrepare) {
    Listen(&source.services->database, &DatabaseMethods::RequestPrepare);
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
    kRunning,     // in the statement queue, or fetching
    kWriting,     // a write is outstanding, more will follow
    kTurning,     // the last write of a run is outstanding, and so is the next read
    kTurned,      // the next request is there, the last write still outstanding
    kEnding,      // Finish was called
  };

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
    const State busy = run_.database == nullptr ? State::kDescribing : State::kRunning;
    for (State now = state_.load();;) {
      if (now == State::kEnding) return;  // ended while idle
      const State next = now == State::kTurning ? State::kTurned : busy;
      if (!state_.compare_exchange_weak(now, next)) continue;
      if (next == busy) OnRequest();
      return;
    }
  }

  // in() holds a request, or the client's side has ended, and nothing else is outstanding.
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
    run_.began = Clock::System().Now();
    request_.Clear();
    absl::Status status_of_request = Take(in(), &request_);
    if (!status_of_request.ok()) {
      End(status_of_request);
      return;
    }
    if (run_.database == nullptr) {
      status_of_request = BeginDescribe();
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

  absl::Status BeginDescribe() {
    if (!request_.args().empty()) {
      return driver::MakeErrorWithHint(driver::Reason::kProtocol,
                                       "the first request of a Prepare stream takes no `args`",
                                       "send `sql` first, then `args` without waiting");
    }
    if (!request_.settings().empty()) {
      return driver::MakeErrorWithHint(driver::Reason::kProtocol,
                                       "the first request of a Prepare stream takes no `settings`",
                                       "send them with each run");
    }
    absl::StatusOr<Database*> database = FindDatabase(request_.database());
    if (!database.ok()) return database.status();
    run_.database = *database;
    sql_ = request_.sql();
    format_ = request_.format();
    absl::Status limited = PrepareStatement(request_, &run_);
    if (!limited.ok()) return limited;
    lease_request_.Start(**database, driver::Lane::kRead, run_.deadline);
    return absl::OkStatus();
  }

  void OnLease(const absl::Status& status) {
    if (status.ok()) {
      work_.Enqueue(*run_.database);
    } else {
      End(status);
    }
  }

  void OnCancelled() override { lease_request_.Cancel(cancellation_.status()); }

  void Work() {
    if (state_.load() == State::kDescribing) {
      Describe();
    } else {
      run_.Fetch(answer_limits().batch);
      Advance();
    }
  }

  absl::StatusOr<driver::StatementInfo> DescribeOnLease() {
    absl::Status connected = lease_request_.lease().Connect(run_.deadline);
    if (!connected.ok()) return connected;
    return lease_request_.lease()->Describe(sql_, run_.deadline, &cancellation_);
  }

  void Describe() {
    absl::StatusOr<driver::StatementInfo> info = DescribeOnLease();
    lease_request_.lease().Release();
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
    absl::Status status = arguments_.Assign(request_.args());
    if (status.ok()) status = PrepareStatement(request_, &run_);
    if (!status.ok()) return status;
    builder_.Start(format_, answer_limits().batch, columns_);
    run_.sql = sql_;
    run_.prepared = true;
    run_.args = arguments_.values();
    run_.writer = &builder_;
    run_.limits.max_bytes = answer_limits().first_batch;
    run_.max_returning_bytes = ReturningLimit(*run_.database);
    meter_.Start(&principal().quota());
    run_.summary = {};
    run_.Submit(/*writes=*/!read_only_);
    return absl::OkStatus();
  }

  // On a worker thread.
  void Advance() {
    if (run_.status.ok()) {
      const absl::Status fits = meter_.Check(builder_.size());
      if (!fits.ok()) run_.status = Undelivered(run_, fits);
    }
    if (!run_.status.ok()) run_.CloseCursor();
    if (run_.cursor == nullptr) run_.Record();
    // A cancel changes nothing about what has been done: the answer tells that, and the
    // next request is what is refused.
    if (!run_.status.ok()) {
      AnswerError(run_.status);
    } else {
      builder_.Flush(run_.cursor == nullptr ? &run_.summary : nullptr);
      SendPart();
    }
  }

  void SendPart() {
    // The message is not cleared, because the builder uses its memory for the next part.
    if (builder_.TakePart(response_.mutable_result())) {
      if (run_.cursor == nullptr && !builder_.has_part()) {
        WriteLast();
      } else {
        WriteResponse();
      }
    } else if (run_.cursor != nullptr) {
      state_.store(State::kRunning);
      work_.Enqueue(*run_.database);
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
      written = Undelivered(run_, written);
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
    run_.status = Undelivered(run_, written);
    if (run_.cursor != nullptr) {
      work_.Enqueue(*run_.database);
    } else {
      builder_.Start(format_, 0);
      AnswerError(run_.status);
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
    } else if (run_.cursor != nullptr) {
      run_.status = Undelivered(run_, GoneStatus());
      work_.Enqueue(*run_.database);
    } else {
      End(GoneStatus());
    }
  }

  void End(const absl::Status& outcome) {
    state_.store(State::kEnding);
    Finish(outcome);
  }

  std::atomic<State> state_{State::kReading};
  std::atomic<bool> draining_{false};
  bool read_ok_ = false;  // of the last read
  std::string sql_;
  v1::Format format_ = v1::FORMAT_ROWS;
  driver::Columns columns_;
  bool read_only_ = false;
  v1::PrepareRequest request_;
  v1::PrepareResponse response_;
  Arguments arguments_;
  ResultBuilder builder_;
  ResultMeter meter_;
  // Waits for the connection on which the statement is described.
  LeaseRequest lease_request_{this, &cancellation_,
                              [this](const absl::Status& status) { OnLease(status); }};
  // Describes the statement, fetches rows, and cleans up after a client that has gone.
  CallTask work_{this, [this] { Work(); }};
  // Its database is set by the first request.
  CallRun run_{this, context_, [this] { Advance(); }};
};

}  // namespace

void WaitForPrepare(const RpcContext& context, const CallSource& source) {
  new PrepareCall(context, source);  // owns itself
}

}  // namespace penstock::server
