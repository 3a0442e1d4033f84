// The steps of a client's transaction.
#ifndef PENSTOCK_DRIVERS_POSTGRES_TRANSACTION_H_
#define PENSTOCK_DRIVERS_POSTGRES_TRANSACTION_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "drivers/api/driver.h"
#include "drivers/postgres/command_runner.h"
#include "drivers/postgres/flavor.h"
#include "drivers/postgres/preparer.h"
#include "drivers/postgres/result_receiver.h"
#include "drivers/postgres/session_keeper.h"
#include "drivers/postgres/statement_runner.h"
#include "drivers/postgres/statement_sender.h"
#include "drivers/postgres/transaction_state.h"

namespace penstock::postgres {

// Each step is as driver::Connection has it. A step whose answer is lost tells whether the
// outcome is known; nothing is in doubt that was not sent.
class TransactionSteps {
 public:
  // All of them outlive it.
  TransactionSteps(const Flavor& flavor, CommandRunner* runner, TransactionState* transaction,
                   Preparer* preparer, SessionKeeper* session, StatementSender* sender,
                   ResultReceiver* receiver, StatementRunner* statement_runner)
      : flavor_(flavor),
        runner_(runner),
        link_(&runner->link()),
        transaction_(transaction),
        preparer_(preparer),
        session_(session),
        sender_(sender),
        receiver_(receiver),
        statement_runner_(statement_runner) {}

  absl::Status Begin(const driver::TransactionOptions& options);
  void Run(driver::StatementRun* run);
  absl::Status Commit();
  absl::Status RunAndCommit(driver::StatementRun* run);
  absl::Status Rollback();
  absl::Status Savepoint(std::string_view name);
  absl::Status RollbackTo(std::string_view name);
  absl::Status Release(std::string_view name);

 private:
  absl::Status TryBegin(const driver::TransactionOptions& options);
  // Runs one step; it fails if the backend has ended the transaction.
  absl::Status Step(const std::string& sql);
  // Runs the statement and the COMMIT in one segment, so that there is no commit if the
  // statement fails.
  absl::Status RunOnceAndCommit(driver::StatementRun* run);
  // Receives the answer to a COMMIT; `failed`: the transaction has failed before it.
  absl::Status TakeCommit(PendingCommand* command, bool failed);
  // Returns the error of a commit that has ended so.
  absl::Status Committed(const absl::Status& committed);
  // If the transaction has changed definitions, tells the other sessions.
  void PublishDefinitions();

  const Flavor& flavor_;
  CommandRunner* const runner_;
  Link* const link_;
  TransactionState* const transaction_;
  Preparer* const preparer_;
  SessionKeeper* const session_;
  StatementSender* const sender_;
  ResultReceiver* const receiver_;
  StatementRunner* const statement_runner_;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_TRANSACTION_H_
