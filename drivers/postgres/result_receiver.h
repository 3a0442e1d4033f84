// Takes the results of one statement, up to its end, and says how it has ended.
#ifndef PENSTOCK_DRIVERS_POSTGRES_RESULT_RECEIVER_H_
#define PENSTOCK_DRIVERS_POSTGRES_RESULT_RECEIVER_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "drivers/api/driver.h"
#include "drivers/postgres/command_runner.h"
#include "drivers/postgres/flavor.h"
#include "drivers/postgres/options.h"
#include "drivers/postgres/statement.h"
#include "drivers/postgres/transaction_state.h"

namespace penstock::postgres {

class ResultReceiver {
 public:
  // How the results of one statement have ended.
  enum class Ending : uint8_t {
    kDone,  // the run's status says how
    kMore,  // the batch is full, and rows are left
  };
  // The most bytes that are buffered of a result that cannot be left to a cursor.
  static constexpr size_t kNoCursor = size_t{32} << 20;

  // All of them outlive the receiver.
  ResultReceiver(const Options& options, const Flavor& flavor, CommandRunner* runner,
                 const TransactionState* transaction)
      : options_(options), flavor_(flavor), runner_(runner), transaction_(transaction) {}

  // Receives up to the end of the command, and of the segment if the command ends with it, or
  // until the writer has `max_bytes`. Status, summary and `read_only` of the run say what has
  // come of it: an error that leaves open whether a write was done is kCommitOutcomeUnknown.
  Ending Receive(driver::StatementRun* run, const Statement& statement, PendingCommand* command,
                 size_t max_bytes);
  // To be called after kMore if there is no cursor: cancels the statement, with the error that
  // its result is too large, and receives the rest.
  void RefuseRest(driver::StatementRun* run, const Statement& statement, PendingCommand* command,
                  size_t max_bytes);

 private:
  // Returns true if the row is in the writer.
  bool TakeRow(const Result& row, const Statement& statement, driver::StatementRun* run,
               PendingCommand* command);
  // False: the rows have come in a form that cannot be answered, and the link is broken.
  bool TakeDone(const Result& done, driver::StatementRun* run, PendingCommand* command);
  // `over`: the server had said before that it ends the session.
  void TakeError(const Result& error, const Statement& statement, bool over,
                 driver::StatementRun* run, const PendingCommand& command);
  absl::Status WriteRow(const Result& row, const Statement& statement, driver::RowWriter* writer);
  absl::Status WriteValueOf(const Result& row, int column, const Statement& statement,
                            driver::RowWriter* writer);
  Ending Ended(driver::StatementRun* run, const Statement& statement,
               const PendingCommand& command) const;
  // Returns what `status`, should it be that the link was lost, means for a statement that was
  // sent.
  absl::Status WhenLost(const absl::Status& status, const Statement& statement, bool over) const;

  const Options& options_;
  const Flavor& flavor_;
  CommandRunner* const runner_;
  const TransactionState* const transaction_;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_RESULT_RECEIVER_H_
