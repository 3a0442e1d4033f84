// Puts the first requests of a Migrate stream together.
#ifndef PENSTOCK_SERVER_RPC_MIGRATION_MIGRATE_INTAKE_H_
#define PENSTOCK_SERVER_RPC_MIGRATION_MIGRATE_INTAKE_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "penstock/v1/migration.pb.h"
#include "server/database/database.h"
#include "server/database/migration_run.h"

namespace penstock::server {

// Takes `start` and the `files` that follow it. One thread at a time.
class MigrateIntake {
 public:
  // Takes the files' contents out of the request. `*more` says that another request with files
  // follows, `*in_memory` that the contents still need memory (migrations/files.h). Fails with
  // kProtocol for a request out of turn, with kLimitExceeded for more than 256 MiB of files, and
  // with what is wrong with `start`. `find` finds the database of `start`, if the caller may
  // migrate it.
  using FindDatabase = std::function<absl::StatusOr<Database*>(std::string_view name)>;
  absl::Status Take(const FindDatabase& find, v1::MigrateRequest* request, bool* more,
                    bool* in_memory);

  // Null before `start`.
  Database* database() const { return database_; }
  Duration lock_timeout() const { return lock_timeout_; }

  // Returns the whole request once everything has come. May block, because it reads the folder if
  // there is one. May be called once.
  absl::StatusOr<MigrationSpec> TakeSpec(const std::string& migrations_root);

 private:
  absl::Status TakeStart(const FindDatabase& find, const v1::MigrateRequest::Start& start);

  Database* database_ = nullptr;
  MigrationSpec spec_;
  std::string folder_;
  Duration lock_timeout_ = std::chrono::seconds(60);
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_MIGRATION_MIGRATE_INTAKE_H_
