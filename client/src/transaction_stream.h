// The steps of one transaction, over its stream.
#ifndef PENSTOCK_CLIENT_SRC_TRANSACTION_STREAM_H_
#define PENSTOCK_CLIENT_SRC_TRANSACTION_STREAM_H_

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/src/channel.h"
#include "client/src/streamed_rows.h"
#include "client/src/transaction_link.h"
#include "penstock/internal/v1/database.pb.h"

namespace penstock::internal {

// Shared by a transaction, its statements and its rows, which one thread at a time uses.
class TransactionStream : public std::enable_shared_from_this<TransactionStream> {
 public:
  explicit TransactionStream(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}
  // Makes the daemon roll back an open transaction, without waiting for that.
  ~TransactionStream() = default;

  // For a code step of a migration: the transaction is open already, and the migration ends it.
  TransactionStream(std::shared_ptr<Channel> channel, std::unique_ptr<TransactionLink> link)
      : channel_(std::move(channel)), stream_(std::move(link)), lent_(true) {}

  // Opens the transaction.
  absl::Status Begin(const Context& ctx, const v1::TransactionRequest& begin);

  // Does a step that has one answer, which must be `expected`.
  absl::StatusOr<v1::TransactionResponse> Step(const Context& ctx,
                                               const v1::TransactionRequest& request,
                                               v1::TransactionResponse::AnswerCase expected);

  // Does a step that has a result. No other step is possible until the result has been read to its
  // end.
  absl::StatusOr<std::unique_ptr<ResultSource>> Query(const Context& ctx,
                                                      const v1::TransactionRequest& request);

  // Ends the transaction; the answer must be `expected`. No later step is possible.
  absl::Status End(const Context& ctx, const v1::TransactionRequest& request,
                   v1::TransactionResponse::AnswerCase expected);

  // For a code step: forbids later steps, and receives and drops the rest of an open result.
  // Returns OK if the migration can continue on the stream.
  absl::Status GiveBack();

  // For a code step: forbids later steps and receives nothing.
  void Detach();

  // Rolls an open transaction back and waits a moment for that. Does nothing in a code step.
  void Abandon();

  bool open() const { return ended_.ok(); }
  const std::shared_ptr<Channel>& channel() const { return channel_; }
  // Makes every later step end with `ctx`, too.
  void Bind(const Context& ctx);

  // True while rows are open.
  bool busy() const { return busy_; }

 private:
  class Source;

  absl::Status Check(const Context& ctx, const v1::TransactionRequest& request) const;
  // `*again` is explained at Settle.
  absl::Status TryBegin(const Context& ctx, const Connection& connection,
                        const v1::TransactionRequest& begin, Again* again);
  // Returns the next answer. Fails with the error that it carries.
  absl::StatusOr<v1::TransactionResponse> Receive(v1::TransactionResponse::AnswerCase expected);
  // Ends everything because the stream has broken; returns why.
  absl::Status Broken();
  // Lets go of the stream and makes every later step fail with `why`.
  absl::Status Finish(absl::Status why);

  const std::shared_ptr<Channel> channel_;
  std::unique_ptr<TransactionLink> stream_;
  const bool lent_ = false;
  // Of the context with which the transaction began: those that the session has until its end.
  std::map<std::string, std::string> settings_;
  // `busy_` while rows are open; `result_ended_` when all of them have been received.
  bool busy_ = false;
  bool result_ended_ = false;
  // If not OK, the error of every later step.
  absl::Status ended_;
};

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_TRANSACTION_STREAM_H_
