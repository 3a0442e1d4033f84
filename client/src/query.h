// Runs a query outside of transactions and without a prepared statement.
#ifndef PENSTOCK_CLIENT_SRC_QUERY_H_
#define PENSTOCK_CLIENT_SRC_QUERY_H_

#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/src/channel.h"
#include "client/src/pipes.h"
#include "penstock/async.h"
#include "penstock/rows.h"

namespace penstock::internal {

absl::StatusOr<std::unique_ptr<Rows>> RunQuery(const std::shared_ptr<Channel>& channel,
                                               const std::shared_ptr<Pipes>& pipes,
                                               const Context& ctx, std::string_view sql,
                                               const std::vector<Value>& args);
Async<std::unique_ptr<Rows>> RunQueryAsync(const std::shared_ptr<Pipes>& pipes, const Context& ctx,
                                           std::string_view sql, const std::vector<Value>& args);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_QUERY_H_
