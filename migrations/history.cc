#include "migrations/history.h"

#include <algorithm>
#include <utility>

namespace penstock::migrations {

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
