// The calls of a Provider that share Pipeline streams, and their answers.
#ifndef PENSTOCK_CLIENT_SRC_PIPES_H_
#define PENSTOCK_CLIENT_SRC_PIPES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/src/channel.h"
#include "client/src/pipe_call.h"
#include "client/src/pipe_loop.h"
#include "client/src/streamed_rows.h"
#include "penstock/async.h"
#include "penstock/context.h"
#include "penstock/internal/v1/database.pb.h"
#include "penstock/key_value.h"

namespace penstock::internal {

// A call whose answers are taken one by one. Each part is asked for when the one before has been
// taken, so that at most one is here in advance.
class PipeResult : public PipeCall {
 public:
  PipeResult(std::shared_ptr<PipeLoop> loop, const Context& ctx, PipeRequest request)
      : PipeCall(std::move(loop), ctx, std::move(request)) {}

  // Waits for the next answer; call it until `*more` is false or it fails. An `error` in the answer
  // is a failure. FAILED_PRECONDITION if it would block the loop's own thread. One thread at a
  // time.
  absl::Status Take(v1::PipelineResponse::Answer* answer, bool* more);
  // Returns true if Take would not wait. Otherwise calls `then` once, when it would not any more.
  bool Ready(absl::AnyInvocable<void(const std::shared_ptr<PipeCall>&)> then);
  bool Ready() const;
  // Gives up what has not been taken. Take must not be called any more.
  void Drop();
  // True after Take has failed because the call has to take another way; see PipeCall::OnEnd.
  bool lacking() const { return lacking_; }

 protected:
  void OnAnswer(std::string answer, bool more) override;
  void OnEnd(absl::Status status, bool lacking) override;

 private:
  struct Part {
    std::string answer;
    bool more = false;
  };

  // Tells whoever waits; `lock` is of mutex_, and released before.
  void Tell(std::unique_lock<std::mutex> lock);

  Parking parking_;
  mutable std::mutex mutex_;
  std::array<Part, 2> parts_;
  // The first of parts_ that has not been taken, and how many there are.
  size_t first_ = 0;
  size_t count_ = 0;
  bool ended_ = false;
  bool lacking_ = false;
  absl::Status end_;
  absl::AnyInvocable<void(const std::shared_ptr<PipeCall>&)> then_;
};

// The first answer to a call.
struct PipeFirst {
  std::shared_ptr<PipeResult> call = nullptr;
  v1::PipelineResponse::Answer answer = {};
  bool more = false;
};

class Pipes;

// Make Rows, Entries and the Result of an answer; what follows the first part is taken from the
// call as it is read. `pipes` may be null if there is no provider any more. `known` is explained at
// StreamedRows, the executor at AsyncSite.
absl::StatusOr<std::unique_ptr<Rows>> RowsOf(std::shared_ptr<Pipes> pipes, PipeFirst first,
                                             ColumnList known = nullptr,
                                             AsyncExecutor executor = nullptr);
absl::StatusOr<Result> ResultOf(std::shared_ptr<Pipes> pipes, PipeFirst first);
std::unique_ptr<Entries> EntriesOf(std::shared_ptr<Pipes> pipes, PipeFirst first,
                                   AsyncExecutor executor = nullptr);

// Completes when `call` has another part, with what `next` then returns; at once if `call` is null.
Async<bool> WhenAwaited(const AsyncSite& site, std::shared_ptr<PipeResult> call,
                        absl::AnyInvocable<absl::StatusOr<bool>()> next);

// Makes a request of a call that was filled in. Fails with RESOURCE_EXHAUSTED if it is larger than
// max_message_bytes.
absl::StatusOr<PipeRequest> MakePipeRequest(const Channel& channel, const Context& ctx, bool writes,
                                            v1::PipelineRequest::Call* call);

// Runs calls over Pipeline streams. Held by everything that a Provider makes; the last one ends the
// streams and the thread. Thread-safe.
class Pipes final : public std::enable_shared_from_this<Pipes> {
 public:
  explicit Pipes(std::shared_ptr<Channel> channel)
      : channel_(std::move(channel)), loop_(std::make_shared<PipeLoop>(channel_)) {}
  ~Pipes();

