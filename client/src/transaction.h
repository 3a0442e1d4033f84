// Opens transactions.
#ifndef PENSTOCK_CLIENT_SRC_TRANSACTION_H_
#define PENSTOCK_CLIENT_SRC_TRANSACTION_H_

#include <memory>

#include "absl/status/statusor.h"
#include "client/src/channel.h"
#include "client/src/transaction_stream.h"
#include "penstock/provider.h"

namespace penstock::internal {

absl::StatusOr<std::unique_ptr<Transaction>> BeginTransaction(std::shared_ptr<Channel> channel,
                                                              const Context& ctx,
                                                              const TransactionOptions& options);

// Wraps the stream of a code step in a Transaction.
std::unique_ptr<Transaction> LentTransaction(std::shared_ptr<TransactionStream> stream);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_TRANSACTION_H_
