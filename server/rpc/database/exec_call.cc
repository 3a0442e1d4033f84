// Exec: statements without rows, read ahead so that those that wait together
// can share a commit, and answered in order.
//
// A slot holds one request from its arrival until its answer is written. Reading and writing go on
// at the same time here, so this is the one call with a lock:
// - mutex_ guards the slots' order and the flags below it. Neither gRPC nor a database is called
//   under it.
// - One thread at a time reads (the read's event, until it starts the next), one writes (who has
//   set writing_, then the write's event), and one hands on what is held (who has set
//   submitting_).
// - Statements end on worker threads in any order. The slot at the front is answered once it is
//   done, and is destroyed when its answer has been written.
// - Who sets ended_ calls Finish. From then on no slot is added, written or read for.
//
// What was done is answered as done, whatever else has happened: a drain or a cancel ends
// the requests that have not run, and takes no answer's place. So a request that is not answered
// when the stream ends was not executed, except for the first of them, of which the stream's
// status tells.
#include <algorithm>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "drivers/api/error.h"
#include "server/rpc/base/call.h"
#include "server/rpc/base/call_run.h"
#include "server/rpc/base/calls.h"
#include "server/rpc/base/convert.h"
#include "server/rpc/base/service.h"
#include "server/rpc/database/operations.h"

namespace penstock::server {
namespace {

// No further request is read ahead once those that are not answered are as large as this
// together.
constexpr size_t kMaxHeldBytes = size_t{4} << 20;

class ExecCall final : public BidiCall {
 public:
  ExecCall(const RpcContext& context, const CallSource& source)
      : BidiCall(context, source, Rpc::kExec, WaitForExec) {
    Listen(&source.services->database, &DatabaseMethods::RequestExec);
  }

  void Tick(TimePoint now) override {
    CheckStall(now);
    if (!IdleTooLong(now)) return;
    bool idle = false;
    {
      std::lock_guard lock(mutex_);
      idle = slots_.empty() && !std::exchange(ended_, true);
    }
    if (idle) Finish(IdleStatus());
  }

  void Drain(bool now) override {
    if (now) cancellation_.Cancel(DrainingStatus());
    bool idle = false;
    bool answered = false;
    {
      std::lock_guard lock(mutex_);
      draining_ = true;
      idle = slots_.empty() && !std::exchange(ended_, true);
      answered = any_answered_;
    }
    // A stream that has had its answers ends well: nothing of it is lost.
    if (idle) Finish(answered ? absl::OkStatus() : DrainingStatus());
  }

 private:
  struct Slot final : CallStatement {
    explicit Slot(ExecCall* owner) : call(owner) {}
    void OnRun() override { call->OnSlotRun(this); }

    ExecCall* const call;
    v1::ExecRequest request;
    RequestMemory::Share share;
    ExecOperation operation;
    size_t bytes = 0;  // of the request
    bool done = false;
    // The request counts in running_, or is held and will.
    bool counted = false;
  };

  void OnStart() override {
    SetIdle(true);
    StartRead();
  }

  void OnRead(bool ok) override {
    if (!ok) {
      bool finish = false;
      {
        std::lock_guard lock(mutex_);
        reading_ended_ = true;
        finish = slots_.empty() && !std::exchange(ended_, true);
      }
      // All of its requests are answered.
      if (finish) Finish(absl::OkStatus());
      return;
    }
    auto owned = std::make_unique<Slot>(this);
    Slot* slot = owned.get();
    slot->bytes = in()->Length();
    {
      std::lock_guard lock(mutex_);
      if (ended_) return;
      SetIdle(false);
      slot->may_fail_early = slots_.empty();
      slots_.push_back(std::move(owned));
      held_bytes_ += slot->bytes;
    }
    slot->began = Clock::System().Now();
    absl::Status prepared = Prepare(slot);
    if (prepared.ok()) {
      Ref();
      if (MayRun(slot)) slot->database->SubmitWrite(slot);  // else it is held
    } else {
      chain_failed_ = true;
      slot->status = prepared;
      Ref();
      OnSlotRun(slot);
    }
    ReadOn();
  }

  // Tells whether the statement may go to its database now; otherwise it is held. A database with
  // several writers may run two requests at the same time, and two databases always may. With
  // `on_error` STOP the second must not run before the first has succeeded: it is held until then,
  // together with all requests behind it.
  bool MayRun(Slot* slot) {
    if (!stop_on_error_) return true;
    std::lock_guard lock(mutex_);
    slot->counted = true;
    if (submitting_ || !held_.empty() || !SuitsLocked(*slot)) {
      held_.push_back(slot);
      return false;
    }
    StartLocked(slot);
    return true;
  }

  // One writer runs what it was handed in order, and nothing after a failure.
  bool SuitsLocked(const Slot& slot) const {
    const bool one_writer = slot.database->info().capabilities.single_writer;
    return running_ == 0 || (one_writer && running_on_ == slot.database);
  }

  void StartLocked(const Slot* slot) {
    ++running_;
    running_on_ = slot->database;
  }

