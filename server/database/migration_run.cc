#include "server/database/migration_run.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "server/log/log.h"

namespace penstock::server {
namespace {

namespace fs = std::filesystem;
using driver::MakeErrorWithHint;
using driver::Reason;

bool IsWithin(const fs::path& path, const fs::path& root) {
  const auto [at, ignored] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  return at == root.end();
}

}  // namespace

absl::StatusOr<std::shared_ptr<migrations::Files>> ReadFolderBelow(const std::string& root,
                                                                   const std::string& folder) {
  if (root.empty()) {
    return MakeErrorWithHint(Reason::kNotAllowed, "the daemon does not read migration folders",
                             "set migrations_root of the server, or send the files");
  }
  std::error_code error;
  const fs::path base = fs::canonical(root, error);
  const fs::path path = error ? fs::path() : fs::weakly_canonical(base / folder, error);
  if (error || fs::path(folder).is_absolute() || !IsWithin(path, base)) {
    return MakeErrorWithHint(
        Reason::kNotAllowed,
        fmt::format("the folder {} is not below the daemon's migrations_root", folder),
        "name it relative to migrations_root, without '..'");
  }
  return migrations::ReadFolder(path.string());
}

MigrationRun::MigrationRun(Database* database, MigrationSpec spec,
                           driver::Cancellation* cancellation)
    : database_(database), spec_(std::move(spec)), connection_(nullptr, cancellation) {
  connection_.SetLimits(spec_.statement_timeout, spec_.deadline);
  connection_.SetConnector(
      [database](const driver::Deadline& until) { return database->ConnectApart(until); });
}

absl::Status MigrationRun::Prepare() {
  const std::string& driver = database_->info().name;
  absl::StatusOr<std::unique_ptr<migrations::Dialect>> dialect = migrations::MakeDialect(
      driver, database_->migrations_table(), {.lease = database_->migrations_lease()});
  if (!dialect.ok()) return dialect.status();
  absl::StatusOr<migrations::Source> source =
      migrations::ReadSource(spec_.files, spec_.code_steps, driver, **dialect, &other_files_);
  if (!source.ok()) return source.status();
  spec_.files.reset();
  migrator_ =
      std::make_unique<migrations::Migrator>(*std::move(dialect), *std::move(source), &connection_);
  return absl::OkStatus();
}

absl::StatusOr<bool> MigrationRun::Lock(Lease lease) {
  lease_ = std::move(lease);
  absl::Status connected = lease_.Connect(spec_.deadline);
  if (!connected.ok()) {
    lease_.Release();
    return connected;
  }
  connection_.Use(lease_.operator->());
  if (spec_.dry_run) return true;
  absl::StatusOr<bool> locked = migrator_->TryLock();
  if (!locked.ok() || !*locked) lease_.Release();
  return locked;
}

absl::Status MigrationRun::Plan() {
  absl::StatusOr<std::vector<migrations::PlanStep>> plan =
      migrator_->MakePlan(spec_.target, spec_.allow_gaps, spec_.dry_run);
  if (!plan.ok()) return plan.status();
  plan_ = *std::move(plan);
  return absl::OkStatus();
}

absl::Status MigrationRun::RunStep(size_t index, const migrations::OnStatement& on_statement) {
  return migrator_->RunStep(plan_[index], on_statement).status();
}

absl::StatusOr<Lease> MigrationRun::BeginCode(size_t index) {
  absl::Status begun = migrator_->BeginCode(plan_[index]);
  if (!begun.ok()) return begun;
  return std::move(lease_);
}

absl::Status MigrationRun::EndCode(size_t index, const absl::Status& outcome) {
  return migrator_->EndCode(plan_[index], outcome).status();
}

absl::StatusOr<std::vector<migrations::HistoryRow>> MigrationRun::Record() {
  if (spec_.action == MigrationSpec::Action::kBaseline) return migrator_->Baseline(spec_.baseline);
  if (spec_.action == MigrationSpec::Action::kAdopt) return migrator_->Adopt();
  return migrator_->Repair(spec_.repairs);
}

absl::StatusOr<uint64_t> MigrationRun::Version() {
  absl::StatusOr<migrations::History> history = migrator_->ReadHistory();
  if (!history.ok()) return history.status();
  return history->version();
}

void MigrationRun::End() {
  if (!lease_) return;
  migrator_->Unlock();
  lease_.Release();
}

void LogNotices(const std::string& database, const std::string& step, const driver::Summary& said) {
  for (const driver::Notice& notice : said.notices) {
    Log(notice.severity == "WARNING" ? Level::kWarn : Level::kInfo, "backend notice",
        {{"database", database},
         {"step", step},
         {"severity", notice.severity},
         {"message", notice.message}});
  }
  if (said.notices_dropped > 0) {
    Log(Level::kInfo, "the backend sent more notices",
        {{"database", database}, {"step", step}, {"notices", said.notices_dropped}});
  }
}

}  // namespace penstock::server
