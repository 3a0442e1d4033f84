// What came of running scripts.
#ifndef PENSTOCK_TESTS_DIFFERENTIAL_REPORT_H_
#define PENSTOCK_TESTS_DIFFERENTIAL_REPORT_H_

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "tests/differential/session.h"

namespace penstock::differential {

// A difference that the list does not have.
struct Difference {
  std::string path;
  int line = 0;
  Mode mode = Mode::kAutocommit;
  std::string sql;
  std::string what;
};

// What came of some scripts.
struct Report {
  size_t scripts = 0;
  // Statements that both sides ran, or one refused as the list has it.
  std::map<Mode, size_t> compared;
  // Of those, answers with rows, and the values in them; failures on both sides.
  size_t results = 0;
  size_t values = 0;
  size_t failures = 0;
  // Why statements were not run, and how many.
  std::map<std::string, size_t> left_out;
  // How often each entry of the list held.
  std::map<std::string, size_t> known;
  // The file's own opinion of what the oracle said.
  size_t agreed = 0;
  size_t disagreed = 0;
  // Where it is another one; at most kShownDisagreements.
  static constexpr size_t kShownDisagreements = 20;
  std::vector<std::string> first_disagreements;
  std::vector<Difference> differences;

  void Add(const Report& other);
};

}  // namespace penstock::differential

#endif  // PENSTOCK_TESTS_DIFFERENTIAL_REPORT_H_
