#include "server/rpc/migration/migration_convert.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "drivers/api/error.h"
#include "server/rpc/base/convert.h"

namespace penstock::server {
namespace {

using driver::MakeError;
using driver::Reason;
using migrations::Direction;
using migrations::HistoryRow;
using migrations::Repair;
using migrations::RowState;
using migrations::Target;
using Start = v1::MigrateRequest::Start;
using State = v1::MigrationStatus;

absl::Status FromProto(const v1::MigrateRequest::Repair& from, std::vector<Repair>* to) {
  Repair repair{.version = from.version(), .statement = from.statement()};
  switch (from.action()) {
    case v1::MigrateRequest::Repair::ACTION_MARK_APPLIED:
      repair.kind = Repair::Kind::kMarkApplied;
      break;
    case v1::MigrateRequest::Repair::ACTION_MARK_NOT_APPLIED:
      repair.kind = Repair::Kind::kMarkNotApplied;
      break;
    case v1::MigrateRequest::Repair::ACTION_RESUME: repair.kind = Repair::Kind::kResume; break;
    default:
      return MakeError(Reason::kInvalidParameter, "`action` of the repair is not set, or unknown");
  }
  to->push_back(repair);
  for (const uint64_t version : from.more_versions()) {
    repair.version = version;
    to->push_back(repair);
  }
  return absl::OkStatus();
}

v1::MigrationDirection ToProto(Direction direction) {
  return direction == Direction::kUp ? v1::MIGRATION_DIRECTION_UP : v1::MIGRATION_DIRECTION_DOWN;
}

bool Contains(const std::vector<uint64_t>& versions, uint64_t version) {
  return std::binary_search(versions.begin(), versions.end(), version);
}

State::State StateOf(uint64_t version, const migrations::Comparison& compared,
                     const migrations::History& history) {
  const auto unfinished = history.unfinished().find(version);
  if (unfinished != history.unfinished().end()) {
    return unfinished->second.state == RowState::kResume ? State::STATE_RESUMING
                                                         : State::STATE_UNFINISHED;
  }
  if (Contains(compared.gaps, version)) return State::STATE_GAP;
  if (Contains(compared.pending, version)) return State::STATE_PENDING;
  if (Contains(compared.changed, version)) return State::STATE_CHANGED;
  if (Contains(compared.missing, version)) return State::STATE_MISSING;
  if (Contains(compared.newer, version)) return State::STATE_NEWER;
  return State::STATE_APPLIED;
}

}  // namespace

bool TakeFiles(google::protobuf::RepeatedPtrField<v1::MigrationFile>* from, migrations::Files* to) {
  bool in_memory = false;
  for (v1::MigrationFile& file : *from) {
    const bool kept = to->Add(std::move(*file.mutable_name()), std::move(*file.mutable_content()));
    in_memory = in_memory || kept;
  }
  from->Clear();
  return in_memory;
}

std::vector<migrations::CodeStep> FromProto(
    const google::protobuf::RepeatedPtrField<v1::CodeStep>& from) {
  std::vector<migrations::CodeStep> steps;
  for (const v1::CodeStep& step : from) {
    steps.push_back({.version = step.version(), .name = step.name(), .has_down = step.has_down()});
  }
  return steps;
}

absl::Status FromProto(const Start& from, MigrationSpec* to) {
  to->dry_run = from.dry_run();
  to->allow_gaps = from.allow_gaps();
  to->code_steps = FromProto(from.code_steps());
  if (from.has_statement_timeout()) {
    absl::Status status = FromProto(from.statement_timeout(), &to->statement_timeout);
    if (!status.ok()) return status;
  }
  switch (from.action_case()) {
    case Start::kDown:
      to->target = {.kind = Target::Kind::kDown, .steps = from.down().steps()};
      break;
    case Start::kTo:
      to->target = {.kind = Target::Kind::kTo, .version = from.to().version()};
      break;
    case Start::kBaseline:
      to->action = MigrationSpec::Action::kBaseline;
      to->baseline = from.baseline().version();
      break;
    case Start::kRepair:
      to->action = MigrationSpec::Action::kRepair;
      return FromProto(from.repair(), &to->repairs);
    case Start::kAdopt: to->action = MigrationSpec::Action::kAdopt; break;
    case Start::kStatus:
      to->action = MigrationSpec::Action::kStatus;
      to->dry_run = true;
      break;
    default: to->target.steps = from.up().steps(); break;
  }
  return absl::OkStatus();
}

void ToProto(const HistoryRow& from, v1::MigrationRecord* to) {
  to->set_id(from.id);
  to->set_version(from.version);
  to->set_name(from.name);
  to->set_checksum(from.checksum);
  to->set_direction(ToProto(from.direction));
  to->set_state(std::string(Name(from.state)));
  to->set_statement(from.statement);
  to->set_note(from.note);
  constexpr int64_t kMicrosInSecond = 1'000'000;
  to->mutable_applied_at()->set_seconds(from.applied_at_us / kMicrosInSecond);
  to->mutable_applied_at()->set_nanos(
      static_cast<int32_t>(from.applied_at_us % kMicrosInSecond * 1000));
  ToProto(std::chrono::milliseconds(from.duration_ms), to->mutable_duration());
}

void ToProto(const migrations::PlanStep& from, v1::MigrationStep* to) {
  to->set_version(from.migration->version);
  to->set_name(from.migration->name);
  to->set_direction(ToProto(from.direction));
  to->set_transactional(from.transactional);
  to->set_first_statement(from.first_statement);
  if (from.script() == nullptr) return;
  to->set_file(from.script()->file);
  to->set_foreign_keys_off(!from.script()->foreign_keys.value_or(true));
}

absl::Status AddStatements(const migrations::Migrator& migrator, const migrations::PlanStep& from,
                           v1::MigrationStep* to) {
  const absl::StatusOr<std::vector<migrations::SqlStatement>> statements =
      migrator.Statements(from);
  if (!statements.ok()) return statements.status();
  for (const migrations::SqlStatement& statement : *statements) to->add_statements(statement.text);
  return absl::OkStatus();
}

namespace {

void FillStatus(const migrations::Source& source, const migrations::History& history,
                v1::GetStatusResponse* to) {
  to->set_version(history.version());
  for (const HistoryRow& row : history.rows()) server::ToProto(row, to->add_history());
  const migrations::Comparison compared = migrations::Compare(source, history);
  std::set<uint64_t> versions;
  for (const auto& [version, migration] : source) versions.insert(version);
  for (const auto& [version, row] : history.applied()) versions.insert(version);
  for (const auto& [version, row] : history.unfinished()) versions.insert(version);
  for (const uint64_t version : versions) {
    v1::MigrationStatus* entry = to->add_migrations();
    entry->set_version(version);
    entry->set_state(StateOf(version, compared, history));
    const auto unfinished = history.unfinished().find(version);
    const auto applied = history.applied().find(version);
    if (unfinished != history.unfinished().end()) {
      server::ToProto(unfinished->second, entry->mutable_record());
    } else if (applied != history.applied().end()) {
      server::ToProto(applied->second, entry->mutable_record());
    }
    entry->set_name(entry->record().name());
    entry->set_is_code(applied != history.applied().end() && applied->second.IsCode());
    const auto migration = source.find(version);
    if (migration == source.end()) continue;
    entry->set_name(migration->second.name);
    entry->set_is_code(migration->second.is_code);
    if (migration->second.up.has_value()) entry->set_file(migration->second.up->file);
    entry->set_has_down(migration->second.is_code
                            ? migration->second.code_has_down
                            : migration->second.down.has_value() && !migration->second.down->blank);
  }
}

}  // namespace

absl::Status ReadStatus(migrations::Migrator* migrator, const std::vector<std::string>& other_files,
                        v1::GetStatusResponse* to) {
  const absl::StatusOr<migrations::History> history = migrator->ReadHistory();
  if (!history.ok()) return history.status();
  FillStatus(migrator->source(), *history, to);
  for (const std::string& file : other_files) to->add_other_files(file);
  const absl::Status refused =
      migrator->MakePlan({}, /*allow_gaps=*/false, /*dry_run=*/true).status();
  if (!refused.ok()) ToProto(refused, to->mutable_refusal());
  return absl::OkStatus();
}

}  // namespace penstock::server
