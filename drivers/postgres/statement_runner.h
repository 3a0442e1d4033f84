// Runs one statement by itself.
#ifndef PENSTOCK_DRIVERS_POSTGRES_STATEMENT_RUNNER_H_
#define PENSTOCK_DRIVERS_POSTGRES_STATEMENT_RUNNER_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "drivers/postgres/bulk_insert.h"
#include "drivers/postgres/command_runner.h"
#include "drivers/postgres/preparer.h"
#include "drivers/postgres/result_receiver.h"
#include "drivers/postgres/session_keeper.h"
#include "drivers/postgres/statement.h"
#include "drivers/postgres/statement_sender.h"
#include "drivers/postgres/transaction_state.h"

namespace penstock::postgres {

// The statement is prepared, sent and received, in the transaction that is open or as one of its
// own. It is run again where that changes nothing but its outcome: when what was prepared does
// not suit the database any more, and when a cancel has hit it that was meant for another.
class StatementRunner {
 public:
  // All of them outlive the runner.
  StatementRunner(const Flavor& flavor, CommandRunner* runner, TransactionState* transaction,
                  Preparer* preparer, SessionKeeper* session, StatementSender* sender,
                  ResultReceiver* receiver)
      : flavor_(flavor),
        runner_(runner),
        link_(&runner->link()),
        transaction_(transaction),
        preparer_(preparer),
        session_(session),
        sender_(sender),
        receiver_(receiver),
        bulk_(flavor, runner, transaction, preparer, sender, receiver) {}

  // Runs the statement. `may_leave_cursor`: rows beyond the limits of the run are left to a
  // cursor, and refused otherwise.
  void Run(driver::StatementRun* run, bool may_leave_cursor);

  // True: the text will not come again, and nobody wants its rows, so that it is neither prepared
  // nor asked about.
  static bool IsOnce(const driver::StatementRun& run) {
    return run.once && run.writer == nullptr && run.rows.empty();
  }
  // Makes the statement of such a run, and its values ready for SendOnce.
  absl::StatusOr<Statement> MakeOnce(const driver::StatementRun& run);
  // Queues the statement without a sync. False: the link is broken.
  bool SendOnce(const Statement& statement);

  // Whether a failure comes of what was true when the statement was described.
  enum class Staleness : uint8_t {
    kNone,   // no
    kDoubt,  // only if the server would describe it in another way today; Preparer can ask
    kStale,  // it may, and only a run of the statement as it is described today can tell
  };
  // Judges the status of `run`, which may be OK.
  Staleness StalenessAfter(const driver::StatementRun& run, const Statement& statement) const;

 private:
  void RunOnce(driver::StatementRun* run);
  // Tells what to do after one attempt to run a statement.
  enum class Next : uint8_t { kDone, kAgain };
  Next TryPrepared(driver::StatementRun* run, bool may_leave_cursor,
                   std::unique_ptr<CommandWatch>* watch);
  // These two return whether the server has seen the statement, so that its failure counts.
  bool RunMany(driver::StatementRun* run, Statement* statement, const CommandWatch& watch);
  bool RunPrepared(driver::StatementRun* run, Statement* statement, bool may_leave_cursor,
                   std::unique_ptr<CommandWatch>* watch);
  // Returns whether the statement may be run again by itself because a cancel has hit it that
  // was meant for another. In a client's transaction, which the cancel has aborted, it may not:
  // then `status` says that the transaction has to be run again.
  bool RunsAgain(absl::Status* status) const;

  // Refuses what a caller who may only read must not run, although a read-only transaction of the
  // server's would let it pass.
  absl::Status CheckCaller(const driver::StatementRun& run, const Statement& statement) const;

  // Whether the run needs a transaction of the driver's own that is begun before it is prepared.
  bool NeedsOwn(const driver::StatementRun& run) const;
  // Runs such a one; see own_transaction.cc.
  void RunOwn(driver::StatementRun* run, bool may_leave_cursor);

  // Whether the statement of a run that has failed, of which nothing is on its way any more, is
  // to be made known anew for another attempt.
  bool IsStale(const driver::StatementRun& run, const Statement& statement,
               const CommandWatch& watch);

  const Flavor& flavor_;
  CommandRunner* const runner_;
  Link* const link_;
  TransactionState* const transaction_;
  Preparer* const preparer_;
  SessionKeeper* const session_;
  StatementSender* const sender_;
  ResultReceiver* const receiver_;
  BulkInsert bulk_;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_STATEMENT_RUNNER_H_
