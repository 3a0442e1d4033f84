// One PostgreSQL session behind the driver interface.
#ifndef PENSTOCK_DRIVERS_POSTGRES_CONNECTION_H_
#define PENSTOCK_DRIVERS_POSTGRES_CONNECTION_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "drivers/postgres/bulk.h"
#include "drivers/postgres/catalogue.h"
#include "drivers/postgres/definitions.h"
#include "drivers/postgres/effects.h"
#include "drivers/postgres/encode.h"
#include "drivers/postgres/flavor.h"
#include "drivers/postgres/link.h"
#include "drivers/postgres/options.h"
#include "drivers/postgres/parameter_types.h"
#include "drivers/postgres/statement.h"
#include "drivers/postgres/syntax.h"
#include "drivers/postgres/types.h"

namespace penstock::postgres {

// See driver::Connection for the contract. batch.cc has RunBatch, execute.cc one
// statement's way through the server, rows.cc and copy.cc one that is run for many rows,
// prepare.cc how statements are made known, describe.cc and learn.cc what is learnt of them,
// stale_read.cc reads of the past, transaction.cc the client's transaction, connection.cc the
// session itself, and cockroach_session.cc what is CockroachDB's own in that.
class Connection final : public driver::Connection {
 public:
  // All of them outlive the connection.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const Options& options,
                                                          const Flavor& flavor, TypeRegistry* types,
                                                          Definitions* definitions,
                                                          const driver::Deadline& deadline);

  size_t Together(std::span<driver::StatementRun* const> runs) override;
  size_t RunBatch(std::span<driver::StatementRun* const> runs) override;
  void Run(driver::StatementRun& run) override;
  absl::StatusOr<driver::StatementInfo> Describe(std::string_view sql,
                                                 const driver::Deadline& deadline,
                                                 driver::Cancellation* cancellation) override;
  absl::Status Begin(const driver::TransactionOptions& options) override;
  absl::Status Commit() override;
  absl::Status RunAndCommit(driver::StatementRun& run) override;
  absl::Status Rollback() override;
  absl::Status Savepoint(std::string_view name) override;
  absl::Status RollbackTo(std::string_view name) override;
  absl::Status Release(std::string_view name) override;
  bool transaction_aborted() const override;
  absl::Status Ping(const driver::Deadline& deadline) override;
  absl::Status Reset() override;
  bool Alive() override;
  void KeepSession(bool keep) override { keep_session_ = keep; }
  bool healthy() const override;

  std::string server_version() const { return link_->setting("server_version"); }
  // Empty: this is no CockroachDB.
  std::string cockroach_version() const { return link_->setting("crdb_version"); }
  // READ COMMITTED is what a transaction gets that asks for it.
  bool read_committed() const { return read_committed_; }

 private:
  friend class Cursor;
  using Runs = std::span<driver::StatementRun* const>;

  // What a command that is being waited for may be ended by. It hears of a
  // cancel for as long as it lives.
  class Watch final : driver::Cancellation::Listener {
   public:
    Watch(Link* link, const driver::Deadline& deadline, driver::Cancellation* cancellation);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    // Why it is to end; OK: it may go on.
    absl::Status Interruption() const;
    driver::TimePoint until() const { return deadline_.at; }
    bool cancelled() const { return cancellation_ != nullptr && cancellation_->cancelled(); }

   private:
    void OnCancel() override { link_->Wake(); }

    Link* const link_;
    const driver::Deadline deadline_;
    driver::Cancellation* const cancellation_;
  };

  // One command in flight and what has come of it so far.
  struct Command {
    explicit Command(const Watch* of) : watch(of), until(of->until()) {}
    // Why it is to end; OK: it may go on.
    absl::Status Interruption() const;

    const Watch* watch;
    // Of others in its segment, which end with it: the server tells nothing of
    // the first before it has come to the last. May be null.
    const std::vector<const Watch*>* others = nullptr;
    // The earliest of all of them.
    driver::TimePoint until;
    // False: another command follows before the sync.
    bool ends_with_sync = true;
    // Executions that have succeeded.
    size_t done = 0;
    // Results that were asked for, so that the time is looked at now and then.
    size_t results = 0;
    // It was not run: one before it in its segment has failed.
    bool skipped = false;
    // Rows were thrown away: it cannot end well any more.
    bool rows_dropped = false;
    // Set once the server has been asked to cancel it.
    absl::Status interruption;
    driver::TimePoint give_up = driver::TimePoint::max();
    driver::TimePoint cancel_again = driver::TimePoint::max();
    std::chrono::milliseconds cancel_pause{50};
  };

  // How the results of one statement have ended.
  enum class Ending : uint8_t {
    kDone,  // its status says how
    kMore,  // the first batch is full
  };

