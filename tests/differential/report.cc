#include "tests/differential/report.h"

namespace penstock::differential {

void Report::Add(const Report& other) {
  const auto add = [](auto* to, const auto& from) {
    for (const auto& [key, count] : from) (*to)[key] += count;
  };
  scripts += other.scripts;
  results += other.results;
  values += other.values;
  failures += other.failures;
  agreed += other.agreed;
  disagreed += other.disagreed;
  add(&compared, other.compared);
  add(&left_out, other.left_out);
  add(&known, other.known);
  for (const std::string& place : other.first_disagreements) {
    if (first_disagreements.size() < kShownDisagreements) first_disagreements.push_back(place);
  }
  differences.insert(differences.end(), other.differences.begin(), other.differences.end());
}

}  // namespace penstock::differential
