// Pipeline: many calls over one stream, each answered as soon as it is done.
//
// pipeline_call.cc has the stream, pipeline_begin.cc what a call within it begins with, and
// pipeline_answer.cc how that goes on and is answered.
//
// An item is one call from its arrival until its last answer has been handed over. The reader, the
// threads that run the items, the writer, the ticker and whoever cancels are here at the same time:
// - mutex_ guards the members behind it, of each item `state`, `ending` and what follows that, and
//   of a statement what its comment says. Neither gRPC nor a database is called under it, and no
//   run ends under it. A Cancellation is cancelled under it: its listeners block nobody.
// - One thread at a time reads (the read's event, until it starts the next), and one writes (who
//   has set writing_, then the write's event).
// - An item that is in items_ belongs to whom its `state` names, or to nobody: then it belongs to
//   the one who changes that. Its owner alone answers it, except that the ticker answers for a run
//   that does not come back (kAbandoned).
// - The last answer takes an item out of items_. From then on it is in free_, and the reader may
//   use it again or destroy it: whoever has given the last answer touches it no more.
// - What is to be written stands in chunks_, each a whole message. Whoever adds to it sees to it
//   that somebody writes: at once, or at the end of the batch that his thread answers.
// - Who sets finished_ calls Finish. From then on nothing is written; what still runs ends unheard.
#ifndef PENSTOCK_SERVER_RPC_DATABASE_PIPELINE_CALL_H_
#define PENSTOCK_SERVER_RPC_DATABASE_PIPELINE_CALL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "server/auth/quota.h"
#include "server/rpc/base/call.h"
#include "server/rpc/base/call_run.h"
#include "server/rpc/base/call_task.h"
#include "server/rpc/base/calls.h"
#include "server/rpc/base/service.h"
#include "server/rpc/database/describing.h"
#include "server/rpc/database/operations.h"
#include "server/rpc/database/pipeline_wire.h"
#include "server/runtime/batch_ends.h"

namespace penstock::server {

// The runs of several calls that came together, by where they go.
class PipelineGroups {
 public:
  // Arms the run, which leaves with the next Submit.
  void Add(CallRun* run, bool writes) {
    auto group = std::find_if(groups_.begin(), groups_.end(), [&](const Group& g) {
      return g.database == run->database && g.writes == writes;
    });
    if (group == groups_.end()) {
      groups_.push_back({.database = run->database, .writes = writes, .runs = {}});
      group = groups_.end() - 1;
    }
    run->Arm();
    group->runs.push_back(run);
  }
  // Submits all that were added.
  void Submit() {
    for (Group& group : groups_) {
      if (!group.runs.empty()) group.database->SubmitMany(group.runs, group.writes);
      group.runs.clear();
    }
  }

 private:
  struct Group {
    Database* database;
    bool writes;
    std::vector<PendingRun*> runs;
  };
  std::vector<Group> groups_;
};

class PipelineCall final : public BidiCall, public AtBatchEnd {
 public:
  PipelineCall(const RpcContext& context, const CallSource& source)
      : BidiCall(context, source, Rpc::kPipeline, WaitForPipeline) {
    Listen(&source.services->database, &DatabaseMethods::RequestPipeline);
  }
  ~PipelineCall() override {
    for (Item* item : free_) delete item;
    HoldLocked(-static_cast<int64_t>(held_bytes_));
    UnsentLocked(-static_cast<int64_t>(unsent_bytes_));
  }

  void Tick(TimePoint now) override;
  void Drain(bool now) override;

 private:
  struct Item;

  // A statement of this stream. Runs keep one that was closed. Until it is ready only the one that
  // prepares it touches what is not guarded.
  struct Statement : PreparedStatement {
    // Guarded.
    bool ready = false;
    absl::Status failed;      // with which the runs of one that is not to be had fail
    std::vector<Item*> held;  // runs that came before it was ready
    size_t bytes = 0;         // that it counts for
  };

  enum class State : uint8_t {
    kStarting,    // the reader's, or his who has prepared its statement
    kHeld,        // nobody's, until its statement is ready
    kQueued,      // nobody's, until there is room for its answer
    kDescribing,  // its Describing's
    kRunning,     // its run's or its fetch's
    kWaiting,     // nobody's, until the client asks for the next part
    kAbandoned,   // answered, but its run has not come back
  };

  struct Item {
    explicit Item(PipelineCall* owner)
        : call(owner),
          run(
              owner, owner->context_, [this] { call->Advance(this); },
              [this] { call->OnLate(this); }),
          fetch(owner, [this] { call->Fetch(this); }) {}

    PipelineCall* const call;
    State state = State::kStarting;
    uint64_t id = 0;
    Rpc rpc = Rpc::kPipeline;
    // What it counts for: its request, and rows that wait until they are asked for.
    size_t bytes = 0;
    size_t rows_bytes = 0;
    v1::PipelineRequest::Call request;
    RequestMemory::Share memory;
    Quota::Share quota;
    driver::Cancellation cancellation;
    std::string caller;
    // What its last request was, and the operation of it.
    int content = 0;
    std::unique_ptr<Operation> operation;
    // The field of its answers.
    int answer = 0;
    // It most likely writes.
    bool writes = false;
    // It counts in finding_.
    bool finds = false;
    std::shared_ptr<Statement> statement;
    std::shared_ptr<Describing> describing;
    // Why an answer that waits is not continued.
    absl::Status ending;
    TimePoint waits_since;
    // The message with the last part; the client cannot ask for the next before it has that one.
    uint64_t sent_with = 0;
    CallRun run;
    CallTask fetch;
  };