  Connection(const Options& options, const Flavor& flavor, TypeRegistry* types,
             Definitions* definitions, std::unique_ptr<Link> link);

  // --- connection.cc
  // Commands can be sent still.
  bool linked() const { return !link_->broken(); }
  // Nobody else is to have it: see closing() in connection.cc.
  bool closing() const;
  // Before anything runs: forgets what was prepared for definitions that have changed.
  void Refresh();
  // Undoes what statements have left behind in the session, if they may have.
  void CleanUp();

  // Shows the server who asks: queues the change of application_name, with a sync of
  // its own. False: nothing is to be changed. Else TakeCaller comes first.
  bool SendCaller(std::string_view caller);
  // Takes the result of that.
  void TakeCaller(Command* command);
  // Queues a statement of the driver's own, with a sync of its own; its outcome does not
  // matter. Returns how many results TakeAhead has to take: 1.
  int SendAhead(const std::string& sql);
  // The same for the names of statements that are not kept any more.
  int SendDeallocations();
  void TakeAhead(int segments, const Watch& watch);
  // Before a statement that may ask for it: forgets what sequences have told others.
  absl::Status ForgetSequences(const Statement& statement, const Watch& watch);
  // The statement may have left something behind in the session, by which others of the
  // same client may mean something else from now on, unless it keeps their meaning.
  void ChangeSession(const Statement& statement);
  // After CleanUp's statements: whether the server has those prepared that it should.
  bool TakeCleaned(const Watch& watch);
  // Sets what the session should have begun with and has not.
  absl::Status Settle(const driver::Deadline& deadline);
  // The longest that the server lets a statement run, should this process not be
  // there any more to end it.
  absl::Status LimitStatements(const driver::Deadline& deadline);

  // --- cockroach_session.cc
  // Is the version served, is there a database, what has the server: in one round trip.
  absl::Status BeginCockroach(const driver::Deadline& deadline);
  static bool TellsNoDatabase(const absl::Status& status);
  bool CleanCockroach();

  // --- batch.cc
  // Others may wait behind it on this connection.
  bool IsBrisk(const driver::StatementRun& run);
  void RunTogether(Runs runs);
  struct Flight;
  // `again`: those that are to be run by themselves instead.
  void SendTogether(Runs runs, std::deque<Flight>* flights,
                    std::vector<driver::StatementRun*>* again);
  // Takes the results of what shares a sync.
  void ReceiveSegment(std::span<Flight* const> segment, bool* cancelled_one);

