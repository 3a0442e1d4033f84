// The load: the same callers for penstockd and for the bare server beside it.
#ifndef PENSTOCK_TESTS_BENCH_LOAD_H_
#define PENSTOCK_TESTS_BENCH_LOAD_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace grpc {
class Channel;
}

namespace penstock::bench {

// What is asked of the server. The tables are those of direct_sqlite.h.
enum class Call {
  // A stream that prepares the point select once; each call is one run of it.
  kPreparedSelect,
  // The same for the insert of one row.
  kPreparedInsert,
  // A call of Query with the point select.
  kQuerySelect,
  // KeyValueService.Get of a key that is there.
  kGet,
  // KeyValueService.Put of one of these keys.
  kPut,
  // etcd's put of the same.
  kEtcdPut,
};

// Rows of the table of the point select, whose names are all of one length.
inline constexpr int64_t kSelectRows = 10'000;
inline constexpr int kNameLength = 10;
inline constexpr char kSelectSql[] = "SELECT id, name FROM points WHERE id = $1";
inline constexpr char kInsertSql[] = "INSERT INTO events(v) VALUES($1)";

// The entries of Get and Put: as many as there are rows, `id` from 1.
inline constexpr size_t kValueBytes = 100;
inline constexpr size_t kKeyBytes = 16;
inline constexpr size_t kEntryBytes = kKeyBytes + kValueBytes;
std::string KeyOf(int64_t id);
std::string ValueOf(int64_t id);

// One measurement.
struct Round {
  Call call = Call::kPreparedSelect;
  // Each has one call outstanding at a time, and sends the next one as soon as
  // it has the answer.
  int callers = 64;
  // Answers of this first part do not count.
  std::chrono::milliseconds warm_up{300};
  std::chrono::milliseconds measured{1500};
  // Take the time of every call, which is a load itself. With one caller it is
  // always taken.
  bool timed = false;
};

struct RoundResult {
  // In the measured part.
  double per_second = 0;
  // If it was timed, in microseconds, of the first caller's calls.
  double p50 = 0;
  double p99 = 0;
  // If it was timed, in microseconds: of the callers' own p99s the middle one and
  // the greatest.
  double median_p99 = 0;
  double slowest_p99 = 0;
  // In the whole round.
  int64_t answers = 0;
};

// Runs one round over `channels`, which the callers share out. Every answer is checked: the row
// asked for, one row inserted. The first call that fails, or answers something else, fails the
// round.
absl::StatusOr<RoundResult> RunRound(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                                     const Round& round);

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_LOAD_H_
