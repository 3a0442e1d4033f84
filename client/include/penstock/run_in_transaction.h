// A transaction that is run again when the database asks for it.
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
// Databases that run transactions concurrently as if one after another, as
// CockroachDB always does and PostgreSQL when it is asked to, end some of them with
// ABORTED, which says: nothing was done, do it again.
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
  // How often it is run at most, the first time included.
  int max_attempts = 16;
  // The pause before the second attempt, and the most before any later one. Each
  // is twice as long as the one before, less up to a half at random, so that
  // those who were in each other's way are not again.
  absl::Duration first_pause = absl::Milliseconds(5);
  absl::Duration longest_pause = absl::Seconds(1);
};

namespace internal {

using TransactionBody = std::function<absl::Status(const Context&, Transaction&)>;

// RunInTransaction for a body without a value.
absl::Status RunTransaction(const Context& ctx, Provider& provider, const TransactionBody& body,
                            const RunOptions& options);

// Calls a body that takes the context, or does not.
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

// What RunInTransaction runs: a function of (const Context&, Transaction&), or of Transaction&
// alone, that returns a Status or a StatusOr.
template <typename Body>
concept TransactionFunction =
    (std::invocable<Body&, const Context&, Transaction&> ||
     std::invocable<Body&, Transaction&>)&&std::constructible_from<internal::BodyResult<Body>,
                                                                   absl::Status>;

// Opens a transaction, runs `body` in it and commits, once or, where
// IsTransactionRetryable says that nothing was done, as often as it takes; so also when the
// link broke before COMMIT was sent. The transaction of an attempt that failed is rolled back
// before the pause, so that no connection is held for it.
//
// `body` may be run several times, so what it does beside the database is done
// several times, too. It returns what its statements returned, since that says whether to
// run it again, and neither commits nor rolls back. An error of its own ends the
// transaction and is returned. The value of the attempt that was committed is returned.
//
// `ctx` limits all of it, also each statement of the body, whatever context that is given;
// the body gets it as its argument.
//
// Returns the last attempt's failure when the attempts are used up, or when the
// deadline of `ctx` leaves no time for another; CANCELLED when `ctx` is cancelled
// in a pause. IsCommitOutcomeUnknown is never tried again: it may have taken
// effect. Blocks; may be called from any thread.
//
// One transaction does not contain another: from the thread that runs a body, RunInTransaction
// on the same Provider is FAILED_PRECONDITION with the reason WRONG_STATE, and nothing is sent.
// Give the inner code the body's transaction instead, or use Savepoint. From another thread it
// is not noticed: it is committed by itself, and on SQLite, which has one writer, waits for the
// outer one until its limits.
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
