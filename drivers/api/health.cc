#include "drivers/api/health.h"

#include <algorithm>
#include <utility>

namespace penstock::driver {

void ProblemList::Begin(Problem problem) {
  std::lock_guard lock(mutex_);
  const auto found = std::find_if(problems_.begin(), problems_.end(),
                                  [&](const Problem& each) { return each.kind == problem.kind; });
  if (found == problems_.end()) {
    problems_.push_back(std::move(problem));
  } else {
    *found = std::move(problem);
  }
}

void ProblemList::End(std::string_view kind) {
  std::lock_guard lock(mutex_);
  std::erase_if(problems_, [&](const Problem& each) { return each.kind == kind; });
}

std::vector<Problem> ProblemList::List() const {
  std::lock_guard lock(mutex_);
  return problems_;
}

}  // namespace penstock::driver
