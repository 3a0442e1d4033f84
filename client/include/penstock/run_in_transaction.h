// A transaction that is run again when the database asks for it.
//
//   absl::Status moved = penstock::RunInTransaction(
//       ctx.WithTimeout(absl::Seconds(5)), *db, [&](penstock::Transaction& tx) {
//         auto taken = tx.Exec(ctx, "UPDATE users SET balance = balance - $1 WHERE id = $2", 100,
//         1); if (!taken.ok()) return taken.status(); return tx.Exec(ctx, "UPDATE users SET balance
//         = balance + $1 WHERE id = $2", 100, 2)
//             .status();
//       });
//
// Databases that run transactions concurrently as if one after another, as
// CockroachDB always does and PostgreSQL when it is asked to, end some of them with
// ABORTED, which says: nothing was done, do it again.
#ifndef PENSTOCK_RUN_IN_TRANSACTION_H_
#define PENSTOCK_RUN_IN_TRANSACTION_H_

#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "penstock/context.h"
#include "penstock/provider.h"

namespace penstock {

struct RunOptions {
  TransactionOptions transaction;
  // How often it is run at most, the first time included.
  int max_attempts = 16;
  // The pause before the second attempt, and the most before any later one. Each
  // is twice as long as the one before, less up to a half at random, so that
  // those who were in each other's way are not again.
  absl::Duration first_pause = absl::Milliseconds(5);
  absl::Duration longest_pause = absl::Seconds(1);
};

// Opens a transaction, runs `body` in it and commits, once or, where
// IsTransactionRetryable says that nothing was done, as often as it takes. The
// transaction of an attempt that failed is rolled back before the pause, so that no
// connection is held for it.
//
// `body` may be run several times, so what it does beside the database is done
// several times, too. It returns what its statements returned, since that says whether to
// run it again, and neither commits nor rolls back. An error of its own ends the
// transaction and is returned.
//
// Returns the last attempt's failure when the attempts are used up, or when the
// deadline of `ctx` leaves no time for another; CANCELLED when `ctx` is cancelled
// in a pause. IsCommitOutcomeUnknown is never tried again: it may have taken
// effect. `ctx` limits opening, committing and pausing; the statements in `body`
// have the one that is given to them. Blocks; may be called from any thread.
absl::Status RunInTransaction(const Context& ctx, Provider& provider,
                              const std::function<absl::Status(Transaction&)>& body,
                              const RunOptions& options = {});

}  // namespace penstock

#endif  // PENSTOCK_RUN_IN_TRANSACTION_H_
