#include "client/src/dialect.h"

#include <string>

#include "client/src/format.h"
#include "client/src/methods.h"
#include "client/src/unary.h"
#include "penstock/errors.h"
#include "penstock/internal/v1/admin.pb.h"

namespace penstock::internal {
namespace {

absl::StatusOr<sql::Dialect> DialectOf(const std::string& name,
                                       const v1::ListDatabasesResponse& response) {
  for (const v1::Database& database : response.databases()) {
    if (name.empty() ? database.is_default() : database.name() == name) {
      return sql::DialectOfDriver(database.driver());
    }
  }
  return MakeError(absl::StatusCode::kNotFound,
                   internal::Format("the daemon has no database \"{}\"", name),
                   {.reason = "UNKNOWN_DATABASE"});
}

}  // namespace

absl::StatusOr<sql::Dialect> AskDialect(const std::shared_ptr<Channel>& channel,
                                        const Context& ctx) {
  if (absl::Status status = channel->CheckQuery(ctx); !status.ok()) return status;
  if (const int known = channel->Current()->dialect; known != kUnknownDialect) {
    // The statement that follows at once need not poll the sockets again.
    channel->KeepLook();
    return static_cast<sql::Dialect>(known);
  }
  return channel->Call(ctx,
                       [&](const std::shared_ptr<Connection>& connection,
                           Again* again) -> absl::StatusOr<sql::Dialect> {
                         v1::ListDatabasesResponse response;
                         absl::Status status = TryUnary(
                             channel, *connection, ctx, ctx.deadline(), /*writes=*/false,
                             method::kListDatabases, v1::ListDatabasesRequest(), &response, again);
                         if (!status.ok()) return status;
                         absl::StatusOr<sql::Dialect> dialect =
                             DialectOf(channel->config.database, response);
                         if (dialect.ok()) connection->dialect = static_cast<int>(*dialect);
                         return dialect;
                       });
}

}  // namespace penstock::internal
