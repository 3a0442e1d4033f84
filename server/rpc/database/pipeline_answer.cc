// How a call within a Pipeline goes on and is answered.
#include <algorithm>
#include <utility>

#include "drivers/api/error.h"
#include "server/rpc/base/convert.h"
#include "server/rpc/database/pipeline_call.h"

namespace penstock::server {

using driver::MakeError;
using driver::MakeErrorWithHint;
using driver::Reason;
using Answer = v1::PipelineResponse::Answer;

namespace {

// An operation is kept with its item unless it has had so many bytes.
constexpr size_t kMostKept = size_t{64} << 10;

}  // namespace

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
  if (unsent_bytes_ > MostUnsent() && !finished_) {
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
  const size_t rows_bytes = item->operation->Held();
  HoldLocked(static_cast<int64_t>(rows_bytes) - static_cast<int64_t>(item->rows_bytes));
  item->bytes += rows_bytes - item->rows_bytes;
  item->rows_bytes = rows_bytes;
  if (std::exchange(item->finds, false)) --finding_;
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

}  // namespace penstock::server
