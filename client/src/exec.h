// Autocommit statements over Exec streams that are kept for the next one.
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

// Thread-safe.
class ExecRunner {
 public:
  ExecRunner(std::shared_ptr<Channel> channel, std::shared_ptr<IdleStreams> idle)
      : channel_(std::move(channel)), pool_(std::move(idle)) {}

  // Completes `request`, which has a statement and its arguments, and runs it.
  absl::StatusOr<Result> Run(const Context& ctx, v1::ExecRequest* request);

  // Runs all of them, sending without waiting for answers. The outcome of one that
  // is not OK already becomes what came of it.
  void RunAll(const Context& ctx, std::vector<v1::ExecRequest>* requests,
              std::vector<absl::StatusOr<Result>>* outcomes);

  // The same, but nothing behind the first one that fails is run.
  void RunUntilFailure(const Context& ctx, std::vector<v1::ExecRequest>* requests,
                       std::vector<absl::StatusOr<Result>>* outcomes);

  // Ends idle streams.
  void Close() { pool_.Close(); }

 private:
  using ExecStream = Stream<v1::ExecRequest, v1::ExecResponse>;

  using Outcomes = std::vector<absl::StatusOr<Result>>;
  // What is left to be done of RunAll: indices of requests, in order.
  using Left = std::vector<size_t>;

  // Null if there is none to be used again.
  std::unique_ptr<ExecStream> Reuse(const Context& ctx);
  std::unique_ptr<ExecStream> Open(const Context& ctx, const Connection& connection);
  // Runs one on `stream`. `*again`: see Settle.
  absl::StatusOr<Result> RunOn(const Context& ctx, std::unique_ptr<ExecStream> stream,
                               v1::ExecRequest* request, Again* again);
  // Runs what is left on `stream`. What is to be run again is left, and how is returned.
  // `keep`: the stream may be used again afterwards.
  enum class Keep { kNo, kYes };
  Again RunAllOn(const Context& ctx, std::unique_ptr<ExecStream> stream, Keep keep,
                 std::vector<v1::ExecRequest>* requests, Outcomes* outcomes, Left* left);
  // The same for RunUntilFailure.
  Again RunInOrderOn(const Context& ctx, const Connection& connection,
                     std::vector<v1::ExecRequest>* requests, Outcomes* outcomes, Left* left);
  // Why a stream ended without an answer. Never OK.
  static absl::Status EndOf(ExecStream* stream);
  // What became of a request, the last that was handed to the stream or (`left`) one before
  // it, when the stream has ended without its answer.
  static absl::Status Lost(ExecStream* stream, bool left, Again* again);
  void Release(const Context& ctx, std::unique_ptr<ExecStream> stream);
  absl::Status Complete(const Context& ctx, v1::ExecRequest* request) const;

  const std::shared_ptr<Channel> channel_;
  StreamPool<ExecStream> pool_;
};

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_EXEC_H_
