// Provider::Migrate.
#ifndef PENSTOCK_CLIENT_SRC_MIGRATE_H_
#define PENSTOCK_CLIENT_SRC_MIGRATE_H_

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/src/channel.h"
#include "penstock/context.h"
#include "penstock/internal/v1/migration.pb.h"
#include "penstock/migrate.h"

namespace penstock::internal {

absl::StatusOr<MigrateResult> RunMigrate(const std::shared_ptr<Channel>& channel,
                                         const Context& ctx, std::string_view path,
                                         const MigrateOptions& options);

// The files of a folder that end in ".sql", by name. NOT_FOUND names the folder or
// the file that cannot be read.
absl::StatusOr<std::vector<v1::MigrationFile>> ReadMigrations(std::string_view path);

MigrationReport FromProto(const v1::GetStatusResponse& from);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_MIGRATE_H_
