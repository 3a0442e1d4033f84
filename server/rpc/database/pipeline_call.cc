// Pipeline: many calls over one stream, each answered as soon as it is done.
//
// An item is one call from its arrival until its last answer has been handed over. The reader, the
// threads that run the items, the writer, the ticker, and whoever cancels are here at the same
// time:
// - mutex_ guards the members behind it, and of each item `state`, `ending` and `waits_since`; of a
//   statement what its comment says. Neither gRPC nor a database is called under it, and no run
//   ends under it. A Cancellation is: its listeners block nobody.
// - One thread at a time reads (the read's event, until it starts the next), and one writes (who
// has
//   set writing_, then the write's event).
// - An item that is in items_ belongs to whoever `state` says: to the reader or the thread that
//   prepared its statement (kStarting), to its run or fetch (kRunning), to its Describing
//   (kDescribing), or to nobody (kHeld, kWaiting): then who changes `state` has it. Its owner alone
//   answers it, except that the ticker may answer for a run that does not come back (kAbandoned).
// - The last answer takes an item out of items_. From then on it is in free_, and the reader may
// use
//   it again: whoever has given the last answer touches it no more.
// - What is to be written stands in chunks_, each a whole message. Whoever adds to it sees to it
// that
//   somebody writes: at once, or at the end of the batch of statements that his thread answers.
// - Who sets finished_ calls Finish. From then on nothing is written; what still runs ends unheard.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "server/auth/quota.h"
#include "server/rpc/base/call.h"
#include "server/rpc/base/call_run.h"
#include "server/rpc/base/call_task.h"
#include "server/rpc/base/calls.h"
#include "server/rpc/base/convert.h"
#include "server/rpc/base/service.h"
#include "server/rpc/base/wire_bounds.h"
#include "server/rpc/database/describing.h"
#include "server/rpc/database/operations.h"
#include "server/rpc/database/pipeline_wire.h"
#include "server/rpc/key_value/operations.h"
#include "server/runtime/batch_ends.h"

namespace penstock::server {
namespace {

using driver::MakeError;
using driver::MakeErrorWithHint;
using driver::Reason;
using Answer = v1::PipelineResponse::Answer;
using Content = v1::PipelineRequest::Call::CallCase;

// A message ends once it has so much; the rest goes with the next one.
constexpr size_t kMessageBytes = size_t{256} << 10;
// What a prepared statement takes beside its text.
constexpr size_t kStatementBytes = 512;
// The first batch of a result is not cut below this.
constexpr size_t kLeastBatch = 512;
// So many items are kept for further calls.
constexpr size_t kMostFree = 1024;
// An operation is kept with its item unless it has had so many bytes.
constexpr size_t kMostKept = size_t{64} << 10;
constexpr auto kLookEvery = std::chrono::milliseconds(100);

// The method by whose row in the table of methods a call is judged and counted.
Rpc RpcOf(int content) {
  switch (content) {
    case Content::kQuery: return Rpc::kQuery;
    case Content::kExec: return Rpc::kExec;
    case Content::kGet: return Rpc::kGet;
    case Content::kBatchGet: return Rpc::kBatchGet;
    case Content::kPut: return Rpc::kPut;
    case Content::kDelete: return Rpc::kDelete;
    case Content::kDeleteRange: return Rpc::kDeleteRange;
    case Content::kWrite: return Rpc::kWrite;
    case Content::kScan: return Rpc::kScan;
    default: return Rpc::kPrepare;
  }
}

uint64_t NextNumber() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

// The runs of several calls that came together, by where they go.
class Groups {
 public:
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
    kStarting,
    kHeld,  // until its statement is ready
    kDescribing,
    kRunning,
    kWaiting,    // until the client asks for the next part
    kAbandoned,  // answered, but its run has not come back
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
    size_t bytes = 0;  // that it counts for
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
    std::vector<Item*> held;
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
  absl::Status TakeCall(std::string_view bytes);
  void Refuse(const PipelineHead& head, const absl::Status& why);
  absl::Status Prepare(Item* item, std::string_view bytes);
  void Next(uint64_t id);
  void CancelOne(uint64_t id);
  void ReadOn();

