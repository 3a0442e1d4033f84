#include "migrations/history.h"

#include <algorithm>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::migrations {
namespace {

bool Find(std::string_view name, Direction* direction) {
  for (const Direction known : {Direction::kUp, Direction::kDown}) {
    *direction = known;
    if (name == Name(known)) return true;
  }
  return false;
}

bool Find(std::string_view name, RowState* state) {
  for (const RowState known :
       {RowState::kDone, RowState::kRunning, RowState::kFailed, RowState::kResume}) {
    *state = known;
    if (name == Name(known)) return true;
  }
  return false;
}

}  // namespace

std::string_view Name(Direction direction) { return direction == Direction::kUp ? "up" : "down"; }

std::string_view Name(RowState state) {
  switch (state) {
    case RowState::kDone: return "done";
    case RowState::kRunning: return "running";
    case RowState::kFailed: return "failed";
    case RowState::kResume: return "resume";
  }
  return "";
}

absl::StatusOr<HistoryRow> WithNames(HistoryRow row, std::string_view direction,
                                     std::string_view state, std::string_view history) {
  if (Find(direction, &row.direction) && Find(state, &row.state)) return row;
  return driver::MakeErrorWithHint(
      driver::Reason::kDataException,
      fmt::format("row {} of the migration history {} has an unknown direction '{}' or state '{}'",
                  row.id, history, direction, state),
      "use the newer version that may have written it, or give the history a table of its own "
      "(migrations_table)");
}

bool HistoryRow::IsCode() const {
  return checksum.empty() && note != kBaselineNote && !note.starts_with(kAdoptedNote);
}

History::History(std::vector<HistoryRow> rows) : rows_(std::move(rows)) {
  std::sort(rows_.begin(), rows_.end(),
            [](const HistoryRow& a, const HistoryRow& b) { return a.id < b.id; });
  for (const HistoryRow& row : rows_) {
    if (row.state != RowState::kDone) {
      unfinished_[row.version] = row;
      continue;
    }
    unfinished_.erase(row.version);
    if (row.direction == Direction::kUp) {
      applied_[row.version] = row;
    } else {
      applied_.erase(row.version);
    }
  }
}

}  // namespace penstock::migrations
