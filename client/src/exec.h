// Runs statements outside of transactions, over Exec streams that are kept and reused.
#ifndef PENSTOCK_CLIENT_SRC_EXEC_H_
#define PENSTOCK_CLIENT_SRC_EXEC_H_

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/src/channel.h"
#include "client/src/stream.h"
#include "client/src/stream_pool.h"
#include "penstock/internal/v1/database.pb.h"
#include "penstock/rows.h"

namespace penstock::internal {

// Runs statements, each as a transaction of its own. Thread-safe.
class ExecRunner {
 public:
  ExecRunner(std::shared_ptr<Channel> channel, std::shared_ptr<IdleStreams> idle)
      : channel_(std::move(channel)), pool_(std::move(idle)) {}

  // Completes `request`, which has a statement and its arguments, and runs it.
  absl::StatusOr<Result> Run(const Context& ctx, v1::ExecRequest* request);

  // Runs all requests, sending them without waiting for answers, and sets their outcomes. A request
  // whose outcome is already an error is skipped.
  void RunAll(const Context& ctx, std::vector<v1::ExecRequest>* requests,
              std::vector<absl::StatusOr<Result>>* outcomes);

  // Does the same, but runs no request behind the first one that fails.
  void RunUntilFailure(const Context& ctx, std::vector<v1::ExecRequest>* requests,
                       std::vector<absl::StatusOr<Result>>* outcomes);

  // Ends idle streams.
  void Close() { pool_.Close(); }

 private:
  using ExecStream = Stream<v1::ExecRequest, v1::ExecResponse>;

  using Outcomes = std::vector<absl::StatusOr<Result>>;
  // The indices of the requests that are still to be run, in order.
  using Left = std::vector<size_t>;

  // Returns null if no stream can be reused.
  std::unique_ptr<ExecStream> Reuse(const Context& ctx);
  std::unique_ptr<ExecStream> Open(const Context& ctx, const Connection& connection);
  // Runs one request on `stream`. `*again` is explained at Settle.
  absl::StatusOr<Result> RunOn(const Context& ctx, std::unique_ptr<ExecStream> stream,
                               v1::ExecRequest* request, Again* again);
  // Runs the requests of `*left` on `stream`. Leaves those in `*left` that are to be run again, and
  // returns how. `keep` says whether the stream may be reused afterwards.
  enum class Keep { kNo, kYes };
  Again RunAllOn(const Context& ctx, std::unique_ptr<ExecStream> stream, Keep keep,
                 std::vector<v1::ExecRequest>* requests, Outcomes* outcomes, Left* left);
  // Does the same for RunUntilFailure.
  Again RunInOrderOn(const Context& ctx, const Connection& connection,
                     std::vector<v1::ExecRequest>* requests, Outcomes* outcomes, Left* left);
  // Returns why a stream ended without an answer. Never OK.
  static absl::Status EndOf(ExecStream* stream);
  // Returns the outcome of a request that the stream's end has left without an answer. `left` means
  // that it has certainly left this process, because another request was sent after it.
  static absl::Status Lost(ExecStream* stream, bool left, Again* again);
  void Release(const Context& ctx, std::unique_ptr<ExecStream> stream);
  absl::Status Complete(const Context& ctx, v1::ExecRequest* request) const;

  const std::shared_ptr<Channel> channel_;
  StreamPool<ExecStream> pool_;
};

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_EXEC_H_
