#include "migrations/plan.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::migrations {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

absl::Status Refuse(std::string_view what, std::string_view hint) {
  return MakeErrorWithHint(Reason::kMigrationRefused, what, hint);
}

// How a version of the history is called where it has no file.
std::string Called(const HistoryRow& row) { return fmt::format("{} ({})", row.version, row.name); }

// Says what to type. The folder is the caller's to know.
std::string RepairCommand(uint64_t version, std::string_view how) {
  return fmt::format("`penstock migrate repair FOLDER {} {}`", how, version);
}

std::string TitleOf(const Source& source, const HistoryRow& row) {
  const auto found = source.find(row.version);
  return found == source.end() ? fmt::format("migration {}", Called(row)) : found->second.Title();
}

absl::Status CheckUnfinished(const Source& source, const History& history) {
  for (const auto& [version, row] : history.unfinished()) {
    if (row.state == RowState::kResume) continue;
    const std::string title = TitleOf(source, row);
    const std::string what =
        row.state == RowState::kFailed
            ? fmt::format(
                  "{}: statement {} of the {} step failed ({}), and the statements before it "
                  "remain in effect",
                  title, row.statement, Name(row.direction), row.note)
            : fmt::format(
                  "{}: the {} step was interrupted at statement {}, which may or may not have "
                  "taken effect; the statements before it have",
                  title, Name(row.direction), row.statement);
    return Refuse(
        what,
        fmt::format("check the database, then record its state: {}, or --not-applied {}, or "
                    "--resume {} to continue with statement {} (again) or {} (--statement {})",
                    RepairCommand(version, "--applied"), version, version, row.statement,
                    row.statement + 1, row.statement + 1));
  }
  return absl::OkStatus();
}

absl::Status CheckComparison(const Source& source, const History& history,
                             const Comparison& compared, bool allow_gaps) {
  if (!compared.changed.empty()) {
    const uint64_t version = compared.changed.front();
    return Refuse(
        fmt::format("{}: the file has changed since it was applied", source.at(version).Title()),
        fmt::format("restore the file and write a new migration; if the change makes no "
                    "difference, accept it with {}",
                    RepairCommand(version, "--applied")));
  }
  if (!compared.missing.empty()) {
    const HistoryRow& row = history.applied().at(compared.missing.front());
    return Refuse(fmt::format("migration {} is applied, but its file is missing", Called(row)),
                  fmt::format("restore the file; if it was withdrawn on purpose, run {}",
                              RepairCommand(row.version, "--not-applied")));
  }
  if (!compared.gaps.empty() && !allow_gaps) {
    return Refuse(fmt::format("{}: not applied, but the later version {} is",
                              source.at(compared.gaps.front()).Title(), history.version()),
                  "give it a higher version, or apply it out of order with --allow-gaps");
  }
  return absl::OkStatus();
}

PlanStep StepFor(const Migration& migration, Direction direction, const History& history) {
  PlanStep step;
  step.migration = &migration;
  step.direction = direction;
  if (step.script() != nullptr) step.transactional = step.script()->transactional;
  const auto found = history.unfinished().find(migration.version);
  if (found != history.unfinished().end() && found->second.direction == direction) {
    step.unfinished = found->second;
    step.first_statement = found->second.statement;
  }
  return step;
}

