// Carries the steps of a transaction: over a stream of its own, or over the stream of a migration
// during a code step.
#ifndef PENSTOCK_CLIENT_SRC_TRANSACTION_LINK_H_
#define PENSTOCK_CLIENT_SRC_TRANSACTION_LINK_H_

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "client/src/methods.h"
#include "client/src/stream.h"
#include "penstock/context.h"
#include "penstock/internal/v1/database.pb.h"

namespace penstock::internal {

// The interface; the functions do what those of Stream do.
class TransactionLink {
 public:
  virtual ~TransactionLink() = default;
  virtual void Enter(const Context& ctx) = 0;
  virtual void Leave() = 0;
  virtual void Bind(const Context& ctx) = 0;
  virtual bool Send(const v1::TransactionRequest& request) = 0;
  virtual bool Receive(v1::TransactionResponse* response) = 0;
  virtual bool MaybeSent() = 0;
  virtual absl::Status End() = 0;
  virtual void AwaitEnd() = 0;
};

// Carries the steps over a stream of its own.
class OwnTransactionLink final : public TransactionLink {
 public:
  OwnTransactionLink(const std::shared_ptr<Channel>& channel, const Connection& connection,
                     const Context& opener)
      : stream_(channel, connection, opener, method::kTransaction) {}

  void Enter(const Context& ctx) override { stream_.Enter(ctx); }
  void Leave() override { stream_.Leave(); }
  void Bind(const Context& ctx) override { stream_.Bind(ctx); }
  bool Send(const v1::TransactionRequest& request) override { return stream_.Send(request); }
  bool Receive(v1::TransactionResponse* response) override { return stream_.Receive(response); }
  bool MaybeSent() override { return stream_.MaybeSent(); }
  absl::Status End() override { return stream_.End(); }
  void AwaitEnd() override { stream_.AwaitEnd(); }

 private:
  Stream<v1::TransactionRequest, v1::TransactionResponse> stream_;
};

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_TRANSACTION_LINK_H_
