#include "tests/chaos/load.h"

#include <utility>

#include "fmt/format.h"

namespace penstock::testing {
namespace {

// Whoever waits for longer hangs: nothing here takes a second.
constexpr absl::Duration kPatience = absl::Seconds(60);
constexpr int kRows = 3000;

std::unique_ptr<Provider> Connected(const std::string& target) { return *New({.target = target}); }

}  // namespace

Load::Load(const std::string& target) : db_(Connected(target)) {
  for (int i = 0; i < 2; ++i) {
    Start([this] { Write(false); });
    Start([this] { Write(true); });
    Start([this] { ReadMany(); });
    Start([this] { ReadOne(); });
  }
}

Load::~Load() { Stop(); }

void Load::Stop() {
  stopping_ = true;
  for (std::thread& caller : std::exchange(callers_, {})) caller.join();
}

void Load::Start(std::function<void()> call) {
  callers_.emplace_back([this, call = std::move(call)] {
    while (!stopping_) call();
  });
}

bool Load::Expected(const absl::Status& status) {
  return IsUnavailable(status) && IsTransactionRetryable(status);
}

void Load::Complain(const std::string& what) {
  const std::lock_guard lock(mutex_);
  complaints_.push_back(what);
}

void Load::ReadMany() {
  const Context ctx = Context().WithTimeout(kPatience);
  auto rows = db_->Query(
      ctx, "SELECT i, repeat('x', 50) FROM generate_series(1, $1::bigint) AS g(i)", kRows);
  int64_t count = 0;
  if (rows.ok()) {
    while ((*rows)->Next()) ++count;
  }
  const absl::Status status = rows.ok() ? (*rows)->Err() : rows.status();
  if (status.ok() && count != kRows) Complain(fmt::format("{} rows taken for whole", count));
  if (status.ok()) ++succeeded_;
  if (!status.ok() && !Expected(status)) Complain("reading many: " + status.ToString());
}

void Load::ReadOne() {
  const Context ctx = Context().WithTimeout(kPatience);
  const int64_t asked = next_id_.load();
  auto rows = db_->Query(ctx, "SELECT $1::bigint", asked);
  int64_t answer = 0;
  bool any = false;
  if (rows.ok()) any = (*rows)->Next() && (*rows)->Scan(&answer).ok();
  const absl::Status status = rows.ok() ? (*rows)->Err() : rows.status();
  if (status.ok() && (!any || answer != asked)) Complain("another's answer");
  if (status.ok()) ++succeeded_;
  if (!status.ok() && !Expected(status)) Complain("reading one: " + status.ToString());
}

absl::Status Load::WriteOnce(const Context& ctx, int64_t id, bool in_transaction) {
  if (!in_transaction) return db_->Exec(ctx, "INSERT INTO load VALUES ($1, 0)", id).status();
  return RunInTransaction(
      ctx, *db_,
      [&](Transaction& transaction) {
        auto first = transaction.Exec(ctx, "INSERT INTO load VALUES ($1, 1)", id);
        if (!first.ok()) return first.status();
        return transaction.Exec(ctx, "INSERT INTO load VALUES ($1, 2)", id).status();
      },
      {.max_attempts = 1000});
}

void Load::Write(bool in_transaction) {
  const Context ctx = Context().WithTimeout(kPatience);
  const int64_t id = next_id_.fetch_add(1);
  absl::Status status = WriteOnce(ctx, id, in_transaction);
  while (IsRetryable(status)) status = WriteOnce(ctx, id, in_transaction);
  if (status.ok()) ++succeeded_;
  const std::lock_guard lock(mutex_);
  if (status.ok()) {
    acknowledged_.insert(id);
  } else if (IsCommitOutcomeUnknown(status)) {
    unknown_.insert(id);
  } else {
    complaints_.push_back(fmt::format("writing {}: {}", id, status.ToString()));
  }
}

}  // namespace penstock::testing
