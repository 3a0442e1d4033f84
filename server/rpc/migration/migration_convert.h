// Converts between penstock/v1/migration.proto and the migration engine.
#ifndef PENSTOCK_SERVER_RPC_MIGRATION_MIGRATION_CONVERT_H_
#define PENSTOCK_SERVER_RPC_MIGRATION_MIGRATION_CONVERT_H_

#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/repeated_field.h"
#include "migrations/files.h"
#include "migrations/history.h"
#include "migrations/plan.h"
#include "migrations/source.h"
#include "penstock/v1/migration.pb.h"
#include "server/database/migration_run.h"

namespace penstock::server {

// Takes the files' contents, and tells whether any of them is in memory.
bool TakeFiles(google::protobuf::RepeatedPtrField<v1::MigrationFile>* from, migrations::Files* to);

std::vector<migrations::CodeStep> FromProto(
    const google::protobuf::RepeatedPtrField<v1::CodeStep>& from);

// Converts everything of a start except its files, folder and lock_timeout.
absl::Status FromProto(const v1::MigrateRequest::Start& from, MigrationSpec* to);

void ToProto(const migrations::HistoryRow& from, v1::MigrationRecord* to);
// Leaves out the statements.
void ToProto(const migrations::PlanStep& from, v1::MigrationStep* to);
absl::Status AddStatements(const migrations::Migrator& migrator, const migrations::PlanStep& from,
                           v1::MigrationStep* to);

// Compares the files and the history, which is all that it reads of the database, and says what
// `up` would say.
absl::Status ReadStatus(migrations::Migrator* migrator, const std::vector<std::string>& other_files,
                        v1::GetStatusResponse* to);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_MIGRATION_MIGRATION_CONVERT_H_
