#include "client/src/pipes.h"

#include <optional>

#include "client/src/convert.h"
#include "client/src/format.h"
#include "client/src/part_entries.h"
#include "client/src/pipe_wire.h"
#include "client/src/status.h"

namespace penstock::internal {
namespace {

absl::Status WouldBlock() {
  return Refusal(absl::StatusCode::kFailedPrecondition,
                 "a call that blocks was made in the Provider's own thread, which completes "
                 "asynchronous calls",
                 "WRONG_STATE", "give these an executor, or use NextAsync for rows and entries");
}

class PartCall final : public AsyncCall<bool>, public std::enable_shared_from_this<PartCall> {
 public:
  PartCall(std::shared_ptr<PipeLoop> loop, std::shared_ptr<PipeResult> call,
           absl::AnyInvocable<absl::StatusOr<bool>()> next)
      : loop_(std::move(loop)), call_(std::move(call)), next_(std::move(next)) {}

  bool ready() const override { return call_ == nullptr || call_->Ready(); }
  absl::StatusOr<bool> Take() override { return next_(); }

 protected:
  void Begin() override {
    const auto complete = [self = shared_from_this()](auto&&...) { Complete(self); };
    if (call_ != nullptr && !call_->Ready(complete)) return;
    if (loop_ == nullptr) return RunInNewThread(complete);
    loop_->Post(complete);
  }
  void Cancel() override {}

 private:
  const std::shared_ptr<PipeLoop> loop_;
  const std::shared_ptr<PipeResult> call_;
  absl::AnyInvocable<absl::StatusOr<bool>()> next_;
};

// What the sources of rows and entries have in common.
class PipeSource {
 public:
  PipeSource(std::shared_ptr<Pipes> pipes, PipeFirst first)
      : pipes_(std::move(pipes)), first_(std::move(first)), more_(first_.more) {}
  ~PipeSource() {
    if (more_) first_.call->Drop();
  }
  PipeSource(const PipeSource&) = delete;
  PipeSource& operator=(const PipeSource&) = delete;

  bool more() const { return unread_ || more_; }
  bool ready() const { return unread_ || !more_ || first_.call->Ready(); }

  // Waits for the next part. Must not be called if there is none.
  absl::StatusOr<v1::PipelineResponse::Answer*> Read() {
    if (std::exchange(unread_, false)) return &first_.answer;
    first_.answer.Clear();
    absl::Status status = first_.call->Take(&first_.answer, &more_);
    if (!status.ok()) more_ = false;
    if (!status.ok()) return status;
    return &first_.answer;
  }

  const std::shared_ptr<PipeResult>& call() const { return first_.call; }

 private:
  // Keeps the streams.
  const std::shared_ptr<Pipes> pipes_;
  PipeFirst first_;
  // Further parts come.
  bool more_;
  // The first part was not read yet.
  bool unread_ = true;
};

class PipeRowsSource final : public ResultSource {
 public:
  PipeRowsSource(std::shared_ptr<Pipes> pipes, PipeFirst first)
      : source_(std::move(pipes), std::move(first)) {}

  absl::Status Read(v1::QueryResponse* part) override {
    if (!source_.more()) return ProtocolError("a result without a summary");
    absl::StatusOr<v1::PipelineResponse::Answer*> answer = source_.Read();
    if (!answer.ok()) return answer.status();
    if (!(*answer)->has_result()) return ProtocolError("neither a result nor an error");
    part->Swap((*answer)->mutable_result());
    return absl::OkStatus();
  }

  std::shared_ptr<PipeResult> Awaited() const override {
    return source_.ready() ? nullptr : source_.call();
  }

 private:
  PipeSource source_;
};

// The entries of a scan.
class PipeEntries final : public PartEntries {
 public:
  PipeEntries(std::shared_ptr<Pipes> pipes, PipeFirst first, AsyncSite site)
      : source_(std::in_place, std::move(pipes), std::move(first)), site_(std::move(site)) {}

  Async<bool> NextAsync() override {
    const bool waits = source_.has_value() && exhausted() && !source_->ready();
    return WhenAwaited(site_, waits ? source_->call() : nullptr, [this]() -> absl::StatusOr<bool> {
      if (Next()) return true;
      if (!Err().ok()) return Err();
      return false;
    });
  }

 private:
  bool ReadPart() override {
    if (!source_.has_value()) return false;
    if (source_->more()) {
      absl::StatusOr<v1::PipelineResponse::Answer*> answer = source_->Read();
      if (answer.ok()) {
        Take((*answer)->mutable_scanned());
        return true;
      }
      Fail(answer.status());
    }
    source_.reset();
    return false;
  }
  bool is_open() const override { return source_.has_value(); }
  void End() override { source_.reset(); }