  // Hands on the requests that were held for the ones that have run. One thread at a time does so,
  // which keeps the order; a thread that comes meanwhile leaves it to that one.
  void SubmitHeld() {
    for (bool first = true;; first = false) {
      Slot* next = nullptr;
      {
        std::lock_guard lock(mutex_);
        if (first && submitting_) return;
        submitting_ = !held_.empty() && SuitsLocked(*held_.front());
        if (!submitting_) return;
        next = held_.front();
        held_.pop_front();
        StartLocked(next);
      }
      next->database->SubmitWrite(next);
    }
  }

  // Reads on if there is room for a further request.
  void ReadOn() {
    {
      std::lock_guard lock(mutex_);
      read_paused_ = !MayReadLocked();
      if (read_paused_) return;
    }
    StartRead();
  }

  bool MayReadLocked() const {
    const auto most = static_cast<size_t>(context_.config->server.max_pipeline);
    return !ended_ && !draining_ && slots_.size() < most && held_bytes_ < kMaxHeldBytes;
  }

  absl::Status Prepare(Slot* slot) {
    absl::Status parsed = Take(in(), &slot->request, &slot->share);
    if (!parsed.ok()) return parsed;
    v1::ExecRequest& request = slot->request;
    if (first_) {
      first_ = false;
      stop_on_error_ = request.on_error() != v1::ON_ERROR_CONTINUE;
    }
    if (stop_on_error_ && chain_failed_) {
      return driver::MakeError(driver::Reason::kCancelled,
                               "not run: an earlier request on the stream failed");
    }
    if (request.sql().empty()) {
      request.set_sql(last_sql_);
      if (request.database().empty()) request.set_database(last_database_);
    } else {
      last_sql_ = request.sql();
      last_database_ = request.database();
    }
    absl::Status started = slot->operation.Start(*this, request, slot);
    if (!started.ok()) return started;
    slot->chain = stop_on_error_ ? &chain_ : nullptr;
    return absl::OkStatus();
  }

  void OnSlotRun(Slot* slot) {
    if (slot->database != nullptr) {
      RecordStatement(context_, slot->caller, *slot->database, *slot, slot->began);
    }
    slot->CloseCursor();
    bool write = false;
    const bool counted = slot->counted;
    {
      std::lock_guard lock(mutex_);
      slot->done = true;
      if (counted) --running_;
      write = !writing_ && !ended_ && slots_.front()->done;
      if (write) writing_ = true;
    }
    if (counted) SubmitHeld();
    if (write) WriteFront();
    Unref();
  }

  // The caller has set writing_.
  void WriteFront() {
    Slot* front = nullptr;
    {
      std::lock_guard lock(mutex_);
      front = slots_.front().get();
    }
    // The requests behind it were not run, and are not going to be.
    if (!front->status.ok() && stop_on_error_) {
      {
        std::lock_guard lock(mutex_);
        ended_ = true;
      }
      Finish(front->status);
      return;
    }
    response_.Clear();
    if (front->status.ok()) {
      ToProto(front->summary, response_.mutable_summary());
    } else {
      ToProto(front->status, response_.mutable_error());
    }
    const absl::Status written = Write(response_);
    if (!written.ok()) Finish(Undelivered(*front, written));
  }

  void OnWritten(bool ok) override {
    bool write = false;
    bool read = false;
    bool finish = false;
    std::unique_ptr<Slot> answered;  // destroyed outside the lock
    {
      std::lock_guard lock(mutex_);
      answered = std::move(slots_.front());
      slots_.pop_front();
      any_answered_ = true;
      held_bytes_ -= answered->bytes;
      if (!ok) {
        finish = !std::exchange(ended_, true);
      } else if (!slots_.empty()) {
        write = slots_.front()->done;
        writing_ = write;
      } else {
        writing_ = false;
        SetIdle(true);
        finish = (reading_ended_ || draining_) && !std::exchange(ended_, true);
      }
      read = read_paused_ && MayReadLocked();
      if (read) read_paused_ = false;
    }
    if (finish) {
      Finish(ok ? absl::OkStatus() : GoneStatus());
      return;
    }
    if (write) WriteFront();
    if (read) StartRead();
  }

  // The reader alone touches these.
  bool first_ = true;
  bool stop_on_error_ = true;
  bool chain_failed_ = false;
  std::string last_sql_;
  std::string last_database_;
  // The threads that run the statements touch it, one at a time.
  driver::Chain chain_;
  // The writer alone touches it.
  v1::ExecResponse response_;

  std::mutex mutex_;
  std::deque<std::unique_ptr<Slot>> slots_;
  size_t held_bytes_ = 0;  // of the requests in slots_
  bool writing_ = false;
  bool any_answered_ = false;
  // With on_error STOP: the number of requests that were handed to a database and are not done,
  // that database, and the requests that wait for them, in order.
  size_t running_ = 0;
  const Database* running_on_ = nullptr;
  std::deque<Slot*> held_;
  // A thread is in SubmitHeld.
  bool submitting_ = false;
  bool read_paused_ = false;
  bool reading_ended_ = false;
  bool draining_ = false;
  // Finish was or is being called; what is still running is not answered.
  bool ended_ = false;
};

}  // namespace

void WaitForExec(const RpcContext& context, const CallSource& source) {
  new ExecCall(context, source);  // owns itself
}

}  // namespace penstock::server