  // --- What an item begins with. Errors are for its answer.
  absl::Status Begin(Item* item, Groups* groups);
  template <typename OperationT, typename Request>
  absl::Status Begin(Item* item, const Request& request, int answer, Groups* groups);
  absl::Status BeginRun(Item* item, Groups* groups);
  absl::Status BeginExec(Item* item, Groups* groups);
  absl::Status BeginPrepare(Item* item);
  absl::Status BeginClose(Item* item);
  void Submit(Item* item, bool writes, Groups* groups);
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
  void HoldLocked(int64_t bytes);
  void UnsentLocked(int64_t bytes);
  void AddLocked(uint64_t id, bool more, int field, std::string_view content);
  std::string* ChunkLocked(size_t bytes);
  void RemoveLocked(Item* item);
  void CancelLocked(Item* item, const absl::Status& why, Cancelled* cancelled);
  void CancelAllLocked(const absl::Status& why, Cancelled* cancelled);
  void TakeHeldLocked(Item* item, const absl::Status& why, Cancelled* cancelled);
  void EndWaitingLocked(Item* item, const absl::Status& why, Cancelled* cancelled);
  void Follow(const Cancelled& cancelled, const absl::Status& why);
  void Stop(const absl::Status& status);
  void Flush(std::unique_lock<std::mutex>& lock);
  void WriteOn(std::unique_lock<std::mutex>& lock);
  std::string ErrorContent(const absl::Status& error) const;

  size_t max_calls() const {
    return static_cast<size_t>(context_.config->server.max_pipeline_calls);
  }
  size_t max_bytes() const { return context_.config->server.max_pipeline_bytes; }

  // Of this stream among all, as FairQueueItem::stream has it.
  const uint64_t number_ = NextNumber();

