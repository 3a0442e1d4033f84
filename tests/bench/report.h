// What a suite found, as a table for people and as JSON for programs.
#ifndef PENSTOCK_TESTS_BENCH_REPORT_H_
#define PENSTOCK_TESTS_BENCH_REPORT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace penstock::bench {

// What the ratio ours/theirs is held against.
struct Target {
  double value = 0;
  // The ratio is at most `value`; otherwise at least.
  bool at_most = false;
};

// One comparison.
struct Row {
  std::string what;
  double ours = 0;
  std::string against;
  double theirs = 0;
  std::string unit;
  // The median of the rounds, and the least and the greatest.
  double ratio = 0;
  double lowest = 0;
  double highest = 0;
  // Not set: the row is there to be read.
  std::optional<Target> target;

  // Whether the median is "met" or "missed"; empty without a target.
  std::string Verdict() const;
  // The rounds differ too much for the figure to be repeated: on a machine that is
  // busy with something else a peer can be slowed down far more than penstockd is.
  // A mark beside the verdict, which it does not replace: a missed target stays missed.
  bool Unstable() const;
};

// A row from one measurement of each a round, at least one: the medians of the
// figures, and the median of the rounds' ratios.
Row MakeRow(std::string what, const std::vector<double>& ours, std::string against,
            const std::vector<double>& theirs, std::string unit, std::optional<Target> target);

// "<processor>, <n> cores, <kernel>, load <average over the last minute>". Call it
// before the measurements, which are a load themselves.
std::string DescribeMachine();

// Prints an aligned table to standard output.
void PrintTable(const std::string& machine, const std::vector<Row>& rows);

// {"machine": ..., "rows": [{"what", "ours", "against", "theirs", "unit", "ratio",
// "spread": [lowest, highest], "unstable", "target"}]}, with "better" ("higher" or
// "lower") and "verdict" beside a target; without one it is null.
absl::Status WriteJson(const std::string& path, const std::string& machine,
                       const std::vector<Row>& rows);

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_REPORT_H_
