// Threads that use the C++ client, each with one call at a time.
#ifndef PENSTOCK_TESTS_BENCH_CLIENT_CALLERS_H_
#define PENSTOCK_TESTS_BENCH_CLIENT_CALLERS_H_

#include <string>

#include "absl/status/statusor.h"
#include "tests/bench/load.h"

namespace penstock::bench {

// How the program expresses the point select.
enum class Saying {
  // As SQL text, kSelectSql.
  kText,
  // With the query builder, as one statement that is kept and bound again for each call.
  kBuilder,
};

// Runs one round of `round.callers` threads, which share a Provider. Ignores `round.call`. Checks
// every answer.
absl::StatusOr<RoundResult> RunClientRound(const std::string& address, Saying saying,
                                           const Round& round);

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_CLIENT_CALLERS_H_
