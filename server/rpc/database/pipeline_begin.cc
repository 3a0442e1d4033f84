// What a call within a Pipeline begins with.
#include <algorithm>
#include <memory>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "server/rpc/base/convert.h"
#include "server/rpc/database/pipeline_call.h"
#include "server/rpc/key_value/operations.h"

namespace penstock::server {

using driver::MakeError;
using driver::MakeErrorWithHint;
using driver::Reason;
using Answer = v1::PipelineResponse::Answer;
using Content = v1::PipelineRequest::Call::CallCase;

namespace {

// What a prepared statement takes beside its text.
constexpr size_t kStatementBytes = 512;

}  // namespace

absl::Status PipelineCall::Begin(Item* item, PipelineGroups* groups) {
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
absl::Status PipelineCall::Begin(Item* item, const Request& request, int answer,
                                 PipelineGroups* groups) {
  item->answer = answer;
  absl::Status started = Use<OperationT>(item)->Start(*this, request, &item->run);
  if (!started.ok()) return started;
  const driver::KeyValueRun* keys = item->run.key_value;
  const bool writes = keys != nullptr && answer != Answer::kScannedFieldNumber && !keys->reads();
  Submit(item, writes, groups);
  return absl::OkStatus();
}

absl::Status PipelineCall::BeginExec(Item* item, PipelineGroups* groups) {
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

absl::Status PipelineCall::BeginRun(Item* item, PipelineGroups* groups) {
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

void PipelineCall::Submit(Item* item, bool writes, PipelineGroups* groups) {
  item->writes = writes;
  {
    std::lock_guard lock(mutex_);
    const int answer = item->answer;
    item->finds = answer == Answer::kResultFieldNumber || answer == Answer::kScannedFieldNumber ||
                  answer == Answer::kGotFieldNumber || answer == Answer::kBatchGotFieldNumber;
    if (item->finds && (!queued_.empty() || !MayFindLocked())) {
      item->state = State::kQueued;
      queued_.push_back(item);
      return;
    }
    if (item->finds) ++finding_;
    item->state = State::kRunning;
  }
  groups->Add(&item->run, writes);
}

// One thread at a time does so. One that comes meanwhile, perhaps because what was submitted is
// answered at once, leaves it to that one.
void PipelineCall::SubmitQueued() {
  PipelineGroups groups;
  for (bool first = true;; first = false) {
    std::vector<Item*> items;
    {
      std::lock_guard lock(mutex_);
      if (first && submitting_) return;
      while (!queued_.empty() && MayFindLocked()) {
        items.push_back(queued_.front());
        queued_.pop_front();
        items.back()->state = State::kRunning;
        ++finding_;
      }
      submitting_ = !items.empty();
      if (!submitting_) return;
    }
    for (Item* item : items) groups.Add(&item->run, item->writes);
    groups.Submit();
  }
}

absl::Status PipelineCall::BeginPrepare(Item* item) {
  const v1::PipelineRequest::Prepare& request = item->request.prepare();
  item->answer = Answer::kPreparedFieldNumber;
  const auto statement = std::make_shared<Statement>();
  absl::Status started = StartStatement(Rpc::kPrepare, request, &item->run);
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
      if (!started.ok()) return started;
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
  PipelineGroups groups;
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

}  // namespace penstock::server
