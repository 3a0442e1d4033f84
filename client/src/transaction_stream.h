// The stream of one transaction, step by step.
#ifndef PENSTOCK_CLIENT_SRC_TRANSACTION_STREAM_H_
#define PENSTOCK_CLIENT_SRC_TRANSACTION_STREAM_H_

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/src/channel.h"
#include "client/src/streamed_rows.h"
#include "client/src/transaction_link.h"
#include "penstock/internal/v1/database.pb.h"

namespace penstock::internal {

// Shared by a transaction, its statements and its rows; used by one thread at a
// time, as they are.
class TransactionStream : public std::enable_shared_from_this<TransactionStream> {
 public:
  explicit TransactionStream(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}
  // Rolled back, without waiting for it, if it is open.
  ~TransactionStream() = default;

  // Of a code step: the transaction is open, and whoever has opened it ends it.
  TransactionStream(std::shared_ptr<Channel> channel, std::unique_ptr<TransactionLink> link)
      : channel_(std::move(channel)), stream_(std::move(link)), lent_(true) {}

  // Opens the transaction.
  absl::Status Begin(const Context& ctx, const v1::TransactionRequest& begin);

  // Does a step that has one answer, which is of the kind `expected`.
  absl::StatusOr<v1::TransactionResponse> Step(const Context& ctx,
                                               const v1::TransactionRequest& request,
                                               v1::TransactionResponse::AnswerCase expected);

  // Does a step that has a result. Until the result has been read to its end,
  // no other step can be done.
  absl::StatusOr<std::unique_ptr<ResultSource>> Query(const Context& ctx,
                                                      const v1::TransactionRequest& request);

  // Ends it with the answer `expected`; no later step can be done.
  absl::Status End(const Context& ctx, const v1::TransactionRequest& request,
                   v1::TransactionResponse::AnswerCase expected);

  // Of a code step: no later step can be done; what is left of a result is received
  // and dropped. OK if the stream is ready for what comes next.
  absl::Status GiveBack();

  // Of a code step: no later step can be done, and nothing is received.
  void Detach();

  // Rolls back if it is open, and waits for that for a moment. (A code step's goes on.)
  void Abandon();

  bool open() const { return ended_.ok(); }
  const std::shared_ptr<Channel>& channel() const { return channel_; }
  // Every later step ends with `ctx`, too.
  void Bind(const Context& ctx);

  // Rows are open.
  bool busy() const { return busy_; }

 private:
  class Source;

  absl::Status Check(const Context& ctx, const v1::TransactionRequest& request) const;
  // `*again`: see Settle.
  absl::Status TryBegin(const Context& ctx, const Connection& connection,
                        const v1::TransactionRequest& begin, Again* again);
  // The next answer, or the failure that it is.
  absl::StatusOr<v1::TransactionResponse> Receive(v1::TransactionResponse::AnswerCase expected);
  // The stream has broken; returns why.
  absl::Status Broken();
  absl::Status Finish(absl::Status why);

  const std::shared_ptr<Channel> channel_;
  std::unique_ptr<TransactionLink> stream_;
  const bool lent_ = false;
  // Rows are open, and all of them have been received.
  bool busy_ = false;
  bool result_ended_ = false;
  // Not OK: what every step fails with from now on.
  absl::Status ended_;
};

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_TRANSACTION_STREAM_H_