  // Null once the scan has ended.
  std::optional<PipeSource> source_;
  const AsyncSite site_;
};

AsyncSite SiteOf(const std::shared_ptr<Pipes>& pipes, AsyncExecutor executor) {
  return {.loop = pipes != nullptr ? pipes->loop() : nullptr, .executor = std::move(executor)};
}

}  // namespace

void PipeResult::OnAnswer(std::string answer, bool more) {
  std::unique_lock lock(mutex_);
  // The daemon sends no part that was not asked for; one that it sends all the same makes an answer
  // that is not whole.
  if (count_ == parts_.size()) {
    end_ = ProtocolError("a part of an answer that nobody has asked for");
    ended_ = true;
  } else {
    parts_[(first_ + count_++) % parts_.size()] = {std::move(answer), more};
  }
  Tell(std::move(lock));
}

void PipeResult::OnEnd(absl::Status status, bool lacking) {
  std::unique_lock lock(mutex_);
  end_ = std::move(status);
  ended_ = true;
  lacking_ = lacking;
  Tell(std::move(lock));
}

void PipeResult::Tell(std::unique_lock<std::mutex> lock) {
  auto then = std::exchange(then_, nullptr);
  lock.unlock();
  parking_.Wake();
  if (then != nullptr) then(shared_from_this());
}

bool PipeResult::Ready() const {
  const std::lock_guard lock(mutex_);
  return count_ > 0 || ended_;
}

bool PipeResult::Ready(absl::AnyInvocable<void(const std::shared_ptr<PipeCall>&)> then) {
  const std::lock_guard lock(mutex_);
  if (count_ > 0 || ended_) return true;
  then_ = std::move(then);
  return false;
}

absl::Status PipeResult::Take(v1::PipelineResponse::Answer* answer, bool* more) {
  Part part;
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (count_ > 0) {
        part = std::move(parts_[first_]);
        first_ = (first_ + 1) % parts_.size();
        --count_;
        break;
      }
      if (ended_) return end_;
    }
    if (loop_->IsOwnThread()) return WouldBlock();
    loop_->Wait(&parking_);
  }
  *more = part.more;
  if (!answer->ParseFromString(part.answer)) return ProtocolError("an answer does not parse");
  if (answer->has_error()) return ToStatus(answer->error());
  if (part.more) loop_->Next(this);
  return absl::OkStatus();
}

void PipeResult::Drop() {
  loop_->Drop(this);
  std::unique_lock lock(mutex_);
  const auto then = std::exchange(then_, nullptr);
  lock.unlock();
}

absl::StatusOr<std::unique_ptr<Rows>> RowsOf(std::shared_ptr<Pipes> pipes, PipeFirst first,
                                             ColumnList known, AsyncExecutor executor) {
  AsyncSite site = SiteOf(pipes, std::move(executor));
  return StreamedRows::Open(std::make_unique<PipeRowsSource>(std::move(pipes), std::move(first)),
                            std::move(known), std::move(site));
}

absl::StatusOr<Result> ResultOf(std::shared_ptr<Pipes> pipes, PipeFirst first) {
  PipeRowsSource source(std::move(pipes), std::move(first));
  return DropRows(&source);
}

std::unique_ptr<Entries> EntriesOf(std::shared_ptr<Pipes> pipes, PipeFirst first,
                                   AsyncExecutor executor) {
  AsyncSite site = SiteOf(pipes, std::move(executor));
  return std::make_unique<PipeEntries>(std::move(pipes), std::move(first), std::move(site));
}

Async<bool> WhenAwaited(const AsyncSite& site, std::shared_ptr<PipeResult> call,
                        absl::AnyInvocable<absl::StatusOr<bool>()> next) {
  return Async<bool>(std::make_shared<PartCall>(site.loop, std::move(call), std::move(next)))
      .On(site.executor);
}

absl::StatusOr<PipeRequest> MakePipeRequest(const Channel& channel, const Context& ctx, bool writes,
                                            v1::PipelineRequest::Call* call) {
  if (!ctx.trace_parent().empty()) call->set_trace_parent(ctx.trace_parent());
  PipeRequest request{.bytes = call->SerializeAsString(), .writes = writes};
  const size_t size = request.bytes.size() + kPipeFrameBytes;
  const size_t most = channel.config.max_message_bytes;
  if (size <= most) return request;
  return MessageTooLarge(
      Format("the request has {} bytes, more than max_message_bytes ({})", size, most));
}

Pipes::~Pipes() {
  if (channel_->forked()) {
    // Not destroyed: see Channel::forked.
    new std::shared_ptr<PipeLoop>(loop_);
    return;
  }
  loop_->End();
}

bool Pipes::Carries(size_t bytes) const {
  return bytes <= PipeLoop::kLarge && !channel_->LacksPipeline();
}

std::optional<absl::StatusOr<PipeFirst>> Pipes::TryRun(const Context& ctx, bool writes,
                                                       v1::PipelineRequest::Call* call) {
  if (!Carries(call->ByteSizeLong())) return std::nullopt;
  absl::StatusOr<PipeRequest> request = MakePipeRequest(*channel_, ctx, writes, call);
  if (!request.ok()) return request.status();
  return TryRun(ctx, *std::move(request));
}

std::optional<absl::StatusOr<PipeFirst>> Pipes::TryRun(const Context& ctx, PipeRequest request) {
  if (!Carries(PipeLoop::SizeOf(request))) return std::nullopt;
  if (loop_->IsOwnThread()) return WouldBlock();
  PipeFirst first;
  first.call = std::make_shared<PipeResult>(loop_, ctx, std::move(request));
  loop_->SubmitBlocking(first.call);
  absl::Status status = first.call->Take(&first.answer, &first.more);
  if (first.call->lacking()) return std::nullopt;
  if (!status.ok()) return status;
  return first;
}

}  // namespace penstock::internal
