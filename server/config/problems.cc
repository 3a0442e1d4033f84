#include "server/config/problems.h"

#include <algorithm>

#include "fmt/format.h"

namespace penstock::server {

void Problems::Add(const Where& where, std::string_view message) {
  problems_.push_back({where.line, fmt::format("{}: {}", where.text, message)});
}

std::string Problems::Lines() const {
  std::vector<Problem> sorted = problems_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Problem& a, const Problem& b) { return a.line < b.line; });
  std::string lines;
  for (const Problem& problem : sorted) {
    if (!lines.empty()) lines += '\n';
    lines += problem.text;
  }
  return lines;
}

absl::Status Problems::ToStatus() const {
  return problems_.empty() ? absl::OkStatus() : absl::InvalidArgumentError(Lines());
}

}  // namespace penstock::server
