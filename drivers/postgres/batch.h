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
  // What is to be run again, when nothing is on its way any more.
  struct Leftover {
    // They were undone through no fault of their own.
    std::vector<driver::StatementRun*> undone;
    // Nobody is to wait for them.
    std::vector<driver::StatementRun*> alone;
  };

  // True: others may wait behind the statement on this connection.
  bool IsBrisk(const driver::StatementRun& run);
  // Runs all of them to their end.
  void RunTogether(Runs runs);
  // Runs them once, in one round trip. `share`: reads next to each other may share a sync.
  void FlyTogether(Runs runs, bool share, Leftover* left);
  // `doubts` gets those that have failed before they were sent, because they may be out of date.
  void SendTogether(Runs runs, bool share, std::deque<Flight>* flights, std::deque<Flight>* doubts,
                    Leftover* left);
  // Takes the results of all of them.
  void ReceiveTogether(std::deque<Flight>* flights);
  // Takes the results of all statements that share a sync.
  void ReceiveSegment(std::span<Flight* const> segment, bool* cancelled_one);
  // Decides what is to become of a statement whose results are here.
  void Judge(Flight* flight, bool shared, bool cancelled_one);
  // Tells the failures that are the statements' own from those of statements that are out of date.
  void SettleDoubts(std::deque<Flight>* doubts, Leftover* left);
  // Notes which statements are likely to fail.
  void NoteOutcomes(Runs runs);

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
