// The history of a database: which migrations were applied to it, and how far.
#ifndef PENSTOCK_MIGRATIONS_HISTORY_H_
#define PENSTOCK_MIGRATIONS_HISTORY_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace penstock::migrations {

enum class Direction : uint8_t { kUp, kDown };

enum class RowState : uint8_t {
  // It is complete.
  kDone,
  // A step without a transaction has begun. Found by another migrator: it was
  // cut off in the middle.
  kRunning,
  // A statement of a step without a transaction has failed.
  kFailed,
  // Repair has decided that the step goes on with `statement`.
  kResume,
};

std::string_view Name(Direction direction);  // "up", "down"
std::string_view Name(RowState state);       // "done", "running", "failed", "resume"

// One row: one run of a step, or one decision of baseline or repair. Rows are
// only ever added, but for the progress of a step without a transaction.
struct HistoryRow {
  // Rises by one with each row. Two migrators that both think it is their turn
  // would use the same one, so the second fails.
  int64_t id = 0;
  uint64_t version = 0;
  std::string name;
  // The checksum of the `up` script; empty for a code step and where there was no file.
  std::string checksum;
  Direction direction = Direction::kUp;
  RowState state = RowState::kDone;
  // The number, from 1, of the statement that ran or failed last, or that is to run next (kResume),
  // of a step without a transaction that is not done; 0 of any other.
  int64_t statement = 0;
  // The error of a kFailed row. A kDone row has "code" if it was a code step, and "baseline",
  // "repair" or "adopted from …" if nothing was run.
  std::string note;
  // Unix time in microseconds.
  int64_t applied_at_us = 0;
  int64_t duration_ms = 0;

  bool operator==(const HistoryRow&) const = default;

  // It is a code step's. Rows of one had no note once; their checksum was empty, too.
  bool IsCode() const;
};

// The row with its direction and state as they are stored, by name. kDataException
// names the row and `history` if there are none of these names.
absl::StatusOr<HistoryRow> WithNames(HistoryRow row, std::string_view direction,
                                     std::string_view state, std::string_view history);

// The note of a code step's row.
inline constexpr std::string_view kCodeNote = "code";
// A note of a row that is no run; the last one is followed by the name of a tool.
inline constexpr std::string_view kBaselineNote = "baseline";
inline constexpr std::string_view kRepairNote = "repair";
inline constexpr std::string_view kAdoptedNote = "adopted from ";

// The state that the rows come to.
class History {
 public:
  History() = default;
  // In any order.
  explicit History(std::vector<HistoryRow> rows);

  // In the order of their ids.
  const std::vector<HistoryRow>& rows() const { return rows_; }
  bool empty() const { return rows_.empty(); }
  int64_t next_id() const { return rows_.empty() ? 1 : rows_.back().id + 1; }

  // The row that put a version where it is; those that were taken back are
  // not there. Ordered by version.
  const std::map<uint64_t, HistoryRow>& applied() const { return applied_; }
  // Steps that stopped in the middle; at most one a version.
  const std::map<uint64_t, HistoryRow>& unfinished() const { return unfinished_; }
  // The highest applied version; 0: none, or that one.
  uint64_t version() const { return applied_.empty() ? 0 : applied_.rbegin()->first; }

 private:
  std::vector<HistoryRow> rows_;
  std::map<uint64_t, HistoryRow> applied_;
  std::map<uint64_t, HistoryRow> unfinished_;
};

}  // namespace penstock::migrations

#endif  // PENSTOCK_MIGRATIONS_HISTORY_H_