  // --- execute.cc
  // The next result of `command`, which is cancelled when its time is up. Fails
  // when the link breaks, or is broken because the server does not react.
  absl::StatusOr<Result> Next(Command* command);
  // Has the server cancel it; it ends with `why` (OK: nothing happens).
  void Interrupt(Command* command, absl::Status why);
  // Takes what is left of a segment, up to its sync, and returns the first error
  // in it. `visit`, if not null, is shown each row, which come one by one after a first
  // RowByRow, and each end of a command; false: what the server sends is not to be
  // believed, and the link is broken.
  using Visit = std::function<bool(const Result&)>;
  absl::Status FinishSegment(Command* command, const Visit& visit = nullptr);
  // The error without the values of the parameters of `run`, if it is not null.
  absl::Status Failure(const Result& result, const Command& command,
                       const driver::StatementRun* run = nullptr,
                       const Statement* statement = nullptr) const;
  // Runs a statement of the driver's own.
  absl::Status Control(const std::string& sql, const Watch& watch);
  absl::Status Control(const std::string& sql);
  static driver::Deadline ControlLimit();
  // A statement whose text will not come again, and whose rows nobody wants, is not prepared,
  // and nobody is asked what it does.
  static bool IsOnce(const driver::StatementRun& run) {
    return run.once && run.writer == nullptr && run.rows.empty();
  }
  // What is known of it; each parameter has the type that the kind of its value stands for.
  absl::StatusOr<Statement> MakeOnce(const driver::StatementRun& run);
  bool SendOnce(const Statement& statement);
  void RunOnce(driver::StatementRun* run);
  // Runs one by itself.
  void RunOne(driver::StatementRun* run, bool may_leave_cursor);
  // These two return whether the server has seen it, so that its failure counts.
  bool RunMany(driver::StatementRun* run, Statement* statement, const Watch& watch);
  bool RunPrepared(driver::StatementRun* run, Statement* statement, bool may_leave_cursor,
                   std::unique_ptr<Watch>* watch);
  // Its failure may come of what was true when the statement was described.
  static bool MayBeStale(const absl::Status& status, const Statement& statement);
  bool IsStale(const ServerError& error) const;
  static absl::Status StalePlanError(const absl::Status& status);
  // A cancel that was meant for another has ended it, and nobody has asked for that: only of
  // CockroachDB, whose cancels come late. Outside a transaction it had no effect.
  bool HitByCancel(const absl::Status& status) const;
  // So often something is run that others' cancels hit.
  static constexpr int kMostCancels = 3;
  // If so, whether it may be run again by itself; in a transaction, which it has aborted, it
  // may not, and `status` says that the transaction is to be run again.
  bool RunsAgain(absl::Status* status) const;
  static absl::Status CancelledByChance(const absl::Status& status);
  // Buffered at most, where a result cannot be left to a cursor.
  static constexpr size_t kNoCursor = size_t{32} << 20;
  // Sends one execution, without a sync. False: the run's status says why not.
  bool Send(driver::StatementRun* run, Statement* statement, std::span<const driver::Value> args);
  // The same by its text, to be parsed now.
  bool SendText(const Statement& statement);
  // Fills wire_values_.
  absl::Status Encode(std::span<const driver::Value> args, const Statement& statement);
  void FillWireValues();
  // Receives up to the end of the command, and of the segment if it ends with it,
  // or until the writer has `max_bytes`.
  Ending Receive(driver::StatementRun* run, const Statement& statement, Command* command,
                 size_t max_bytes);
  Ending Ended(driver::StatementRun* run, const Statement& statement, const Command& command) const;
  // Whether a row that comes now is part of the answer.
  static bool KeepsRows(const driver::StatementRun& run, const Statement& statement,
                        const Command& command);
  // A row is read by its own description, which has to be the statement's.
  static absl::Status OtherRowsError();
  absl::Status WriteRow(const Result& row, const Statement& statement, driver::RowWriter* writer);
  // After a statement: is the session as it should be?
  void CheckSession(driver::StatementRun* run, const Statement& statement);
  void NoteDefinitions(const Statement& statement);
  // After one that has put what the server sends into another encoding.
  void RestoreEncoding(driver::StatementRun* run);
  // What `status`, should it be that the link was lost, means for a statement that
  // was sent; `over`: the server had said before that it ends the session.
  absl::Status WhenLost(const absl::Status& status, const Statement& statement, bool over) const;
  absl::Status OutcomeUnknown() const;
  static absl::Status OutcomeUnknown(const absl::Status& why);

  // --- transaction.cc
  // One step of the client's transaction; it fails if the backend has ended that.
  absl::Status Step(const std::string& sql);
  absl::Status TryBegin(const driver::TransactionOptions& options);
  // Receives the answer to a COMMIT; `failed`: the transaction has failed before it.
  absl::Status TakeCommit(Command* command, bool failed);
  // What is to be said of a commit that has ended so.
  absl::Status Committed(const absl::Status& committed);
  // To be called with the outcome of each step, when the server has told its state: whether
  // the client's transaction is there still. If not, `status` or what is wrong with it.
  absl::Status CheckTransaction(const absl::Status& status);
  static absl::Status TransactionGone();
  static absl::Status ResultTooLarge();

  // --- rows.cc
  // Runs one for each of its rows, in one segment, which is one transaction.
  void RunRows(driver::StatementRun* run, Statement* statement, const Watch& watch);
  void RunRowByRow(driver::StatementRun* run, Statement* statement, const Watch& watch);
  // The same by a statement that takes arrays. False: nothing has happened, they
  // have to go one by one.
  bool RunArrays(driver::StatementRun* run, const Statement& plain, const Watch& watch);
  // The same by statements of several rows each: CockroachDB's documents promise nothing about
  // arrays. False: as RunArrays.
  bool RunSeveral(driver::StatementRun* run, const Statement& plain, const Watch& watch);
  // Fills wire_values_ and wire_types_ with the first of `rows`, and returns how many they are;
  // 0: a value does not suit.
  size_t EncodeSeveral(std::span<const std::vector<driver::Value>> rows, const Statement& plain,
                       size_t most);
  // Ends the segment of one of these two; `good`: all was sent.
  bool EndBulk(driver::StatementRun* run, const Statement& statement, const Watch& watch,
               bool good);
  bool EncodeArrays(std::span<const std::vector<driver::Value>> rows,
                    const std::vector<const Type*>& types);