  Channel& channel() const { return *channel_; }
  const std::shared_ptr<PipeLoop>& loop() const { return loop_; }

  // Runs a call and waits for its first answer. Returns nullopt, and has done nothing, if the call
  // has to have a stream of its own: it is large, or the daemon does not know Pipeline.
  std::optional<absl::StatusOr<PipeFirst>> TryRun(const Context& ctx, bool writes,
                                                  v1::PipelineRequest::Call* call);
  // Does the same for a call of a prepared statement.
  std::optional<absl::StatusOr<PipeFirst>> TryRun(const Context& ctx, PipeRequest request);

  // Makes an asynchronous call. `decode(pipes, first, executor)` makes an AsyncResult<T> of the
  // first answer; `pipes` is null if these are gone. A `request` that is an error is the result.
  template <typename T, typename Decode>
  Async<T> RunAsync(const Context& ctx, absl::StatusOr<PipeRequest> request, Decode decode);
  // Makes an asynchronous call that has failed already.
  template <typename T>
  Async<T> FailAsync(absl::Status status);

 private:
  bool Carries(size_t bytes) const;

  const std::shared_ptr<Channel> channel_;
  const std::shared_ptr<PipeLoop> loop_;
};

// An asynchronous call whose outcome is known.
template <typename T>
class KnownCall final : public AsyncCall<T>, public std::enable_shared_from_this<KnownCall<T>> {
 public:
  // Completes in the loop's thread.
  KnownCall(std::shared_ptr<PipeLoop> loop, AsyncResult<T> result)
      : loop_(std::move(loop)), result_(std::move(result)) {}

  AsyncResult<T> Take() override { return std::move(result_); }

 protected:
  void Begin() override {
    loop_->Post([self = this->shared_from_this()] { AsyncOperation::Complete(self); });
  }
  void Cancel() override {}

 private:
  const std::shared_ptr<PipeLoop> loop_;
  AsyncResult<T> result_;
};

// An asynchronous call over a Pipeline stream.
template <typename T, typename Decode>
class PipedCall final : public AsyncCall<T>, public PipeResult {
 public:
  PipedCall(const std::shared_ptr<Pipes>& pipes, std::shared_ptr<PipeLoop> loop, const Context& ctx,
            PipeRequest request, Decode decode)
      : PipeResult(std::move(loop), ctx, std::move(request)),
        pipes_(pipes),
        decode_(std::move(decode)) {}

  AsyncResult<T> Take() override {
    PipeFirst first;
    if (!refused_.ok()) return refused_;
    absl::Status status = PipeResult::Take(&first.answer, &first.more);
    if (!status.ok()) return status;
    first.call = Self();
    return decode_(pipes_.lock(), std::move(first), this->executor());
  }

 protected:
  void Begin() override {
    refused_ = loop_->Check(ctx(), request().queries);
    if (!refused_.ok()) {
      loop_->Post([self = Self()] { AsyncOperation::Complete(self); });
      return;
    }
    PipeResult::Ready([](const std::shared_ptr<PipeCall>& self) {
      AsyncOperation::Complete(std::static_pointer_cast<PipedCall>(self));
    });
    loop_->Submit(Self());
  }
  void Cancel() override { PipeResult::Drop(); }

 private:
  std::shared_ptr<PipedCall> Self() {
    return std::static_pointer_cast<PipedCall>(PipeCall::shared_from_this());
  }

  const std::weak_ptr<Pipes> pipes_;
  Decode decode_;
  absl::Status refused_;
};

template <typename T, typename Decode>
Async<T> Pipes::RunAsync(const Context& ctx, absl::StatusOr<PipeRequest> request, Decode decode) {
  if (!request.ok()) return FailAsync<T>(request.status());
  return Async<T>(std::make_shared<PipedCall<T, Decode>>(shared_from_this(), loop_, ctx,
                                                         *std::move(request), std::move(decode)));
}

template <typename T>
Async<T> Pipes::FailAsync(absl::Status status) {
  return Async<T>(std::make_shared<KnownCall<T>>(loop_, std::move(status)));
}

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_PIPES_H_