// Applied versions, the last first, down to those above `floor` (none: all), at most `most`.
absl::StatusOr<std::vector<PlanStep>> Down(const Source& source, const History& history,
                                           std::optional<uint64_t> floor, size_t most) {
  std::vector<PlanStep> steps;
  const auto& applied = history.applied();
  for (auto row = applied.rbegin(); row != applied.rend(); ++row) {
    if (steps.size() == most || (floor.has_value() && row->first <= *floor)) break;
    const auto found = source.find(row->first);
    if (found == source.end() && row->second.IsCode()) {
      return Refuse(
          fmt::format("migration {} cannot be undone here: it is a code step", Called(row->second)),
          "undo it with the program that contains its code");
    }
    if (found == source.end()) {
      return Refuse(
          fmt::format("migration {} cannot be undone: its files are missing", Called(row->second)),
          "restore them, or use the folder of the release that applied it");
    }
    const Migration& migration = found->second;
    if (!migration.down_problem.ok()) return migration.down_problem;
    // An empty down takes nothing back, which is right for an up that has done nothing.
    const bool nothing_to_do = migration.up.has_value() && migration.up->blank;
    const bool possible =
        migration.is_code ? migration.code_has_down
                          : migration.down.has_value() && (!migration.down->blank || nothing_to_do);
    if (!possible) {
      const bool empty = migration.down.has_value();
      return Refuse(
          fmt::format(
              "{}: cannot be undone, because {}", empty ? migration.down->file : migration.Title(),
              empty ? "the file is empty"
                    : (migration.is_code ? "it has no `down` function" : "it has no down file")),
          empty ? "write its statements, or a comment if there is nothing to undo"
                : fmt::format("add {}_{}.down.sql", migration.version, migration.name));
    }
    steps.push_back(StepFor(migration, Direction::kDown, history));
  }
  return steps;
}

std::vector<PlanStep> Up(const Source& source, const History& history,
                         const std::vector<uint64_t>& pending, uint64_t ceiling, size_t most) {
  std::vector<PlanStep> steps;
  for (const uint64_t version : pending) {
    if (version > ceiling || steps.size() == most) break;
    steps.push_back(StepFor(source.at(version), Direction::kUp, history));
  }
  return steps;
}

