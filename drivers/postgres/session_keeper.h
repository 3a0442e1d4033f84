// Keeps a session as its next caller has to find it.
#ifndef PENSTOCK_DRIVERS_POSTGRES_SESSION_KEEPER_H_
#define PENSTOCK_DRIVERS_POSTGRES_SESSION_KEEPER_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "drivers/api/driver.h"
#include "drivers/postgres/command_runner.h"
#include "drivers/postgres/flavor.h"
#include "drivers/postgres/options.h"
#include "drivers/postgres/preparer.h"
#include "drivers/postgres/statement.h"
#include "drivers/postgres/transaction_state.h"

namespace penstock::postgres {

// Sets a session up, notes what each statement may have left behind in it, and undoes that
// before somebody else has the session. cockroach_session.cc has what only CockroachDB needs.
class SessionKeeper {
 public:
  // All of them outlive the keeper.
  SessionKeeper(const Options& options, const Flavor& flavor, CommandRunner* runner,
                TransactionState* transaction, Preparer* preparer)
      : options_(options),
        flavor_(flavor),
        runner_(runner),
        link_(&runner->link()),
        transaction_(transaction),
        preparer_(preparer) {}

  // Sets up a session that has just been opened. kConnectionFailed, kUnknownDatabase: the server
  // or its database is not one that is served.
  absl::Status Begin(const driver::Deadline& deadline);
  // False: READ COMMITTED is not what a transaction gets that asks for it.
  bool read_committed() const { return read_committed_; }

  // Shows the server who asks: queues the change of application_name, with a sync of its own.
  // False: nothing is to be changed. True: TakeCaller has to take the result.
  bool SendCaller(std::string_view caller);
  void TakeCaller(PendingCommand* command);
  // Does both at once.
  void ShowCaller(std::string_view caller, const CommandWatch& watch);

  // Both forget what sequences have told others. The first is for a statement that may ask for
  // it; the second, for a transaction, returns the segments for CommandRunner::TakeAhead.
  absl::Status ForgetSequences(const Statement& statement, const CommandWatch& watch);
  int SendForgetSequences();

  // To be called after each statement, when nothing is on its way: notes what the statement has
  // changed, and fails the run if it has broken the rules of the session.
  void CheckSession(driver::StatementRun* run, const Statement& statement);
  // Notes one of the things that CheckSession does, of a statement that others came after.
  void NoteSequences(const Statement& statement);
  // To be called with the outcome of each step, when the server has told its state. Returns
  // `status` if the client's transaction is there still, or an error that says that it is not.
  absl::Status CheckTransaction(const absl::Status& status);
  static absl::Status TransactionGone();
  // Queues the end of the transaction that StatementSender::Send has begun, which is the driver's
  // own from now on. It has a sync of its own, so that it comes whatever becomes of the statement.
  void SendEndOfOwn();
  // Ends the driver's own transaction, if one is open: it is rolled back, so that nothing lasts of
  // what a function may have done all the same. Breaks the link if that fails.
  void EndOwn();

  // See driver::Connection::KeepSession.
  void Keep(bool keep) { keep_ = keep; }
  // Takes the session for changed, whatever ran.
  void MarkChanged() { changed_ = true; }
  // Undoes what statements have left behind in the session, if they may have. Breaks the link
  // if that fails.
  void CleanUp();

 private:
  // Sets what the session should have begun with and has not.
  absl::Status Settle(const driver::Deadline& deadline);
  // Sets the longest time that the server lets a statement run, should this process not be
  // there any more to end it.
  absl::Status LimitStatements(const driver::Deadline& deadline);
  // Forgets the statements whose meaning the statement may have changed for this client.
  void ChangeSession(const Statement& statement);
  void NoteDefinitions(const Statement& statement);
  // To be called after a statement that has put what the server sends into another encoding.
  void RestoreEncoding(driver::StatementRun* run);
  bool CleanPostgres();
  // Takes the results of that. Returns whether the server has those statements prepared that
  // it should have.
  bool TakeCleaned(const CommandWatch& watch);

  // Asks in one round trip whether the version is served, whether there is a database, and what
  // the server can do.
  absl::Status BeginCockroach(const driver::Deadline& deadline);
  bool CleanCockroach();

  const Options& options_;
  const Flavor& flavor_;
  CommandRunner* const runner_;
  Link* const link_;
  TransactionState* const transaction_;
  Preparer* const preparer_;
  // The name that the session shows; empty: the configured one.
  std::string caller_;
  // The statement that sets what the session's start did not; empty: nothing is to be set.
  std::string missing_settings_;
  // The statement that sets statement_timeout; empty: nothing is to be set.
  std::string statement_timeout_;
  // Sequences may have told numbers to somebody that lastval() would tell to others.
  bool sequences_used_ = false;
  // Something may have been left behind in the session.
  bool changed_ = false;
  bool keep_ = false;
  // These two tell the versions of CockroachDB apart.
  bool knows_autocommit_before_ddl_ = false;
  bool read_committed_ = true;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_SESSION_KEEPER_H_
