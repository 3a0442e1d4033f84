// The load: the same callers for penstockd and for the bare server.
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

// The kinds of calls. The tables are those of direct_sqlite.h.
enum class Call {
  // One run of the point select on a stream that has prepared it.
  kPreparedSelect,
  // The same with the insert of one row.
  kPreparedInsert,
  // A call of Query with the point select.
  kQuerySelect,
  // The same by the query builder of the C++ client, as one statement that is kept and bound again
  // for each call.
  kBuilderSelect,
  // KeyValueService.Get of an existing key.
  kGet,
  // KeyValueService.Put of such a key.
  kPut,
  // etcd's Put of such a key.
  kEtcdPut,
};

// The number of rows of the table of the point select. All names have the same length.
inline constexpr int64_t kSelectRows = 10'000;
inline constexpr int kNameLength = 10;
inline constexpr char kSelectSql[] = "SELECT id, name FROM points WHERE id = $1";
inline constexpr char kInsertSql[] = "INSERT INTO events(v) VALUES($1)";

// The entries of Get and Put. There are as many as rows, with `id` from 1.
inline constexpr size_t kValueBytes = 100;
inline constexpr size_t kKeyBytes = 16;
inline constexpr size_t kEntryBytes = kKeyBytes + kValueBytes;
std::string KeyOf(int64_t id);
std::string ValueOf(int64_t id);

// How the runs of a caller of kPreparedSelect are made to fail on PostgreSQL.
enum class Failing {
  kNot,
  // The statement is the caller's own, and fails with every value.
  kStatement,
  // The statement is the point select, and the value no number.
  kValue,
};

// What one more caller does beside those of a round on PostgreSQL, over the same stream.
enum class Neighbour {
  // There is none.
  kNobody,
  // The same as the others.
  kGood,
  // Runs a prepared statement that fails with every value.
  kFailing,
  // Runs a select that takes 50 ms.
  kSlow,
  // Runs a select that takes long, and cancels it when it has been sent.
  kCancelled,
};

// The parameters of one measurement.
struct Round {
  Call call = Call::kPreparedSelect;
  // Each caller has one call outstanding and sends the next one as soon as it has the answer.
  int callers = 64;
  // Answers in this first part do not count.
  std::chrono::milliseconds warm_up{300};
  std::chrono::milliseconds measured{1500};
  // Measures the time of every call, which is itself a load. With one caller the time is always
  // measured.
  bool timed = false;
  // Of a call of Query: the token of who makes it, if there are identities, and the statement,
  // which finds what the point select finds.
  std::string token = {};
  std::string sql = kSelectSql;
  // Every run has to fail then, or the round does.
  Failing failing = Failing::kNot;
  // Of asynchronous prepared selects by the C++ client. The answers of this caller are checked,
  // too, but do not count.
  Neighbour neighbour = Neighbour::kNobody;
};

struct RoundResult {
  // The calls per second in the measured part.
  double per_second = 0;
  // If it was timed: of the first caller's calls, in microseconds.
  double p50 = 0;
  double p99 = 0;
  // If it was timed: the median and the greatest of the callers' own p99s, in microseconds.
  double median_p99 = 0;
  double slowest_p99 = 0;
  // The answers in the whole round.
  int64_t answers = 0;
  // The processor time for each of these, of the client and the server together, in microseconds; 0
  // if it was not measured.
  double processor = 0;
};

// Runs one round over `channels`, which the callers share. Checks every answer: it must be the row
// that was asked for, or one inserted row. The first call that fails or has a wrong answer fails
// the round.
absl::StatusOr<RoundResult> RunRound(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                                     const Round& round);

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_LOAD_H_
