// Runs a transaction, and repeats it when the database asks for that.
//
//   absl::Status moved = penstock::RunInTransaction(
//       Context().WithTimeout(absl::Seconds(5)), *db,
//       [](const penstock::Context& ctx, penstock::Transaction& tx) {
//         auto taken = tx.Exec(ctx, "UPDATE users SET balance = balance - $1 WHERE id = $2", 9, 1);
//         if (!taken.ok()) return taken.status();
//         return tx.Exec(ctx, "UPDATE users SET balance = balance + $1 WHERE id = $2", 9, 2)
//             .status();
//       });
//
// Databases that run serializable transactions concurrently end some of them with ABORTED, which
// means that nothing was done and that the transaction should be repeated. CockroachDB always does
// so, PostgreSQL when it is asked for that isolation.
#ifndef PENSTOCK_RUN_IN_TRANSACTION_H_
#define PENSTOCK_RUN_IN_TRANSACTION_H_

#include <concepts>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "penstock/context.h"
#include "penstock/provider.h"

namespace penstock {

struct RunOptions {
  TransactionOptions transaction = {};
  // How many times the body is run at most, including the first time.
  int max_attempts = 16;
  // The pause before the second attempt, and the longest pause before later ones. Each pause is
  // twice as long as the one before, less a random part of up to a half, so that transactions that
  // conflicted do not conflict again.
  absl::Duration initial_backoff = absl::Milliseconds(5);
  absl::Duration max_backoff = absl::Seconds(1);
};

namespace internal {

using TransactionBody = std::function<absl::Status(const Context&, Transaction&)>;

// Implements RunInTransaction for a body that returns no value.
absl::Status RunTransaction(const Context& ctx, Provider& provider, const TransactionBody& body,
                            const RunOptions& options);

// Calls a body, with the context if the body takes it.
template <typename Body>
decltype(auto) CallBody(Body& body, const Context& ctx, Transaction& transaction) {
  if constexpr (std::invocable<Body&, const Context&, Transaction&>) {
    return body(ctx, transaction);
  } else {
    return body(transaction);
  }
}

template <typename Body>
using BodyResult = std::remove_cvref_t<decltype(CallBody(
    std::declval<Body&>(), std::declval<const Context&>(), std::declval<Transaction&>()))>;

}  // namespace internal

// A function that RunInTransaction can run: it takes (const Context&, Transaction&) or
// (Transaction&), and returns a Status or a StatusOr.
template <typename Body>
concept TransactionFunction =
    (std::invocable<Body&, const Context&, Transaction&> ||
     std::invocable<Body&, Transaction&>)&&std::constructible_from<internal::BodyResult<Body>,
                                                                   absl::Status>;

// Opens a transaction, runs `body` in it and commits it. Repeats that while IsTransactionRetryable
// says that nothing was done, which includes a connection that broke before COMMIT was sent. The
// transaction of a failed attempt is rolled back before the pause, so that it holds no connection
// meanwhile.
//
// `body` may run several times, and so do its effects outside of the database. It must return
// the error of a failed statement, since that decides whether to repeat, and must neither commit
// nor roll back. An error of its own ends the transaction and is returned. If `body` returns a
// value, the value of the committed attempt is returned.
//
// `ctx` limits the whole call, including each statement of the body, whatever context the
// statement is given. The body can take it as its first argument.
//
// Returns the last attempt's error when the attempts are used up, or when the deadline of `ctx`
// leaves no time for another; CANCELLED when `ctx` is cancelled during a pause. An attempt that
// ended in IsCommitOutcomeUnknown is never repeated, because it may have taken effect. Blocks; may
// be called from any thread.
//
// Transactions do not nest: if a body calls RunInTransaction on the same Provider and the same
// thread, the inner call sends nothing and fails with FAILED_PRECONDITION and the reason
// WRONG_STATE. Pass the body's transaction to the inner code instead, or use Savepoint. A call from
// another thread is not detected: it commits independently, and on SQLite, which has one
// writer, it waits for the outer transaction until its limits pass.
template <TransactionFunction Body>
internal::BodyResult<Body> RunInTransaction(const Context& ctx, Provider& provider, Body&& body,
                                            const RunOptions& options = {}) {
  using Outcome = internal::BodyResult<Body>;
  if constexpr (std::same_as<Outcome, absl::Status>) {
    return internal::RunTransaction(
        ctx, provider,
        [&body](const Context& within, Transaction& transaction) {
          return internal::CallBody(body, within, transaction);
        },
        options);
  } else {
    std::optional<Outcome> value;
    absl::Status done = internal::RunTransaction(
        ctx, provider,
        [&body, &value](const Context& within, Transaction& transaction) -> absl::Status {
          value.emplace(internal::CallBody(body, within, transaction));
          return value->status();
        },
        options);
    if (!done.ok()) return done;
    return *std::move(value);
  }
}

}  // namespace penstock

#endif  // PENSTOCK_RUN_IN_TRANSACTION_H_
