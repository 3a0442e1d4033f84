#include "server/rpc/migration/migrate_intake.h"

#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "server/rpc/base/convert.h"
#include "server/rpc/migration/migration_convert.h"

namespace penstock::server {
namespace {

using driver::MakeError;
using driver::Reason;

// Files of one call together.
constexpr size_t kMaxBytes = size_t{256} << 20;

}  // namespace

absl::Status MigrateIntake::Take(const FindDatabase& find, v1::MigrateRequest* request, bool* more,
                                 bool* in_memory) {
  const bool known = request->has_start() || request->has_files();
  if (!known || request->has_start() == (database_ != nullptr)) {
    return MakeError(
        Reason::kProtocol,
        "the first request of a Migrate stream must have `start`, and the others `files`");
  }
  google::protobuf::RepeatedPtrField<v1::MigrationFile>* files =
      request->has_start() ? request->mutable_start()->mutable_files()
                           : request->mutable_files()->mutable_files();
  // Code steps are kept as well.
  *in_memory = TakeFiles(files, spec_.files.get()) || request->has_start();
  if (spec_.files->bytes() > kMaxBytes) {
    return MakeError(Reason::kLimitExceeded,
                     fmt::format("the migrations have more than {} MiB", kMaxBytes >> 20));
  }
  *more = request->has_start() ? request->start().more_files() : request->files().more_files();
  return request->has_start() ? TakeStart(find, request->start()) : absl::OkStatus();
}

absl::Status MigrateIntake::TakeStart(const FindDatabase& find,
                                      const v1::MigrateRequest::Start& start) {
  absl::StatusOr<Database*> database = find(start.database());
  if (!database.ok()) return database.status();
  absl::Status status = FromProto(start, &spec_);
  if (status.ok() && start.has_lock_timeout()) {
    status = FromProto(start.lock_timeout(), &lock_timeout_);
  }
  if (!status.ok()) return status;
  folder_ = start.folder();
  database_ = *database;
  return absl::OkStatus();
}

absl::StatusOr<MigrationSpec> MigrateIntake::TakeSpec(const std::string& migrations_root) {
  if (folder_.empty()) return std::move(spec_);
  if (!spec_.files->empty()) {
    return MakeError(Reason::kInvalidParameter, "a request has either `files` or `folder`");
  }
  absl::StatusOr<std::shared_ptr<migrations::Files>> files =
      ReadFolderBelow(migrations_root, folder_);
  if (!files.ok()) return files.status();
  spec_.files = *std::move(files);
  return std::move(spec_);
}

}  // namespace penstock::server
