#include "tests/support/account.h"

#include "fmt/format.h"
#include "penstock/errors.h"

namespace penstock::testing {

void Account::Enter(const std::string& id, const absl::Status& status) {
  const std::lock_guard lock(mutex_);
  if (status.ok()) {
    acknowledged_.push_back(id);
  } else if (IsCommitOutcomeUnknown(status)) {
    unknown_.push_back(id);
  } else {
    refused_.emplace(id, status);
  }
}

size_t Account::acknowledged() const {
  const std::lock_guard lock(mutex_);
  return acknowledged_.size();
}

std::string Account::Summary() const {
  const std::lock_guard lock(mutex_);
  return fmt::format("{} acknowledged, {} refused, {} unknown", acknowledged_.size(),
                     refused_.size(), unknown_.size());
}

std::vector<std::string> Account::Check(const std::map<std::string, int>& there) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> wrong;
  const auto expect = [&](const std::string& id, int least, int most, const std::string& told) {
    const auto found = there.find(id);
    const int count = found == there.end() ? 0 : found->second;
    if (count >= least && count <= most) return;
    wrong.push_back(fmt::format("{} is there {} times; its caller was told: {}", id, count, told));
  };
  for (const std::string& id : acknowledged_) expect(id, 1, 1, "done");
  for (const std::string& id : unknown_) expect(id, 0, 1, "unknown");
  for (const auto& [id, status] : refused_) expect(id, 0, 0, status.ToString());
  return wrong;
}

std::vector<std::string> Account::Refused(
    const std::function<bool(const absl::Status&)>& so) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> found;
  for (const auto& [id, status] : refused_) {
    if (so(status)) found.push_back(id + ": " + status.ToString());
  }
  return found;
}

std::vector<std::string> Account::NotRetryable() const {
  return Refused([](const absl::Status& status) {
    return !IsRetryable(status) && !IsTransactionRetryable(status);
  });
}

void Account::Clear() {
  const std::lock_guard lock(mutex_);
  acknowledged_.clear();
  unknown_.clear();
  refused_.clear();
}

}  // namespace penstock::testing
