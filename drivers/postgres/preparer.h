// Makes statements known to the server, and what the server knows of them to the driver.
#ifndef PENSTOCK_DRIVERS_POSTGRES_PREPARER_H_
#define PENSTOCK_DRIVERS_POSTGRES_PREPARER_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/value.h"
#include "drivers/postgres/catalogue.h"
#include "drivers/postgres/command_runner.h"
#include "drivers/postgres/definitions.h"
#include "drivers/postgres/effects.h"
#include "drivers/postgres/flavor.h"
#include "drivers/postgres/options.h"
#include "drivers/postgres/parameter_types.h"
#include "drivers/postgres/statement.h"
#include "drivers/postgres/syntax.h"
#include "drivers/postgres/transaction_state.h"
#include "drivers/postgres/types.h"

namespace penstock::postgres {

// Owns the statements of one session. prepare.cc decides what is sent to the server, describe.cc
// has it describe a statement and asks what the statement may do, and learn.cc gives the
// statement its types. Used by one thread at a time, while no command is on its way.
class Preparer {
 public:
  // All of them outlive the preparer.
  Preparer(const Options& options, const Flavor& flavor, TypeRegistry* types,
           Definitions* definitions, CommandRunner* runner, const TransactionState* transaction);

  StatementCache& statements() { return statements_; }

  // To be called before anything runs: frees removed statements, and forgets what was prepared
  // for definitions that have changed.
  void Refresh();
  // Tells the other sessions of the database that definitions have changed.
  void ChangeDefinitions() { definitions_->Change(); }
  // Queues the deallocation of statements that are not kept any more. Returns the number of
  // segments for CommandRunner::TakeAhead.
  int SendDeallocations();

  // Reads the text, where the session's settings leave it the meaning that the parser knows.
  Syntax Read(std::string_view sql) const;
  // Returns the statement of `sql`, described with parameter types that suit `args`; see
  // StatementCache for how long it lives. `prepared`: as StatementRun has it.
  absl::StatusOr<Statement*> Prepare(std::string_view sql, std::span<const driver::Value> args,
                                     bool prepared, const CommandWatch& watch);
  // Prepares `sql` with exactly these parameter types. `may_fail`: a failure that other types may
  // mend leaves the client's transaction as it was.
  absl::StatusOr<Statement*> PrepareAs(std::string_view sql, const std::vector<uint32_t>& types,
                                       const CommandWatch& watch, bool prepared, bool may_fail);
  // Queues the question whether the server would describe the statement today as it did, with a
  // sync of its own. To be asked outside a transaction, of a statement that was found by its text
  // alone. False: the link is broken.
  bool SendDescribeAgain(const Statement& statement);
  // Takes the answer. True: if a run of the statement has failed, that was not because it was
  // described long ago. False: it may have been, or nobody knows.
  bool TakeDescribedAgain(const Statement& statement, PendingCommand* command);
  // Returns a statement that is neither prepared nor described: each parameter has the type that
  // the kind of its value stands for.
  absl::StatusOr<Statement> MakeOnce(std::string_view sql, std::span<const driver::Value> args);

 private:
  // Fails if the statement has to be refused whatever the server says.
  absl::Status Check(std::string_view sql, const Syntax& syntax) const;
  // kUnsupported: it may change the schema, in a transaction whose backend would commit first.
  absl::Status CheckSchemaChange(const Syntax& syntax) const;
  // Null: the statement is not known, or not in the way that is asked for.
  Statement* FindKnown(std::string_view sql, bool prepared);
  // Prepares with the first of `attempts` that the server takes. `inferred` says why the server
  // could not tell the types itself; OK: it could.
  absl::StatusOr<Statement*> PrepareAsAnyOf(std::string_view sql,
                                            const std::vector<ParameterTypes>& attempts,
                                            const absl::Status& inferred, bool prepared,
                                            const CommandWatch& watch);

  // Has the server describe the statement, and asks the first question about its effects.
  absl::StatusOr<Result> Describe(const Statement& statement, const std::vector<uint32_t>& types,
                                  const CommandWatch& watch, bool may_fail, EffectsOf* effects);
  absl::StatusOr<Result> TakeSegment(const Statement& statement, PendingCommand* command,
                                     EffectsOf* effects, bool* asked);
  // Asks the rest of the questions.
  absl::Status AskEffects(EffectsOf* effects, const CommandWatch& watch);

  absl::Status TakeDescription(const Result& described, Statement* statement,
                               const CommandWatch& watch);
  // Gives `statement` its types, those of its parameters first, and its columns, which have
  // `names`.
  absl::Status Learn(const std::vector<uint32_t>& wanted, const std::vector<std::string>& names,
                     Statement* statement, const CommandWatch& watch);
  // Asks again for types that the catalogue did not have.
  absl::StatusOr<Statement*> Refreshed(Statement* statement, const CommandWatch& watch);
  // Returns one type for each of `wanted`. Those that may have changed are asked for, in one
  // round trip.
  absl::StatusOr<std::vector<TypePtr>> LearnTypes(const std::vector<uint32_t>& wanted,
                                                  const CommandWatch& watch);
  absl::Status AskCatalogue(const std::vector<uint32_t>& missing, CatalogueAnswer* answer,
                            const CommandWatch& watch);

  const Options& options_;
  const Flavor& flavor_;
  TypeRegistry* const types_;
  Definitions* const definitions_;
  CommandRunner* const runner_;
  Link* const link_;
  const TransactionState* const transaction_;
  // The version of the definitions for which the statements were prepared.
  uint64_t definitions_seen_;
  StatementCache statements_;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_PREPARER_H_