  // The reader alone touches these.
  PipelineParts parts_;
  Groups groups_;
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

// ------------------------------------------------------------------------------------- The reader

void PipelineCall::OnStart() {
  SetIdle(true);
  v1::PipelineResponse first;
  first.mutable_limits()->set_max_calls(static_cast<uint32_t>(max_calls()));
  first.mutable_limits()->set_max_bytes(max_bytes());
  {
    std::unique_lock lock(mutex_);
    // A drain may have been here before.
    chunks_.push_front(first.SerializeAsString());
    UnsentLocked(static_cast<int64_t>(chunks_.front().size()));
    writing_ = false;
    WriteOn(lock);
  }
  StartRead();
}

void PipelineCall::OnRead(bool ok) {
  if (ok) return TakeMessage();
  {
    std::lock_guard lock(mutex_);
    reading_ended_ = true;
  }
  Stop(absl::OkStatus());
}

void PipelineCall::TakeMessage() {
  // All answers that this message has at once leave together.
  const BatchEnds ends;
  began_ = Clock::System().Now();
  refusal_ = CheckAccess();
  if (!refusal_.ok()) Stop(refusal_);
  grpc::Slice bytes;
  if (!in()->TrySingleSlice(&bytes).ok() && !in()->DumpToSingleSlice(&bytes).ok()) bytes = {};
  in()->Clear();
  absl::Status taken;
  if (!parts_.Assign({reinterpret_cast<const char*>(bytes.begin()), bytes.size()})) {
    taken = MakeErrorWithHint(Reason::kProtocol, "the request is not a valid message of its type",
                              "check the version of the .proto files");
  }
  if (!parts_.calls.empty()) {
    context_.metrics->pipeline_message_calls.Observe(static_cast<double>(parts_.calls.size()));
  }
  for (size_t i = 0; taken.ok() && i < parts_.calls.size(); ++i) taken = TakeCall(parts_.calls[i]);
  groups_.Submit();
  if (!taken.ok()) {
    {
      std::lock_guard lock(mutex_);
      reading_ended_ = true;
    }
    return Stop(taken);
  }
  for (const uint64_t id : parts_.next) Next(id);
  for (const uint64_t id : parts_.cancel) CancelOne(id);
  ReadOn();
}

// An error ends the stream.
absl::Status PipelineCall::TakeCall(std::string_view bytes) {
  const PipelineHead head = PipelineHead::Of(bytes);
  if (head.id == 0) {
    return MakeErrorWithHint(Reason::kProtocol, "a call has no id",
                             "give each call a number that is not 0");
  }
  if (head.content == 0) {
    return MakeErrorWithHint(Reason::kProtocol, fmt::format("the call {} has no content", head.id),
                             "set one of the fields of `call`");
  }
  Item* item = nullptr;
  absl::Status refusal = refusal_;
  {
    std::lock_guard lock(mutex_);
    if (items_.contains(head.id)) {
      return MakeErrorWithHint(Reason::kProtocol, fmt::format("the id {} is in use", head.id),
                               "use an id again once its last answer has come");
    }
    if (refusal.ok() && gone_) refusal = GoneStatus();
    if (refusal.ok() && stopping_) refusal = end_.ok() ? DrainingStatus() : end_;
    if (refusal.ok() && HasRoomLocked(bytes.size())) item = AdmitLocked(head, bytes.size());
  }
  if (item == nullptr) {
    if (refusal.ok()) {
      refusal = MakeErrorWithHint(
          Reason::kQueueFull,
          fmt::format("not run: the stream has {} calls or {} bytes under way "
                      "(max_pipeline_calls, max_pipeline_bytes)",
                      max_calls(), max_bytes()),
          "wait for answers before you send more; the first message tells the limits");
    }
    Refuse(head, refusal);
    return absl::OkStatus();
  }
  const absl::Status prepared = Prepare(item, bytes);
  if (!prepared.ok()) AnswerError(item, prepared);
  return absl::OkStatus();
}

void PipelineCall::Refuse(const PipelineHead& head, const absl::Status& why) {
  CountRequest(RpcOf(head.content), nullptr, why);
  const std::string content = ErrorContent(why);
  std::unique_lock lock(mutex_);
  AddLocked(head.id, /*more=*/false, Answer::kErrorFieldNumber, content);
  Flush(lock);
}

absl::Status PipelineCall::Prepare(Item* item, std::string_view bytes) {
  item->run.began = began_;
  absl::StatusOr<Quota::Share> quota = principal().quota().Admit(/*transaction=*/false, began_);
  if (!quota.ok()) return quota.status();
  item->quota = *std::move(quota);
  const absl::StatusOr<size_t> size = ExpandedSize(bytes, v1::PipelineRequest::Call::descriptor());
  if (!size.ok()) return size.status();
  absl::StatusOr<RequestMemory::Share> memory = context_.request_memory->Take(*size);
  if (!memory.ok()) return memory.status();
  item->memory = *std::move(memory);
  if (!item->request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return MakeErrorWithHint(
        Reason::kProtocol, "the call is not a valid message of its type",
        "send text as valid UTF-8 and other bytes as `blob`; check the version of the .proto "
        "files");
  }
  if (!item->request.application().empty()) {
    item->caller = CallerName(item->request.application());
    item->run.caller = item->caller;
  }
  return Begin(item, &groups_);
}

void PipelineCall::Next(uint64_t id) {
  Item* item = nullptr;
  {
    std::lock_guard lock(mutex_);
    const auto found = items_.find(id);
    if (found == items_.end() || found->second->state != State::kWaiting) return;
    item = found->second;
    item->state = State::kRunning;
  }
  item->fetch.Enqueue(*item->run.database);
}

void PipelineCall::CancelOne(uint64_t id) {
  const absl::Status why = MakeError(Reason::kCancelled, "the client cancelled the call");
  Cancelled cancelled;
  {
    std::lock_guard lock(mutex_);
    const auto found = items_.find(id);
    if (found == items_.end()) return;
    CancelLocked(found->second, why, &cancelled);
  }
  Follow(cancelled, why);
}

// A client that takes no answers is not read from: nothing that it sends could make room. Whatever
// else is the matter with the stream, reading goes on, since a credit or a cancel may come.
void PipelineCall::ReadOn() {
  {
    std::lock_guard lock(mutex_);
    read_paused_ = unsent_bytes_ >= max_bytes();
    if (read_paused_) return;
  }
  StartRead();
}

// ------------------------------------------------------------------------ What an item begins with

absl::Status PipelineCall::Begin(Item* item, Groups* groups) {
  const v1::PipelineRequest::Call& request = item->request;
  switch (request.call_case()) {
    case Content::kRun: return BeginRun(item, groups);
    case Content::kExec: return BeginExec(item, groups);
    case Content::kPrepare: return BeginPrepare(item);
    case Content::kCloseStatement: return BeginClose(item);
    case Content::kQuery:
      return Begin<QueryOperation>(item, request.query(), Answer::kResultFieldNumber, groups);
    case Content::kGet:
      return Begin<KeyValueOperation<GetMethod>>(item, request.get(), Answer::kGotFieldNumber,
                                                 groups);
    case Content::kBatchGet:
      return Begin<KeyValueOperation<BatchGetMethod>>(item, request.batch_get(),
                                                      Answer::kBatchGotFieldNumber, groups);
    case Content::kPut:
      return Begin<KeyValueOperation<PutMethod>>(item, request.put(), Answer::kPutFieldNumber,
                                                 groups);
    case Content::kDelete:
      return Begin<KeyValueOperation<DeleteMethod>>(item, request.delete_(),
                                                    Answer::kDeletedFieldNumber, groups);
    case Content::kDeleteRange:
      return Begin<KeyValueOperation<DeleteRangeMethod>>(item, request.delete_range(),
                                                         Answer::kRangeDeletedFieldNumber, groups);
    case Content::kWrite:
      return Begin<KeyValueOperation<WriteMethod>>(item, request.write(),
                                                   Answer::kWrittenFieldNumber, groups);
    case Content::kScan:
      return Begin<ScanOperation>(item, request.scan(), Answer::kScannedFieldNumber, groups);
    case Content::CALL_NOT_SET: break;
  }
  return MakeError(Reason::kProtocol, "the call has no content");
}

// Returns the item's operation, which is the one of the call before if that was of the same sort.
template <typename OperationT>
OperationT* PipelineCall::Use(Item* item) {
  const int content = item->request.call_case();
  if (item->operation == nullptr || item->content != content) {
    item->operation = std::make_unique<OperationT>();
    item->content = content;
  }
  return static_cast<OperationT*>(item->operation.get());
}

template <typename OperationT, typename Request>
absl::Status PipelineCall::Begin(Item* item, const Request& request, int answer, Groups* groups) {
  item->answer = answer;
  absl::Status started = Use<OperationT>(item)->Start(*this, request, &item->run);
  if (!started.ok()) return started;
  const driver::KeyValueRun* keys = item->run.key_value;
  const bool writes = keys != nullptr && answer != Answer::kScannedFieldNumber && !keys->reads();
  Submit(item, writes, groups);
  return absl::OkStatus();
}

absl::Status PipelineCall::BeginExec(Item* item, Groups* groups) {
  const v1::ExecRequest& request = item->request.exec();
  if (request.on_error() != v1::ON_ERROR_UNSPECIFIED) {
    return MakeErrorWithHint(Reason::kInvalidParameter, "an exec on a Pipeline has no `on_error`",
                             "calls on a Pipeline are independent of each other");
  }
  item->answer = Answer::kExecutedFieldNumber;
  absl::Status started = Use<ExecOperation>(item)->Start(*this, request, &item->run);
  if (started.ok()) Submit(item, /*writes=*/true, groups);
  return started;
}

absl::Status PipelineCall::BeginRun(Item* item, Groups* groups) {
  const v1::PipelineRequest::Run& request = item->request.run();
  item->answer = Answer::kResultFieldNumber;
  if (item->statement == nullptr) {
    std::lock_guard lock(mutex_);
    const auto found = statements_.find(request.statement());
    if (found == statements_.end()) {
      return MakeErrorWithHint(Reason::kProtocol,
                               fmt::format("no statement has the number {}", request.statement()),
                               "send `prepare` with this number first");
    }
    item->statement = found->second;
    if (!item->statement->failed.ok()) return item->statement->failed;
    if (!item->statement->ready) {
      // Its time begins now.
      absl::Status limited = DeadlineFor(*item->statement->database, request.has_timeout(),
                                         request.timeout(), began_, &item->run.deadline);
      if (!limited.ok()) return limited;
      item->state = State::kHeld;
      item->statement->held.push_back(item);
      return absl::OkStatus();
    }
  }
  const Statement& statement = *item->statement;
  absl::Status started = Use<RunOperation>(item)->Start(*this, statement, request, &item->run);
  if (started.ok()) Submit(item, /*writes=*/!statement.read_only, groups);
  return started;
}

void PipelineCall::Submit(Item* item, bool writes, Groups* groups) {
  {
    std::lock_guard lock(mutex_);
    item->state = State::kRunning;
    if (item->answer == Answer::kResultFieldNumber || item->answer == Answer::kScannedFieldNumber) {
      // What all calls under way find at first has room together, whatever each finds. What is
      // left of a result comes when the client asks for it.
      const size_t share = std::max(kLeastBatch, max_bytes() / 2 / items_.size());
      item->run.limits.max_bytes = std::min(item->run.limits.max_bytes, share);
    }
  }
  groups->Add(&item->run, writes);
}

absl::Status PipelineCall::BeginPrepare(Item* item) {
  const v1::PipelineRequest::Prepare& request = item->request.prepare();
  item->answer = Answer::kPreparedFieldNumber;
  const auto statement = std::make_shared<Statement>();
  const absl::Status started = StartStatement(Rpc::kPrepare, request, &item->run);
  statement->database = item->run.database;
  statement->sql = request.sql();
  statement->format = request.format();
  statement->bytes = kStatementBytes + request.sql().size();
  statement->failed = started;
  {
    std::lock_guard lock(mutex_);
    const auto found = statements_.find(request.statement());
    const bool taken = found != statements_.end() && found->second->failed.ok();
    if (request.statement() == 0 || taken) {
      return MakeErrorWithHint(
          Reason::kProtocol,
          fmt::format("the number {} is not free for a statement", request.statement()),
          "use a number from 1 that is not open on this stream");
    }
    if (found != statements_.end()) HoldLocked(-static_cast<int64_t>(found->second->bytes));
    HoldLocked(static_cast<int64_t>(statement->bytes));
    statements_[request.statement()] = statement;
    if (started.ok()) item->state = State::kDescribing;
    item->statement = statement;
    item->describing = std::make_shared<Describing>(
        this, [this, item](const absl::StatusOr<driver::StatementInfo>& info) {
          OnDescribed(item, info);
        });
  }
  if (!started.ok()) return started;
  // The item may be done with before Start has returned.
  const std::shared_ptr<Describing> describing = item->describing;
  describing->Start(*statement->database, statement->sql, item->run.deadline);
  return absl::OkStatus();
}

void PipelineCall::OnDescribed(Item* item, const absl::StatusOr<driver::StatementInfo>& info) {
  Statement& statement = *item->statement;
  const std::shared_ptr<Statement> kept = item->statement;
  if (info.ok()) {
    statement.columns = info->columns;
    statement.read_only = info->read_only;
  }
  std::vector<Item*> held;
  {
    std::lock_guard lock(mutex_);
    statement.ready = info.ok();
    statement.failed = info.status();
    held.swap(statement.held);
    for (Item* run : held) run->state = State::kStarting;
  }
  if (info.ok()) {
    v1::Prepared prepared;
    ToProto(*info, &prepared);
    AnswerLast(item, Answer::kPreparedFieldNumber, prepared.SerializeAsString());
  } else {
    AnswerError(item, info.status());
  }
  const BatchEnds ends;
  Groups groups;
  for (Item* run : held) {
    const absl::Status begun = info.ok() ? Begin(run, &groups) : info.status();
    if (!begun.ok()) AnswerError(run, begun);
  }
  groups.Submit();
}

absl::Status PipelineCall::BeginClose(Item* item) {
  const uint32_t number = item->request.close_statement().statement();
  {
    std::lock_guard lock(mutex_);
    const auto found = statements_.find(number);
    if (found == statements_.end()) {
      return MakeError(Reason::kProtocol, fmt::format("no statement has the number {}", number));
    }
    HoldLocked(-static_cast<int64_t>(found->second->bytes));
    statements_.erase(found);
  }
  AnswerLast(item, Answer::kClosedFieldNumber, "");
  return absl::OkStatus();
}

// ---------------------------------------------------------------------- What an item goes through

// On a worker thread, or another one if the run has not begun and has no cursor.
void PipelineCall::Advance(Item* item) {
  item->run.EndBatch(item->operation.get());
  if (item->run.status.ok()) {
    SendPart(item);
  } else {
    AnswerError(item, item->run.status);
  }
}

void PipelineCall::Fetch(Item* item) {
  absl::Status ending;
  {
    std::lock_guard lock(mutex_);
    ending = std::exchange(item->ending, absl::OkStatus());
  }
  if (!ending.ok()) return BreakOff(item, ending);
  if (item->operation->has_part()) return SendPart(item);
  item->run.Fetch(answer_limits().batch);
  Advance(item);
}

void PipelineCall::SendPart(Item* item) {
  std::string part;
  if (!item->operation->TakePart(&part)) return item->fetch.Enqueue(*item->run.database);
  const absl::Status fits = CheckMessageSize(AnswerBytes(part.size()), answer_limits().message);
  if (!fits.ok()) return BreakOff(item, fits);
  const bool more = item->run.cursor != nullptr || item->operation->has_part();
  std::unique_lock lock(mutex_);
  // A client that does not take them is not given more without an end.
  if (unsent_bytes_ > 2 * max_bytes() && !finished_) {
    lock.unlock();
    return BreakOff(item, MakeErrorWithHint(Reason::kLimitExceeded,
                                            "the answers that the client has not taken are more "
                                            "than the stream may have (max_pipeline_bytes)",
                                            "read answers while you send calls"));
  }
  if (!more) {
    lock.unlock();
    return AnswerLast(item, item->answer, part);
  }
  AddLocked(item->id, more, item->answer, part);
  item->state = State::kWaiting;
  item->waits_since = Clock::System().Now();
  item->sent_with = written_ + chunks_.size() + (writing_ ? 1 : 0);
  Cancelled cancelled;
  if (item->cancellation.cancelled()) {
    EndWaitingLocked(item, item->cancellation.status(), &cancelled);
  } else if (reading_ended_ || finished_) {
    EndWaitingLocked(item, MakeError(Reason::kCancelled, "nobody asks for the rest of the result"),
                     &cancelled);
  }
  Flush(lock);
  Follow(cancelled, absl::OkStatus());
}

void PipelineCall::BreakOff(Item* item, const absl::Status& why) {
  if (item->run.status.ok()) item->run.status = Undelivered(item->run, why);
  item->run.CloseCursor();
  item->run.Record();
  AnswerError(item, item->run.status);
}

// Lets go of what an item has before its last answer: whoever has that may make the next call.
void PipelineCall::End(Item* item, const absl::Status& end) {
  CountRequest(item->rpc, item->run.database, end);
  item->quota.Release();
  item->memory = {};
  item->request.Clear();
  if (std::max(item->bytes, item->operation != nullptr ? item->operation->Written().bytes : 0) >
      kMostKept) {
    item->operation.reset();
  }
}

void PipelineCall::AnswerError(Item* item, const absl::Status& error) {
  End(item, error);
  const std::string content = ErrorContent(error);
  std::unique_lock lock(mutex_);
  AddLocked(item->id, /*more=*/false, Answer::kErrorFieldNumber, content);
  RemoveLocked(item);
  Flush(lock);
}

void PipelineCall::AnswerLast(Item* item, int field, std::string_view content) {
  End(item, absl::OkStatus());
  std::unique_lock lock(mutex_);
  AddLocked(item->id, /*more=*/false, field, content);
  RemoveLocked(item);
  Flush(lock);
}

void PipelineCall::OnLate(Item* item) {
  item->memory = {};
  std::lock_guard lock(mutex_);
  free_.push_back(item);
}

std::string PipelineCall::ErrorContent(const absl::Status& error) const {
  v1::Error content;
  ToProto(error, &content);
  if (AnswerBytes(content.ByteSizeLong()) > answer_limits().message) {
    // A client that takes so little learns what it has to know.
    constexpr size_t kMostText = 200;
    v1::ErrorDetail short_detail;
    short_detail.set_reason(content.detail().reason());
    short_detail.set_retry(content.detail().retry());
    short_detail.set_sqlstate(content.detail().sqlstate());
    *content.mutable_detail() = std::move(short_detail);
    if (content.message().size() > kMostText) content.set_message("[cut: the text is too long]");
  }
  return content.SerializeAsString();
}

// ----------------------------------------------------------------------------------------- Shared

bool PipelineCall::HasRoomLocked(size_t bytes) const {
  if (items_.size() >= max_calls()) return false;
  // One that is alone always has room.
  return items_.empty() || held_bytes_ + unsent_bytes_ + bytes <= max_bytes();
}

void PipelineCall::HoldLocked(int64_t bytes) {
  held_bytes_ = static_cast<size_t>(static_cast<int64_t>(held_bytes_) + bytes);
  context_.metrics->pipeline_bytes.Add(bytes);
}

void PipelineCall::UnsentLocked(int64_t bytes) {
  unsent_bytes_ = static_cast<size_t>(static_cast<int64_t>(unsent_bytes_) + bytes);
  context_.metrics->pipeline_bytes.Add(bytes);
}

PipelineCall::Item* PipelineCall::AdmitLocked(const PipelineHead& head, size_t bytes) {
  while (free_.size() > kMostFree) {
    delete free_.back();
    free_.pop_back();
  }
  Item* item = nullptr;
  if (free_.empty()) {
    item = new Item(this);
  } else {
    item = free_.back();
    free_.pop_back();
    item->cancellation.Reset();
    item->caller.clear();
    item->statement.reset();
    item->describing.reset();
    item->ending = absl::OkStatus();
    static_cast<driver::StatementRun&>(item->run) = driver::StatementRun();
    item->run.database = nullptr;
  }
  item->state = State::kStarting;
  item->id = head.id;
  item->rpc = RpcOf(head.content);
  item->bytes = bytes;
  item->run.cancellation = &item->cancellation;
  item->run.stream = number_;
  if (items_.empty()) SetIdle(false);
  items_.emplace(head.id, item);
  context_.metrics->pipeline_calls.Add(1);
  HoldLocked(static_cast<int64_t>(bytes));
  return item;
}

void PipelineCall::RemoveLocked(Item* item) {
  items_.erase(item->id);
  if (items_.empty()) SetIdle(true);
  context_.metrics->pipeline_calls.Add(-1);
  HoldLocked(-static_cast<int64_t>(item->bytes));
  free_.push_back(item);
}

std::string* PipelineCall::ChunkLocked(size_t bytes) {
  const size_t most = std::min(kMessageBytes, answer_limits().message);
  if (chunks_.empty() || chunks_.back().size() + bytes > most) chunks_.emplace_back();
  return &chunks_.back();
}

void PipelineCall::AddLocked(uint64_t id, bool more, int field, std::string_view content) {
  if (finished_ || gone_) return;
  std::string* const chunk = ChunkLocked(AnswerBytes(content.size()));
  const size_t before = chunk->size();
  AppendAnswer(id, more, field, content, chunk);
  UnsentLocked(static_cast<int64_t>(chunk->size() - before));
}

void PipelineCall::EndWaitingLocked(Item* item, const absl::Status& why, Cancelled* cancelled) {
  item->state = State::kRunning;
  item->ending = why;
  cancelled->waiting.push_back(item);
}

void PipelineCall::CancelLocked(Item* item, const absl::Status& why, Cancelled* cancelled) {
  item->cancellation.Cancel(why);
  switch (item->state) {
    case State::kWaiting: EndWaitingLocked(item, why, cancelled); break;
    case State::kDescribing: cancelled->describing.push_back(item->describing); break;
    case State::kHeld: TakeHeldLocked(item, why, cancelled); break;
    case State::kStarting:
    case State::kRunning:
    case State::kAbandoned: break;  // the run looks at its cancellation
  }
}

void PipelineCall::TakeHeldLocked(Item* item, const absl::Status& why, Cancelled* cancelled) {
  std::erase(item->statement->held, item);
  item->state = State::kStarting;
  item->ending = why;
  cancelled->held.push_back(item);
}

void PipelineCall::CancelAllLocked(const absl::Status& why, Cancelled* cancelled) {
  for (const auto& [id, item] : items_) {
    // What waits for its statement has its turn when that is cancelled.
    if (item->state == State::kHeld) {
      item->cancellation.Cancel(why);
    } else {
      CancelLocked(item, why, cancelled);
    }
  }
}

void PipelineCall::Follow(const Cancelled& cancelled, const absl::Status& why) {
  for (Item* item : cancelled.waiting) item->fetch.Enqueue(*item->run.database);
  for (Item* item : cancelled.held) {
    const absl::Status ending = item->ending;
    AnswerError(item, ending);
  }
  for (const auto& describing : cancelled.describing) describing->Cancel(why);
}

// Takes no further calls, and ends the stream with `status` once all are answered.
void PipelineCall::Stop(const absl::Status& status) {
  const absl::Status why =
      status.ok() ? MakeError(Reason::kCancelled, "the client has closed its side") : status;
  Cancelled cancelled;
  std::unique_lock lock(mutex_);
  if (end_.ok()) end_ = status;
  if (!std::exchange(stopping_, true) && !reading_ended_ && !gone_ && !finished_) {
    v1::PipelineResponse message;
    message.set_draining(true);
    const std::string bytes = message.SerializeAsString();
    ChunkLocked(bytes.size())->append(bytes);
    UnsentLocked(static_cast<int64_t>(bytes.size()));
  }
  if (reading_ended_) {
    // Nobody asks for their next parts any more.
    for (const auto& [id, item] : items_) {
      if (item->state == State::kWaiting) EndWaitingLocked(item, why, &cancelled);
    }
  }
  Flush(lock);
  Follow(cancelled, why);
}

// Lets what has gathered be written, now or at the end of the batch. Unlocks.
void PipelineCall::Flush(std::unique_lock<std::mutex>& lock) {
  BatchEnds* const ends = BatchEnds::Current();
  // A message that is full does not wait.
  if (ends == nullptr || (!writing_ && chunks_.size() > 1)) return WriteOn(lock);
  lock.unlock();
  if (ends->Defer(this)) Ref();
}

void PipelineCall::OnBatchEnd() {
  {
    std::unique_lock lock(mutex_);
    WriteOn(lock);
  }
  Unref();
}

// Writes the next message, or ends the stream, if nothing is being written. Unlocks.
void PipelineCall::WriteOn(std::unique_lock<std::mutex>& lock) {
  if (writing_ || finished_) return lock.unlock();
  const bool answered = items_.empty() && chunks_.empty();
  if (gone_ || (stopping_ && answered)) {
    finished_ = true;
    const absl::Status end = gone_ ? GoneStatus() : end_;
    lock.unlock();
    return Finish(end);
  }
  if (chunks_.empty()) return lock.unlock();
  writing_ = true;
  std::string message = std::move(chunks_.front());
  chunks_.pop_front();
  writing_bytes_ = message.size();
  lock.unlock();
  if (!Write(std::move(message)).ok()) OnWritten(false);
}

void PipelineCall::OnWritten(bool ok) {
  std::unique_lock lock(mutex_);
  writing_ = false;
  ++written_;
  UnsentLocked(-static_cast<int64_t>(std::exchange(writing_bytes_, 0)));
  if (!ok) gone_ = true;
  const bool read = read_paused_ && unsent_bytes_ < max_bytes();
  if (read) read_paused_ = false;
  WriteOn(lock);
  if (read) StartRead();
}

void PipelineCall::OnCancelled() {
  const absl::Status why = cancellation_.status();
  Cancelled cancelled;
  std::unique_lock lock(mutex_);
  gone_ = true;
  chunks_.clear();
  CancelAllLocked(why, &cancelled);
  WriteOn(lock);
  Follow(cancelled, why);
}

void PipelineCall::Drain(bool now) {
  Stop(absl::OkStatus());
  if (!now) return;
  const absl::Status why = DrainingStatus();
  Cancelled cancelled;
  {
    std::lock_guard lock(mutex_);
    CancelAllLocked(why, &cancelled);
  }
  Follow(cancelled, why);
}

void PipelineCall::Tick(TimePoint now) {
  CheckStall(now);
  if (IdleTooLong(now)) Stop(IdleStatus());
  if (now < next_look_) return;
  next_look_ = now + kLookEvery;
  const Milliseconds stall = context_.config->server.stall_timeout;
  std::vector<std::pair<Item*, absl::Status>> over;
  Cancelled cancelled;
  std::unique_lock lock(mutex_);
  for (auto it = items_.begin(); it != items_.end();) {
    Item* const item = (it++)->second;
    const driver::Deadline& deadline = item->run.deadline;
    switch (item->state) {
      case State::kWaiting:
        // The time begins when the client has the part before.
        if (item->sent_with > written_) item->waits_since = now;
        if (deadline.passed(now)) {
          EndWaitingLocked(item, deadline.Error(), &cancelled);
        } else if (now - item->waits_since >= stall) {
          EndWaitingLocked(item, driver::Deadline{.reason = Reason::kStallTimeout}.Error(),
                           &cancelled);
        }
        break;
      case State::kRunning: {
        absl::Status late = item->run.Check(now);
        if (late.ok()) break;
        item->state = State::kAbandoned;
        over.emplace_back(item, std::move(late));
        break;
      }
      case State::kHeld:
        if (deadline.passed(now)) TakeHeldLocked(item, deadline.Error(), &cancelled);
        break;
      default: break;
    }
  }
  for (const auto& [item, late] : over) {
    CountRequest(item->rpc, item->run.database, late);
    item->quota.Release();
    AddLocked(item->id, /*more=*/false, Answer::kErrorFieldNumber, ErrorContent(late));
    items_.erase(item->id);
    if (items_.empty()) SetIdle(true);
    context_.metrics->pipeline_calls.Add(-1);
    HoldLocked(-static_cast<int64_t>(item->bytes));
  }
  WriteOn(lock);
  Follow(cancelled, absl::OkStatus());
}

}  // namespace

void WaitForPipeline(const RpcContext& context, const CallSource& source) {
  new PipelineCall(context, source);  // owns itself
}

}  // namespace penstock::server
