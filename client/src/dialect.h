// Which dialect of SQL the database speaks.
#ifndef PENSTOCK_CLIENT_SRC_DIALECT_H_
#define PENSTOCK_CLIENT_SRC_DIALECT_H_

#include <memory>

#include "absl/status/statusor.h"
#include "client/src/channel.h"
#include "penstock/context.h"
#include "penstock/sql/dialect.h"

namespace penstock::internal {

// Asks the daemon, unless it has answered over the connection that there is now. It reaches no
// backend, so that a transaction may ask while the pool has no other connection.
absl::StatusOr<sql::Dialect> AskDialect(const std::shared_ptr<Channel>& channel,
                                        const Context& ctx);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_DIALECT_H_
