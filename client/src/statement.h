// Prepared statements outside of transactions.
#ifndef PENSTOCK_CLIENT_SRC_STATEMENT_H_
#define PENSTOCK_CLIENT_SRC_STATEMENT_H_

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/src/channel.h"
#include "client/src/pipes.h"
#include "penstock/provider.h"

namespace penstock::internal {

absl::StatusOr<std::unique_ptr<Statement>> PrepareStatement(std::shared_ptr<Channel> channel,
                                                            std::shared_ptr<IdleStreams> idle,
                                                            std::shared_ptr<Pipes> pipes,
                                                            const Context& ctx,
                                                            std::string_view sql);
Async<std::unique_ptr<Statement>> PrepareStatementAsync(std::shared_ptr<Channel> channel,
                                                        std::shared_ptr<IdleStreams> idle,
                                                        const std::shared_ptr<Pipes>& pipes,
                                                        const Context& ctx, std::string_view sql);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_STATEMENT_H_
