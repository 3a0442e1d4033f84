// Runs statements outside a transaction; those that may wait for each other share a round trip.
#ifndef PENSTOCK_DRIVERS_POSTGRES_BATCH_H_
#define PENSTOCK_DRIVERS_POSTGRES_BATCH_H_

#include <cstddef>
#include <deque>
#include <span>
#include <vector>

#include "drivers/api/driver.h"
#include "drivers/postgres/command_runner.h"
#include "drivers/postgres/flavor.h"
#include "drivers/postgres/options.h"
#include "drivers/postgres/preparer.h"
#include "drivers/postgres/result_receiver.h"
#include "drivers/postgres/session_keeper.h"
#include "drivers/postgres/statement.h"
#include "drivers/postgres/statement_runner.h"
#include "drivers/postgres/statement_sender.h"

namespace penstock::postgres {

class BatchRunner {
 public:
  using Runs = std::span<driver::StatementRun* const>;

  // All of them outlive it.
  BatchRunner(const Options& options, const Flavor& flavor, CommandRunner* runner,
              Preparer* preparer, SessionKeeper* session, StatementSender* sender,
              ResultReceiver* receiver, StatementRunner* statement_runner)
      : options_(options),
        flavor_(flavor),
        runner_(runner),
        link_(&runner->link()),
        preparer_(preparer),
        session_(session),
        sender_(sender),
        receiver_(receiver),
        statement_runner_(statement_runner) {}

  // Both as driver::Connection has them.
  size_t Together(Runs runs);
  size_t RunBatch(Runs runs);

 private:
  // One statement on its way in a batch.
  struct Flight;

  // True: others may wait behind the statement on this connection.
  bool IsBrisk(const driver::StatementRun& run);
  void RunTogether(Runs runs);
  // `again` gets those that have to be run by themselves instead.
  void SendTogether(Runs runs, std::deque<Flight>* flights,
                    std::vector<driver::StatementRun*>* again);
  // Takes the results of all statements that share a sync.
  void ReceiveSegment(std::span<Flight* const> segment, bool* cancelled_one);

  const Options& options_;
  const Flavor& flavor_;
  CommandRunner* const runner_;
  Link* const link_;
  Preparer* const preparer_;
  SessionKeeper* const session_;
  StatementSender* const sender_;
  ResultReceiver* const receiver_;
  StatementRunner* const statement_runner_;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_BATCH_H_
