// Implements Provider::Migrate and Provider::MigrationStatus.
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

// Uses a Migrate stream, too, because that can carry any amount of files.
absl::StatusOr<MigrationReport> RunMigrationStatus(const std::shared_ptr<Channel>& channel,
                                                   const Context& ctx, std::string_view path,
                                                   const std::vector<CodeMigration>& code);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_MIGRATE_H_
