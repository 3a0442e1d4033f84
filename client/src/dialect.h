// Finds out the SQL dialect of the database.
#ifndef PENSTOCK_CLIENT_SRC_DIALECT_H_
#define PENSTOCK_CLIENT_SRC_DIALECT_H_

#include <memory>

#include "absl/status/statusor.h"
#include "client/src/channel.h"
#include "penstock/context.h"
#include "penstock/sql/dialect.h"

namespace penstock::internal {

// Returns the dialect. Asks the daemon unless it has already answered over the current connection.
// The daemon does not need a backend connection for the answer, so a transaction may ask while it
// holds the pool's only one.
absl::StatusOr<sql::Dialect> AskDialect(const std::shared_ptr<Channel>& channel,
                                        const Context& ctx);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_DIALECT_H_
