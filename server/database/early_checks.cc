#include "server/database/early_checks.h"

#include <string>
#include <utility>
#include <vector>

#include "drivers/api/error.h"

namespace penstock::server {
namespace {

// Checks take connections away from callers that read.
constexpr size_t kMostUnderWay = 16;

// Tells whether the statement itself is wrong, whoever runs it and when.
bool IsFaultOfStatement(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnimplemented: return true;
    default: return driver::GetErrorInfo(status).reason == driver::Reason::kLimitExceeded;
  }
}

}  // namespace

// Owns everything that the driver looks at, because the run may be answered at any time.
class EarlyChecks::Check final : public PendingRun {
 public:
  Check(EarlyChecks* owner, PendingRun* run, uint64_t ticket)
      : checked(run),
        checked_ticket(ticket),
        owner_(owner),
        text_(run->sql),
        name_(run->caller),
        values_(run->rows.empty() ? run->args.size() : run->rows.front().size(),
                driver::Value::Null()) {
    sql = text_;
    caller = name_;
    args = values_;
    tenant = run->tenant;
    deadline = run->deadline;
    must_only_read = run->must_only_read;
    prepare_only = true;
  }

  void OnRun() override { owner_->OnChecked(this); }

  PendingRun* const checked;
  const uint64_t checked_ticket;

 private:
  EarlyChecks* const owner_;
  const std::string text_;
  const std::string name_;
  const std::vector<driver::Value> values_;
};

EarlyChecks::EarlyChecks(StatementQueue* readers, OnWrong on_wrong)
    : readers_(readers), on_wrong_(std::move(on_wrong)) {}

EarlyChecks::~EarlyChecks() = default;

EarlyChecks::Check* EarlyChecks::Make(PendingRun* run, uint64_t ticket) {
  std::lock_guard lock(mutex_);
  if (under_way_.size() >= kMostUnderWay) return nullptr;
  under_way_.push_back(std::make_unique<Check>(this, run, ticket));
  return under_way_.back().get();
}

void EarlyChecks::Start(Check* check) { readers_->Submit(check); }

void EarlyChecks::OnChecked(Check* check) {
  if (IsFaultOfStatement(check->status)) {
    on_wrong_(check->checked, check->checked_ticket, check->status);
  }
  std::lock_guard lock(mutex_);
  under_way_.remove_if([check](const std::unique_ptr<Check>& each) { return each.get() == check; });
}

}  // namespace penstock::server