// A migration that was half done comes first.
absl::Status CheckResumed(const Source& source, const History& history,
                          const std::vector<PlanStep>& steps) {
  for (const auto& [version, row] : history.unfinished()) {
    const bool goes_on = std::any_of(steps.begin(), steps.end(), [&row](const PlanStep& step) {
      return step.unfinished.has_value() && step.unfinished->id == row.id;
    });
    if (goes_on) continue;
    return Refuse(
        fmt::format(
            "{}: its {} step must continue with statement {}, and this would leave it unfinished",
            TitleOf(source, row), Name(row.direction), row.statement),
        fmt::format(
            "run `penstock migrate {} FOLDER` first, or repair the migration in another way",
            Name(row.direction)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<PlanStep>> StepsTo(const Source& source, const History& history,
                                              const Target& target,
                                              const std::vector<uint64_t>& pending) {
  const size_t most = target.steps == 0 ? SIZE_MAX : static_cast<size_t>(target.steps);
  switch (target.kind) {
    case Target::Kind::kUp: return Up(source, history, pending, UINT64_MAX, most);
    case Target::Kind::kDown: return Down(source, history, std::nullopt, most);
    case Target::Kind::kTo: break;
  }
  const bool known = source.contains(target.version) || history.applied().contains(target.version);
  if (!known && target.version == 0) return Down(source, history, std::nullopt, SIZE_MAX);
  if (!known) {
    return Refuse(fmt::format("version {} does not exist", target.version),
                  "use a version that has a file");
  }
  if (target.version < history.version()) return Down(source, history, target.version, SIZE_MAX);
  return Up(source, history, pending, target.version, SIZE_MAX);
}

}  // namespace

const Script* PlanStep::script() const {
  if (migration->is_code) return nullptr;
  return direction == Direction::kUp ? &*migration->up : &*migration->down;
}

std::string PlanStep::Title() const {
  return script() != nullptr ? script()->file : migration->Title();
}

Comparison Compare(const Source& source, const History& history) {
  Comparison compared;
  const uint64_t last = source.empty() ? 0 : source.rbegin()->first;
  for (const auto& [version, migration] : source) {
    const auto row = history.applied().find(version);
    if (row == history.applied().end()) {
      compared.pending.push_back(version);
      if (version < history.version()) compared.gaps.push_back(version);
    } else if (migration.up.has_value() && !row->second.checksum.empty() &&
               migration.up->checksum != row->second.checksum) {
      compared.changed.push_back(version);
    }
  }
  for (const auto& [version, row] : history.applied()) {
    // A step that had no file when it was applied misses none now: a code step, or one from before
    // there were files.
    if (source.contains(version) || row.IsCode()) continue;
    if (version > last) {
      compared.newer.push_back(version);
    } else if (!row.checksum.empty() && row.note != kBaselineNote) {
      compared.missing.push_back(version);
    }
  }
  return compared;
}

absl::StatusOr<std::vector<PlanStep>> MakePlan(const Source& source, const History& history,
                                               const Target& target, bool allow_gaps) {
  if (target.steps < 0) {
    return driver::MakeError(Reason::kInvalidParameter, "the number of steps is negative");
  }
  const Comparison compared = Compare(source, history);
  absl::Status status = CheckUnfinished(source, history);
  if (status.ok()) status = CheckComparison(source, history, compared, allow_gaps);
  if (!status.ok()) return status;
  absl::StatusOr<std::vector<PlanStep>> steps = StepsTo(source, history, target, compared.pending);
  if (steps.ok()) status = CheckResumed(source, history, *steps);
  if (!status.ok()) return status;
  return steps;
}

absl::StatusOr<std::vector<HistoryRow>> MakeBaseline(const Source& source, const History& history,
                                                     uint64_t version) {
  if (!history.applied().empty() || !history.unfinished().empty()) {
    return Refuse(fmt::format("the database already has a migration history, up to version {}",
                              history.version()),
                  "use `penstock migrate repair` to correct a history; a baseline only begins one");
  }
  std::vector<HistoryRow> rows;
  for (const auto& [at, migration] : source) {
    if (at > version) break;
    rows.push_back({.version = at,
                    .name = migration.name,
                    .checksum = migration.up.has_value() ? migration.up->checksum : "",
                    .note = std::string(kBaselineNote)});
  }
  if (rows.empty() || rows.back().version != version) {
    rows.push_back({.version = version,
                    .name = std::string(kBaselineNote),
                    .checksum = {},
                    .direction = version == 0 ? Direction::kDown : Direction::kUp,
                    .note = std::string(kBaselineNote)});
  }
  return rows;
}

absl::StatusOr<HistoryRow> MakeRepair(const Source& source, const History& history,
                                      const Repair& repair) {
  const auto unfinished = history.unfinished().find(repair.version);
  const auto applied = history.applied().find(repair.version);
  const auto file = source.find(repair.version);
  HistoryRow row;
  if (unfinished != history.unfinished().end()) {
    row = unfinished->second;
  } else if (applied != history.applied().end()) {
    row = applied->second;
    row.id = 0;
  } else if (file == source.end()) {
    return Refuse(fmt::format("version {} does not exist, neither in the history nor as a file",
                              repair.version),
                  "run `penstock migrate status FOLDER` to list the versions");
  }
  row.version = repair.version;
  if (file != source.end()) {
    row.name = file->second.name;
    row.checksum = file->second.up.has_value() ? file->second.up->checksum : "";
  }
  if (repair.kind == Repair::Kind::kResume) {
    if (unfinished == history.unfinished().end()) {
      return Refuse(fmt::format("version {} is not unfinished", repair.version),
                    "mark it as applied or not applied; only an unfinished step can be resumed");
    }
    row.state = RowState::kResume;
    if (repair.statement > 0) row.statement = repair.statement;
    return row;
  }
  row.state = RowState::kDone;
  row.statement = 0;
  row.note = kRepairNote;
  row.direction = repair.kind == Repair::Kind::kMarkApplied ? Direction::kUp : Direction::kDown;
  return row;
}

}  // namespace penstock::migrations
