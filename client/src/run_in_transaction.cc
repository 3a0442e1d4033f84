#include "penstock/run_in_transaction.h"

#include <algorithm>
#include <memory>
#include <random>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "client/src/cancellation.h"
#include "penstock/errors.h"

namespace penstock {
namespace {

// Limits the transaction by the deadline of `ctx`, so that the daemon ends it then, too.
TransactionOptions Within(const Context& ctx, const TransactionOptions& options) {
  TransactionOptions limited = options;
  limited.timeout =
      std::min(options.timeout, std::max(ctx.deadline() - absl::Now(), absl::Milliseconds(1)));
  return limited;
}

// Marks a body that runs on this thread; linked to the bodies around it. The list is thread-local
// because a body may call functions that know nothing of the transaction that they run in.
class RunningBody {
 public:
  explicit RunningBody(const Provider& provider) : provider_(&provider), outer_(innermost_) {
    innermost_ = this;
  }
  ~RunningBody() { innermost_ = outer_; }
  RunningBody(const RunningBody&) = delete;
  RunningBody& operator=(const RunningBody&) = delete;

  static bool IsOf(const Provider& provider) {
    const RunningBody* body = innermost_;
    while (body != nullptr && body->provider_ != &provider) body = body->outer_;
    return body != nullptr;
  }

 private:
  static thread_local const RunningBody* innermost_;

  const Provider* const provider_;
  const RunningBody* const outer_;
};

thread_local const RunningBody* RunningBody::innermost_ = nullptr;

// The inner transaction would commit independently, and on SQLite it would wait for the writer
// that the outer one occupies.
absl::Status NestedTransaction() {
  return MakeError(absl::StatusCode::kFailedPrecondition,
                   "RunInTransaction was called within a body of RunInTransaction of the same "
                   "Provider; use the transaction that the body received, or its Savepoint",
                   {.reason = "WRONG_STATE"});
}

// Each attempt is a new transaction. CockroachDB could also restart within the transaction; why
// that is not used: docs/adr/0008-repeated-transactions.md.
absl::Status RunOnce(const Context& ctx, Provider& provider, const internal::TransactionBody& body,
                     const TransactionOptions& options) {
  absl::StatusOr<std::unique_ptr<Transaction>> transaction =
      provider.Transaction(ctx, Within(ctx, options));
  if (!transaction.ok()) return transaction.status();
  (*transaction)->LimitBy(ctx);
  absl::Status done = [&] {
    const RunningBody running(provider);
    return body(ctx, **transaction);
  }();
  if (done.ok()) return (*transaction)->Commit(ctx);
  // The transaction may have ended already. If the rollback cannot be sent, the end of the stream
  // makes the daemon roll back.
  (*transaction)->Rollback(ctx).IgnoreError();
  return done;
}

// Returns between a half and the whole of `pause`.
absl::Duration WithJitter(absl::Duration pause) {
  thread_local std::minstd_rand random(std::random_device{}());
  return pause * std::uniform_real_distribution<double>(0.5, 1.0)(random);
}

}  // namespace

absl::Status internal::RunTransaction(const Context& ctx, Provider& provider,
                                      const TransactionBody& body, const RunOptions& options) {
  if (RunningBody::IsOf(provider)) return NestedTransaction();
  absl::Duration pause = std::min(options.initial_backoff, options.max_backoff);
  for (int attempt = 1;; ++attempt) {
    absl::Status outcome = RunOnce(ctx, provider, body, options.transaction);
    if (!IsTransactionRetryable(outcome) || attempt >= options.max_attempts) return outcome;
    const absl::Time next = absl::Now() + WithJitter(pause);
    if (next >= ctx.deadline()) return outcome;
    if (ctx.cancellation()->WaitUntil(next)) return internal::CheckBeforeCall(ctx);
    pause = std::min(2 * pause, options.max_backoff);
  }
}

}  // namespace penstock
