// Prepare: a statement that is described once and run as often as arguments
// arrive. Between runs it holds neither a connection nor a thread.
#include <atomic>
#include <string>
#include <utility>

#include "drivers/api/error.h"
#include "server/rpc/base/call.h"
#include "server/rpc/base/call_run.h"
#include "server/rpc/base/call_task.h"
#include "server/rpc/base/calls.h"
#include "server/rpc/base/convert.h"
#include "server/rpc/base/service.h"
#include "server/rpc/database/describing.h"
#include "server/rpc/database/operations.h"

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
      describing_.Cancel(DrainingStatus());
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
    absl::Status started = StartStatement(Rpc::kPrepare, request_, &run_);
    if (!started.ok()) return started;
    statement_.database = run_.database;
    statement_.sql = request_.sql();
    statement_.format = request_.format();
    describing_.Start(*run_.database, statement_.sql, run_.deadline);
    return absl::OkStatus();
  }

  void OnCancelled() override { describing_.Cancel(cancellation_.status()); }

  void OnDescribed(const absl::StatusOr<driver::StatementInfo>& info) {
    if (!info.ok()) return End(info.status());
    statement_.read_only = info->read_only;
    statement_.columns = info->columns;
    v1::PrepareResponse response;
    ToProto(*info, response.mutable_prepared());
    WriteLast(response.SerializeAsString());
  }

  absl::Status SubmitRun() {
    absl::Status started = operation_.Start(*this, statement_, request_, &run_);
    if (started.ok()) run_.Submit(/*writes=*/!statement_.read_only);
    return started;
  }

  // On a worker thread. A cancel changes nothing about what has been done: the answer tells that,
  // and the next request is what is refused.
  void Advance() {
    run_.EndBatch(&operation_);
    if (run_.status.ok()) {
      SendPart();
    } else {
      AnswerError(run_.status);
    }
  }

  void SendPart() {
    std::string part;
    if (operation_.TakePart(&part)) {
      part = FieldBytes(v1::PrepareResponse::kResultFieldNumber, part);
      if (run_.cursor == nullptr && !operation_.has_part()) {
        WriteLast(std::move(part));
      } else {
        WritePart(std::move(part));
      }
    } else if (run_.cursor != nullptr) {
      state_.store(State::kRunning);
      fetch_.Enqueue(*run_.database);
    } else {
      ReadNext();
    }
  }

  void AnswerError(const absl::Status& error) {
    v1::PrepareResponse response;
    ToProto(error, response.mutable_error());
    WriteLast(response.SerializeAsString());
  }

  // Writes the answer that ends a run. The next read is posted with it, so that
  // a request which is waiting already costs no turn of the queue of its own; after
  // it, because gRPC sends a window update for it, for which nobody waits.
  void WriteLast(std::string message) {
    state_.store(State::kTurning);
    absl::Status written = Write(std::move(message));
    if (!written.ok()) {
      // The row does not fit into a message: the run has failed, the stream goes on.
      written = Undelivered(run_, written);
      v1::PrepareResponse response;
      ToProto(written, response.mutable_error());
      if (!Write(response).ok()) {
        End(written);
        return;
      }
    }
    // If the call has ended meanwhile it fails at once.
    StartRead();
  }

  void WritePart(std::string message) {
    state_.store(State::kWriting);
    const absl::Status written = Write(std::move(message));
    if (written.ok()) return;
    run_.status = Undelivered(run_, written);
    if (run_.cursor != nullptr) {
      fetch_.Enqueue(*run_.database);
    } else {
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
      fetch_.Enqueue(*run_.database);
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
  PreparedStatement statement_;
  v1::PrepareRequest request_;
  RunOperation operation_;
  Describing describing_{
      this, [this](const absl::StatusOr<driver::StatementInfo>& info) { OnDescribed(info); }};
  // Fetches rows, and cleans up after a client that has gone.
  CallTask fetch_{this, [this] {
                    run_.Fetch(answer_limits().batch);
                    Advance();
                  }};
  // Its database is set by the first request.
  CallRun run_{this, context_, [this] { Advance(); }};
};

}  // namespace

void WaitForPrepare(const RpcContext& context, const CallSource& source) {
  new PrepareCall(context, source);  // owns itself
}

}  // namespace penstock::server
