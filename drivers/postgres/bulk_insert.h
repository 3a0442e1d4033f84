// Runs a statement for many rows: all of them, or none.
#ifndef PENSTOCK_DRIVERS_POSTGRES_BULK_INSERT_H_
#define PENSTOCK_DRIVERS_POSTGRES_BULK_INSERT_H_

#include <span>
#include <vector>

#include "absl/status/status.h"
#include "drivers/api/driver.h"
#include "drivers/postgres/bulk.h"
#include "drivers/postgres/command_runner.h"
#include "drivers/postgres/flavor.h"
#include "drivers/postgres/preparer.h"
#include "drivers/postgres/result_receiver.h"
#include "drivers/postgres/statement.h"
#include "drivers/postgres/statement_sender.h"
#include "drivers/postgres/transaction_state.h"

namespace penstock::postgres {

// Takes the fastest way that means the same as one execution for each row: COPY (copy.cc),
// arrays, or on CockroachDB statements of several rows each. If that fails it is undone, and the
// rows go one by one, which finds the row that is at fault.
class BulkInsert {
 public:
  // All of them outlive it.
  BulkInsert(const Flavor& flavor, CommandRunner* runner, const TransactionState* transaction,
             Preparer* preparer, StatementSender* sender, ResultReceiver* receiver)
      : flavor_(flavor),
        runner_(runner),
        link_(&runner->link()),
        transaction_(transaction),
        preparer_(preparer),
        sender_(sender),
        receiver_(receiver) {}

  // Runs `statement`, which is prepared for them, for all rows of `run` in one transaction.
  // Rows that it returns are dropped.
  void RunRows(driver::StatementRun* run, Statement* statement, const CommandWatch& watch);

 private:
  void RunRowByRow(driver::StatementRun* run, const Statement& statement,
                   const CommandWatch& watch);
  // Each of these three returns false if nothing has happened: the rows have to go another way.
  bool RunCopy(driver::StatementRun* run, Statement* plain, const CommandWatch& watch);
  bool RunArrays(driver::StatementRun* run, const Statement& plain, const CommandWatch& watch);
  bool RunSeveral(driver::StatementRun* run, const Statement& plain, const CommandWatch& watch);

  // Ends the segment of RunArrays or RunSeveral; `good`: all was sent.
  bool EndBulk(driver::StatementRun* run, const Statement& statement, const CommandWatch& watch,
               bool good);
  // Undoes what was done since SAVEPOINT penstock_rows in the client's transaction.
  absl::Status UndoSavepoint();

  // Opens the transaction of a COPY, or a savepoint in the client's. False: the rows are not to
  // go by COPY (noted in `plain`), or something went wrong.
  bool BeginCopy(const CopyForm& form, Statement* plain, PendingCommand* command);
  bool SendRows(driver::StatementRun* run, const CopyForm& form, const Statement& plain,
                PendingCommand* command);
  bool SendAllRows(std::span<const std::vector<driver::Value>> rows, const Statement& plain,
                   PendingCommand* command);
  // Waits until what is queued has been sent. False: it is to end, or the link broke.
  bool Flush(PendingCommand* command);
  absl::Status EndCopy(const CommandWatch& watch);
  absl::Status UndoCopy();

  const Flavor& flavor_;
  CommandRunner* const runner_;
  Link* const link_;
  const TransactionState* const transaction_;
  Preparer* const preparer_;
  StatementSender* const sender_;
  ResultReceiver* const receiver_;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_BULK_INSERT_H_
