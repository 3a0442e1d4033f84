// Writes the results of a suite as a table for people and as JSON for programs.
#ifndef PENSTOCK_TESTS_BENCH_REPORT_H_
#define PENSTOCK_TESTS_BENCH_REPORT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace penstock::bench {

// The target for the ratio of ours to theirs.
struct Target {
  double value = 0;
  // True if the ratio must be at most `value`, false if it must be at least `value`.
  bool at_most = false;
};

// One comparison.
struct Row {
  std::string what;
  double ours = 0;
  std::string against;
  double theirs = 0;
  std::string unit;
  // The median of the rounds' ratios, the least and the greatest.
  double ratio = 0;
  double lowest = 0;
  double highest = 0;
  // The processor time for each call, of client and server together, in microseconds; 0 if it was
  // not measured.
  double our_processor = 0;
  double their_processor = 0;
  // Not set if the row is only informative.
  std::optional<Target> target;

  // Returns "met" or "missed" for the median; empty without a target.
  std::string Verdict() const;
  // Returns true if the rounds differ so much that the figure cannot be reproduced: on a busy
  // machine a peer may be slowed down far more than penstockd. It is shown next to the verdict and
  // does not replace it: a missed target stays missed.
  bool Unstable() const;
};

double Median(std::vector<double> values);

// Makes a row from at least one round, in each of which both sides were measured: the medians of
// the figures, and the median of the rounds' ratios.
Row MakeRow(std::string what, const std::vector<double>& ours, std::string against,
            const std::vector<double>& theirs, std::string unit, std::optional<Target> target);

// Returns "<processor>, <n> cores, <kernel>, load <average over the last minute>". Call it before
// the measurements, which are a load themselves.
std::string DescribeMachine();

// Prints an aligned table to standard output.
void PrintTable(const std::string& machine, const std::vector<Row>& rows);

// Writes {"machine": ..., "rows": [{"what", "ours", "against", "theirs", "unit", "ratio",
// "spread": [lowest, highest], "unstable", "processor": [ours, theirs], "target"}]}. A target has
// "better" ("higher" or "lower") and "verdict"; it is null if there is none. So is a processor time
// that was not measured.
absl::Status WriteJson(const std::string& path, const std::string& machine,
                       const std::vector<Row>& rows);

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_REPORT_H_
