// The units of work of a Migrate call, on a worker thread.
#include <chrono>
#include <utility>

#include "drivers/api/error.h"
#include "server/log/log.h"
#include "server/rpc/migration/migrate_call.h"
#include "server/rpc/migration/migration_convert.h"

namespace penstock::server {
namespace {

// Short steps follow each other in one task for so long: a handover to another thread may
// cost more than the step.
constexpr Duration kStepsTogether = std::chrono::milliseconds(10);

}  // namespace

void MigrateCall::Run() {
  if (cancellation_.cancelled() && work_ != Work::kEnd) {
    end_status_ = cancellation_.status();
    work_ = Work::kEnd;
  }
  const absl::Status status = RunWork();
  if (!status.ok()) End(status);
}

absl::Status MigrateCall::RunWork() {
  switch (work_) {
    case Work::kPrepare: return RunPrepare();
    case Work::kAcquire: Acquire(); return absl::OkStatus();
    case Work::kLock: return RunLock();
    case Work::kPlan: return RunPlan();
    case Work::kStep: return RunSteps();
    case Work::kCode: RunCode(); return absl::OkStatus();
    case Work::kFetch: RunFetch(); return absl::OkStatus();
    case Work::kCodeDone: return RunCodeDone();
    case Work::kRecord: return RunRecord();
    case Work::kStatus: return RunStatus();
    case Work::kEnd: RunEnd(); return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status MigrateCall::RunPrepare() {
  absl::StatusOr<MigrationSpec> spec = intake_.TakeSpec(context_.config->server.migrations_root);
  if (!spec.ok()) return spec.status();
  dry_run_ = spec->dry_run;
  migration_ = std::make_unique<MigrationRun>(database_, *std::move(spec), &cancellation_);
  absl::Status status = migration_->Prepare();
  if (!status.ok()) return status;
  if (TakeTurn()) {
    Acquire();
  } else {
    state_.store(State::kQueued);
  }
  return absl::OkStatus();
}

absl::Status MigrateCall::RunLock() {
  absl::StatusOr<bool> locked = migration_->Lock(std::move(lease_request_.lease()));
  if (!locked.ok()) return locked.status();
  if (*locked) {
    switch (migration_->spec().action) {
      case MigrationSpec::Action::kMigrate: Do(Work::kPlan); break;
      case MigrationSpec::Action::kStatus: Do(Work::kStatus); break;
      default: Do(Work::kRecord); break;
    }
  } else {
    pause_until_ = Clock::System().Now() + kMigrationLockPause;
    state_.store(State::kPausing);
  }
  return absl::OkStatus();
}

absl::Status MigrateCall::RunPlan() {
  absl::Status status = migration_->Plan();
  if (!status.ok()) return status;
  v1::MigrateResponse event;
  event.mutable_plan();
  for (const migrations::PlanStep& step : migration_->plan()) {
    v1::MigrationStep* to = event.mutable_plan()->add_steps();
    ToProto(step, to);
    if (dry_run_) status = AddStatements(migration_->migrator(), step, to);
    if (!status.ok()) return status;
  }
  for (const std::string& file : migration_->other_files()) {
    event.mutable_plan()->add_other_files(file);
  }
  events_.Push(event);
  if (dry_run_ || migration_->plan().empty()) return Succeed(0, {});
  Do(Work::kStep);
  return absl::OkStatus();
}

absl::Status MigrateCall::RunSteps() {
  const TimePoint until = Clock::System().Now() + kStepsTogether;
  do {
    if (migration_->plan()[next_step_].script() == nullptr) return RunBeginCode();
    absl::Status status = RunStep();
    if (!status.ok() || next_step_ == migration_->plan().size()) {
      return status.ok() ? GoOn() : status;
    }
  } while (Clock::System().Now() < until && !cancellation_.cancelled());
  return GoOn();
}

void MigrateCall::BeginStep() {
  const TimePoint began = Clock::System().Now();
  const migrations::PlanStep& step = migration_->plan()[next_step_];
  const auto statements =
      step.script() == nullptr ? 0 : static_cast<int64_t>(step.script()->statement_count);
  const auto index = static_cast<int32_t>(next_step_);
  progress_.Begin(index, statements, began);
  events_.Hold(progress_.Report(index, began, false));
}

absl::Status MigrateCall::RunStep() {
  BeginStep();
  return EndStep(migration_->RunStep(next_step_, [this](size_t statement, size_t) {
    progress_.SetStatement(static_cast<int64_t>(statement));
  }));
}

absl::Status MigrateCall::EndStep(const absl::Status& status) {
  const TimePoint ended = Clock::System().Now();
  const migrations::PlanStep& step = migration_->plan()[next_step_];
  const std::chrono::duration<double, std::milli> took = ended - progress_.began();
  Log(status.ok() ? Level::kInfo : Level::kWarn, status.ok() ? "migrated" : "migration failed",
      {{"database", database_->name()},
       {"step", step.Title()},
       {"direction", Name(step.direction)},
       {"duration_ms", took.count()}});
  const driver::Summary said = migration_->TakeNotices();
  LogNotices(database_->name(), step.Title(), said);
  if (!status.ok()) return status;
  progress_.Pause();
  v1::MigrateResponse done = progress_.Report(static_cast<int32_t>(next_step_), ended, true);
  for (const driver::Notice& notice : said.notices) {
    ToProto(notice, done.mutable_step()->add_notices());
  }
  done.mutable_step()->set_notices_dropped(said.notices_dropped);
  events_.Hold(done);
  ++next_step_;
  return absl::OkStatus();
}

absl::Status MigrateCall::GoOn() {
  if (next_step_ == migration_->plan().size()) {
    return Succeed(static_cast<int32_t>(next_step_), {});
  }
  Do(Work::kStep);
  return absl::OkStatus();
}

absl::Status MigrateCall::RunRecord() {
  absl::StatusOr<std::vector<migrations::HistoryRow>> rows = migration_->Record();
  return rows.ok() ? Succeed(0, *rows) : rows.status();
}

absl::Status MigrateCall::RunStatus() {
  v1::MigrateResponse event;
  absl::Status status =
      ReadStatus(&migration_->migrator(), migration_->other_files(), event.mutable_status());
  if (!status.ok()) return status;
  events_.Push(event);
  return Succeed(0, {});
}

absl::Status MigrateCall::Succeed(int32_t steps, const std::vector<migrations::HistoryRow>& rows) {
  absl::StatusOr<uint64_t> version = migration_->Version();
  if (!version.ok()) return version.status();
  v1::MigrateResponse event;
  event.mutable_result()->set_steps(steps);
  event.mutable_result()->set_version(*version);
  for (const migrations::HistoryRow& row : rows) {
    ToProto(row, event.mutable_result()->add_records());
  }
  // The lock is free when the client hears of it.
  migration_->End();
  events_.Push(event);
  End(absl::OkStatus());
  return absl::OkStatus();
}

void MigrateCall::RunEnd() {
  progress_.Pause();
  GiveUpCode();
  if (migration_ != nullptr) migration_->End();
  lease_request_.lease().Release();
  if (std::exchange(has_turn_, false)) database_->EndMigration();
  const std::optional<absl::Status> end = events_.End(end_status_);
  if (end.has_value()) Finish(*end);
}

}  // namespace penstock::server
