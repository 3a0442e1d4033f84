// Decides what is to be done, before anything is done.
#ifndef PENSTOCK_MIGRATIONS_PLAN_H_
#define PENSTOCK_MIGRATIONS_PLAN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "migrations/history.h"
#include "migrations/source.h"

namespace penstock::migrations {

// Says up to where to migrate.
struct Target {
  enum class Kind : uint8_t {
    kUp,    // `steps` pending ones; 0: all
    kDown,  // the last `steps` applied ones; 0: all
    kTo,    // up or down to `version`; 0: everything down, unless there is a version 0
  };
  Kind kind = Kind::kUp;
  int64_t steps = 0;
  uint64_t version = 0;
};

struct PlanStep {
  // In the source that the plan was made from, which outlives it.
  const Migration* migration = nullptr;
  Direction direction = Direction::kUp;
  // The script's; true for a code step.
  bool transactional = true;
  // The statement, from 1, at which an unfinished step goes on.
  int64_t first_statement = 1;
  // The row of an unfinished step in the history.
  std::optional<HistoryRow> unfinished;

  // Null for a code step.
  const Script* script() const;
  // "0001_create_users.up.sql".
  std::string Title() const;
};

// The differences between source and history.
struct Comparison {
  // Versions of the source that are not applied.
  std::vector<uint64_t> pending;
  // Those of them that are below the highest applied version.
  std::vector<uint64_t> gaps;
  // Applied ones whose file has changed.
  std::vector<uint64_t> changed;
  // Applied files that are not in the source, and not above all that is. What had no
  // file, a code step for example, needs none unless it is to run.
  std::vector<uint64_t> missing;
  // Applied ones above everything in the source: a newer release's.
  std::vector<uint64_t> newer;
};
Comparison Compare(const Source& source, const History& history);

// Steps in the order in which they run. Refuses (kFailedPrecondition codes, the
// message names the file): an unfinished step that nobody has repaired, changed
// and missing files, gaps (unless `allow_gaps`: then they are applied too), a
// version that does not exist, and a way down through a migration without a
// (non-empty) down file.
absl::StatusOr<std::vector<PlanStep>> MakePlan(const Source& source, const History& history,
                                               const Target& target, bool allow_gaps);

// The rows (without id, time) with which a database that exists already begins
// its history: every version of the source up to `version`, and that one itself if
// it has no file. Version 0 without a file stands for nothing: a row that it is taken
// back begins the history. Refused if something is applied already.
absl::StatusOr<std::vector<HistoryRow>> MakeBaseline(const Source& source, const History& history,
                                                     uint64_t version);

// A decision of repair about one version.
struct Repair {
  enum class Kind : uint8_t {
    kMarkApplied,     // it is done; an applied one takes its file's checksum over
    kMarkNotApplied,  // nothing of it is there
    kResume,          // the unfinished step goes on with `statement`
  };
  Kind kind = Kind::kMarkApplied;
  uint64_t version = 0;
  // The statement at which kResume goes on, from 1; 0: the one that was running or failed.
  int64_t statement = 0;
};

// The row that says so: with the id of an unfinished row to replace it, or with
// id 0 to be added.
absl::StatusOr<HistoryRow> MakeRepair(const Source& source, const History& history,
                                      const Repair& repair);

}  // namespace penstock::migrations

#endif  // PENSTOCK_MIGRATIONS_PLAN_H_
