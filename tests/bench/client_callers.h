// Callers that use the C++ client.
#ifndef PENSTOCK_TESTS_BENCH_CLIENT_CALLERS_H_
#define PENSTOCK_TESTS_BENCH_CLIENT_CALLERS_H_

#include <string>

#include "absl/status/statusor.h"
#include "tests/bench/load.h"

namespace penstock::bench {

// How callers wait for their answers.
enum class Waiting {
  // Each caller is a thread.
  kBlocking,
  // Each caller makes its next call where the one before has completed, which is the Provider's own
  // thread.
  kAsync,
};

// Runs one round of `round.callers` callers, which share a Provider and its prepared statement.
// Calls of Query and of the query builder are made with kBlocking only. Checks every answer.
absl::StatusOr<RoundResult> RunClientRound(const std::string& address, Waiting waiting,
                                           const Round& round);

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_CLIENT_CALLERS_H_