  // What is to be done outside the lock for items that were cancelled.
  struct Cancelled {
    std::vector<Item*> waiting;
    std::vector<Item*> not_begun;
    std::vector<std::shared_ptr<Describing>> describing;
  };

  bool counts_as_call() const override { return false; }
  void OnStart() override;
  void OnRead(bool ok) override;
  void OnWritten(bool ok) override;
  void OnCancelled() override;
  void OnBatchEnd() override;

  // --- The reader.
  void TakeMessage();
  absl::Status CheckMessage(std::string_view message);
  absl::Status TakeCall(std::string_view bytes);
  void Refuse(const PipelineHead& head, const absl::Status& why);
  absl::Status Prepare(Item* item, std::string_view bytes);
  void Next(uint64_t id);
  void CancelOne(uint64_t id);
  void ReadOn();

  // --- What an item begins with. Errors are for its answer.
  absl::Status Begin(Item* item, PipelineGroups* groups);
  template <typename OperationT, typename Request>
  absl::Status Begin(Item* item, const Request& request, int answer, PipelineGroups* groups);
  absl::Status BeginRun(Item* item, PipelineGroups* groups);
  absl::Status BeginExec(Item* item, PipelineGroups* groups);
  absl::Status BeginPrepare(Item* item);
  absl::Status BeginClose(Item* item);
  void Submit(Item* item, bool writes, PipelineGroups* groups);
  // Submits what is queued and has room by now.
  void SubmitQueued();
  template <typename OperationT>
  OperationT* Use(Item* item);
  void OnDescribed(Item* item, const absl::StatusOr<driver::StatementInfo>& info);

  // --- What an item goes through.
  void Advance(Item* item);
  void Fetch(Item* item);
  void SendPart(Item* item);
  // Ends a run whose answer cannot go on. Worker threads only.
  void BreakOff(Item* item, const absl::Status& why);
  void End(Item* item, const absl::Status& end);
  void AnswerError(Item* item, const absl::Status& error);
  void AnswerLast(Item* item, int field, std::string_view content);
  void OnLate(Item* item);

  // --- Shared.
  Item* AdmitLocked(const PipelineHead& head, size_t bytes);
  bool HasRoomLocked(size_t bytes) const;
  bool MayFindLocked() const;
  void HoldLocked(int64_t bytes);
  void UnsentLocked(int64_t bytes);
  void AddLocked(uint64_t id, bool more, int field, std::string_view content);
  std::string* ChunkLocked(size_t bytes);
  // Counts an item no more, which has its last answer.
  void LeaveLocked(Item* item);
  void RemoveLocked(Item* item);
  void CancelLocked(Item* item, const absl::Status& why, Cancelled* cancelled);
  void CancelAllLocked(const absl::Status& why, Cancelled* cancelled);
  // Takes an item out that is held or queued.
  void TakeOutLocked(Item* item, const absl::Status& why, Cancelled* cancelled);
  void EndWaitingLocked(Item* item, const absl::Status& why, Cancelled* cancelled);
  void Follow(const Cancelled& cancelled, const absl::Status& why);
  void Stop(const absl::Status& status);
  void Flush(std::unique_lock<std::mutex>& lock);
  void WriteOn(std::unique_lock<std::mutex>& lock);
  std::string ErrorContent(const absl::Status& error) const;

  static uint64_t NextNumber();
  size_t max_calls() const {
    return static_cast<size_t>(context_.config->server.max_pipeline_calls);
  }
  size_t max_bytes() const { return context_.config->server.max_pipeline_bytes; }
  // Further answers are not kept beyond this.
  size_t MostUnsent() const { return 2 * max_bytes(); }

  // Of this stream among all, as FairQueueItem::stream has it.
  const uint64_t number_ = NextNumber();

  // The reader alone touches these.
  PipelineGroups groups_;
  TimePoint began_;
  absl::Status refusal_;  // of all calls of this message

  std::mutex mutex_;
  std::unordered_map<uint64_t, Item*> items_;
  std::vector<Item*> free_;
  std::unordered_map<uint32_t, std::shared_ptr<Statement>> statements_;
  // Of requests and statements, and of answers with the message that is being written.
  size_t held_bytes_ = 0;
  size_t unsent_bytes_ = 0;
  std::deque<std::string> chunks_;
  // The calls that may find much, those that wait for room for it, and those that run until they
  // have their first answer.
  std::deque<Item*> queued_;
  size_t finding_ = 0;
  // A thread is in SubmitQueued.
  bool submitting_ = false;
  // The messages that were written, and the bytes of the one that is being written.
  uint64_t written_ = 0;
  size_t writing_bytes_ = 0;
  bool writing_ = true;  // until the stream has started
  bool read_paused_ = false;
  // The stream takes no further calls, and ends with this status once all are answered.
  bool stopping_ = false;
  absl::Status end_;
  bool reading_ended_ = false;
  bool gone_ = false;
  bool finished_ = false;
  TimePoint next_look_;  // the ticker's alone
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_DATABASE_PIPELINE_CALL_H_
