// The stream of a Pipeline: its messages, its limits and its end.
#include "server/rpc/database/pipeline_call.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "server/rpc/base/convert.h"
#include "server/rpc/base/wire_bounds.h"

namespace penstock::server {

using driver::MakeError;
using driver::MakeErrorWithHint;
using driver::Reason;
using Answer = v1::PipelineResponse::Answer;
using Content = v1::PipelineRequest::Call::CallCase;

namespace {

// A message ends once it has so much; the rest goes with the next one.
constexpr size_t kMessageBytes = size_t{256} << 10;
// So many items are kept for further calls.
constexpr size_t kMostFree = 1024;
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

}  // namespace

uint64_t PipelineCall::NextNumber() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

void PipelineCall::OnStart() {
  SetIdle(true);
  CallerName();  // from now on several threads may ask
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
  const std::string_view message(reinterpret_cast<const char*>(bytes.begin()), bytes.size());
  absl::Status taken = CheckMessage(message);
  PipelineReader calls(message);
  for (auto part = calls.Read(); taken.ok() && part != PipelineReader::Part::kEnd;
       part = calls.Read()) {
    if (part == PipelineReader::Part::kCall) taken = TakeCall(calls.call());
  }
  groups_.Submit();
  if (!taken.ok()) {
    {
      std::lock_guard lock(mutex_);
      reading_ended_ = true;
    }
    return Stop(taken);
  }
  PipelineReader numbers(message);
  for (auto part = numbers.Read(); part != PipelineReader::Part::kEnd; part = numbers.Read()) {
    if (part == PipelineReader::Part::kNext) Next(numbers.id());
    if (part == PipelineReader::Part::kCancel) CancelOne(numbers.id());
  }
  ReadOn();
}

// Looks through the message before anything of it is taken. An error ends the stream.
absl::Status PipelineCall::CheckMessage(std::string_view message) {
  using Part = PipelineReader::Part;
  size_t calls = 0;
  size_t next = 0;
  size_t cancel = 0;
  PipelineReader reader(message);
  for (Part part = reader.Read(); part != Part::kEnd; part = reader.Read()) {
    switch (part) {
      case Part::kCall: ++calls; break;
      case Part::kNext: ++next; break;
      case Part::kCancel: ++cancel; break;
      default:
        return MakeErrorWithHint(Reason::kProtocol,
                                 "the request is not a valid message of its type",
                                 "check the version of the .proto files");
    }
  }
  if (calls > 0) context_.metrics->pipeline_message_calls.Observe(static_cast<double>(calls));
  if (std::max(next, cancel) <= 2 * max_calls()) return absl::OkStatus();
  return MakeErrorWithHint(
      Reason::kProtocol,
      fmt::format("a message has {} numbers in `next` or `cancel`; there are at most {} calls",
                  std::max(next, cancel), max_calls()),
      "name each call once");
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
    if (item == nullptr && unsent_bytes_ > MostUnsent()) {
      return MakeErrorWithHint(Reason::kLimitExceeded,
                               "the client sends calls that are refused faster than it reads so",
                               "wait for answers before you send more; the first message tells the "
                               "limits");
    }
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
bool PipelineCall::HasRoomLocked(size_t bytes) const {
  if (items_.size() >= max_calls()) return false;
  // One that is alone always has room.
  return items_.empty() || held_bytes_ + unsent_bytes_ + bytes <= max_bytes();
}

// What all calls that run may find at first has room together with what the client has not taken.
// So nothing that is small is lost or comes by parts, however much is under way.
bool PipelineCall::MayFindLocked() const {
  const size_t most = max_bytes() / 2;
  return finding_ == 0 ? unsent_bytes_ <= most
                       : unsent_bytes_ + finding_ * answer_limits().first_batch <= most;
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
  item->rows_bytes = 0;
  item->run.cancellation = &item->cancellation;
  item->run.stream = number_;
  if (items_.empty()) SetIdle(false);
  items_.emplace(head.id, item);
  context_.metrics->pipeline_calls.Add(1);
  HoldLocked(static_cast<int64_t>(bytes));
  return item;
}

void PipelineCall::LeaveLocked(Item* item) {
  items_.erase(item->id);
  if (std::exchange(item->finds, false)) --finding_;
  if (items_.empty()) SetIdle(true);
  context_.metrics->pipeline_calls.Add(-1);
  HoldLocked(-static_cast<int64_t>(item->bytes));
}

void PipelineCall::RemoveLocked(Item* item) {
  LeaveLocked(item);
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
    case State::kHeld:
    case State::kQueued: TakeOutLocked(item, why, cancelled); break;
    case State::kStarting:
    case State::kRunning:
    case State::kAbandoned: break;  // the run looks at its cancellation
  }
}

void PipelineCall::TakeOutLocked(Item* item, const absl::Status& why, Cancelled* cancelled) {
  if (item->state == State::kHeld) {
    std::erase(item->statement->held, item);
  } else {
    std::erase(queued_, item);
    item->finds = false;
  }
  item->state = State::kStarting;
  item->ending = why;
  cancelled->not_begun.push_back(item);
}

void PipelineCall::CancelAllLocked(const absl::Status& why, Cancelled* cancelled) {
  for (Item* item : std::exchange(queued_, {})) {
    item->state = State::kStarting;
    item->finds = false;
    item->ending = why;
    cancelled->not_begun.push_back(item);
  }
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
  for (Item* item : cancelled.not_begun) {
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
  if (ends == nullptr) {
    WriteOn(lock);
    return SubmitQueued();
  }
  // A message that is full does not wait.
  if (!writing_ && chunks_.size() > 1) {
    WriteOn(lock);
  } else {
    lock.unlock();
  }
  if (ends->Defer(this)) Ref();
}

void PipelineCall::OnBatchEnd() {
  {
    std::unique_lock lock(mutex_);
    WriteOn(lock);
  }
  SubmitQueued();
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
  SubmitQueued();
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
  int stalled = 0;
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
          ++stalled;
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
      case State::kQueued:
        if (deadline.passed(now)) TakeOutLocked(item, deadline.Error(), &cancelled);
        break;
      default: break;
    }
  }
  for (const auto& [item, late] : over) {
    CountRequest(item->rpc, item->run.database, late);
    item->quota.Release();
    AddLocked(item->id, /*more=*/false, Answer::kErrorFieldNumber, ErrorContent(late));
    LeaveLocked(item);
  }
  WriteOn(lock);
  for (; stalled > 0; --stalled) NoteStall(stall);
  SubmitQueued();
  Follow(cancelled, absl::OkStatus());
}

void WaitForPipeline(const RpcContext& context, const CallSource& source) {
  new PipelineCall(context, source);  // owns itself
}

}  // namespace penstock::server