  // --- copy.cc
  // The same by COPY. False: nothing has happened, they have to go another way.
  bool RunCopy(driver::StatementRun* run, Statement* plain, const Watch& watch);
  // Opens its transaction, or a savepoint in the client's. False: it is not to be a
  // COPY (noted in `plain`), or something went wrong.
  bool BeginCopy(const CopyForm& form, Statement* plain, Command* command);
  bool SendRows(driver::StatementRun* run, const CopyForm& form, const Statement& plain,
                Command* command);
  bool SendAllRows(std::span<const std::vector<driver::Value>> rows, const Statement& plain,
                   Command* command);
  // Waits until what is queued has been sent. False: it is to end, or the link broke.
  bool Flush(Command* command);
  absl::Status EndCopy(const Watch& watch);
  absl::Status UndoCopy();

  // --- stale_read.cc
  // Runs one that has a staleness.
  void RunStale(driver::StatementRun* run, bool may_leave_cursor);
  // Ends the transaction that it is in.
  void EndStaleRead();

  // --- prepare.cc
  // What a text alone forbids.
  static absl::Status Check(std::string_view sql, const Syntax& syntax);
  Syntax Read(std::string_view sql) const;
  // kUnsupported: it may change the schema, in a transaction whose backend would commit first.
  absl::Status CheckSchemaChange(const Syntax& syntax) const;
  // The statement of `sql`, described with parameter types that suit `args`. `prepared`: as
  // StatementRun has it.
  absl::StatusOr<Statement*> Prepare(std::string_view sql, std::span<const driver::Value> args,
                                     bool prepared, const Watch& watch);
  // Null: it is not known, or not in the way that is asked for.
  Statement* FindKnown(std::string_view sql, bool prepared);
  absl::StatusOr<Statement*> PrepareAs(std::string_view sql, const std::vector<uint32_t>& types,
                                       const Watch& watch, bool prepared, bool may_fail);
  // The same with the first of `attempts` that the server takes. `inferred`: why it could not
  // tell the types itself; OK: it could.
  absl::StatusOr<Statement*> PrepareAsAnyOf(std::string_view sql,
                                            const std::vector<ParameterTypes>& attempts,
                                            const absl::Status& inferred, bool prepared,
                                            const Watch& watch);

  // --- describe.cc
  // Has the server describe it, and asks the first question about its effects with it.
  absl::StatusOr<Result> Describe(const Statement& statement, const std::vector<uint32_t>& types,
                                  const Watch& watch, bool may_fail, EffectsOf* effects);
  absl::StatusOr<Result> Description(const Statement& statement, Command* command,
                                     EffectsOf* effects, bool* asked);
  // Asks the rest of the questions.
  absl::Status AskEffects(EffectsOf* effects, const Watch& watch);

  // --- learn.cc
  absl::Status TakeDescription(const Result& described, Statement* statement, const Watch& watch);
  // Gives `statement` its types, those of its parameters first, and its columns, which have
  // `names`.
  absl::Status Learn(const std::vector<uint32_t>& wanted, const std::vector<std::string>& names,
                     Statement* statement, const Watch& watch);
  // Asks again for types that the catalogue did not have.
  absl::StatusOr<Statement*> Refreshed(Statement* statement, const Watch& watch);
  // One for each of `wanted`. What may have changed is asked for, in one round trip.
  absl::StatusOr<std::vector<TypePtr>> LearnTypes(const std::vector<uint32_t>& wanted,
                                                  const Watch& watch);
  absl::Status AskCatalogue(const std::vector<uint32_t>& missing, CatalogueAnswer* answer,
                            const Watch& watch);

  const Options& options_;
  const Flavor& flavor_;
  TypeRegistry* const types_;
  Definitions* const definitions_;
  // Those for which the statements were prepared.
  uint64_t definitions_seen_ = 0;
  const std::unique_ptr<Link> link_;
  StatementCache statements_;
  bool in_transaction_ = false;
  // It is not the client's, but that of a read with a staleness.
  bool stale_read_ = false;
  // Whose name the session has; empty: the configured one.
  std::string caller_;
  // What does so; empty: nothing is to be set.
  std::string missing_settings_;
  // Of SET statement_timeout; empty: nothing is to be set.
  std::string statement_timeout_;
  // The transaction has changed definitions.
  bool defines_ = false;
  // Sequences may have told numbers to somebody that lastval() would tell to others.
  bool sequences_used_ = false;
  // Something may have been left behind in the session.
  bool session_changed_ = false;
  // See KeepSession.
  bool keep_session_ = false;
  // The backend has ended the client's transaction by itself; each step fails until Rollback
  // or Reset.
  bool transaction_gone_ = false;
  // Of CockroachDB, whose versions differ in these.
  bool knows_autocommit_before_ddl_ = false;
  bool read_committed_ = true;

  // Scratch.
  std::string arena_;
  std::vector<Parameter> parameters_;
  std::vector<WireValue> wire_values_;
  std::vector<uint32_t> wire_types_;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_CONNECTION_H_
