#include "drivers/postgres/connection.h"

#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::postgres {

using driver::Reason;

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const Options& options,
                                                             const Flavor& flavor,
                                                             TypeRegistry* types,
                                                             Definitions* definitions,
                                                             const driver::Deadline& deadline) {
  absl::StatusOr<std::unique_ptr<Link>> link = Link::Connect(options, deadline);
  if (!link.ok()) return link.status();
  std::unique_ptr<Connection> connection(
      new Connection(options, flavor, types, definitions, *std::move(link)));
  const bool is_cockroach = !connection->cockroach_version().empty();
  if (flavor.cockroach != is_cockroach) {
    return driver::MakeErrorWithHint(
        Reason::kConnectionFailed,
        fmt::format("the server at {} {}", options.where,
                    is_cockroach ? "is CockroachDB: it reports a crdb_version"
                                 : "is not CockroachDB: it reports no crdb_version"),
        is_cockroach ? "use the driver cockroachdb" : "use the driver postgres");
  }
  absl::Status begun = connection->session_.Begin(deadline);
  if (!begun.ok()) return begun;
  return connection;
}

Connection::Connection(const Options& options, const Flavor& flavor, TypeRegistry* types,
                       Definitions* definitions, std::unique_ptr<Link> link)
    : options_(options),
      runner_(options, flavor, std::move(link)),
      preparer_(options, flavor, types, definitions, &runner_, &transaction_),
      session_(options, flavor, &runner_, &transaction_, &preparer_),
      sender_(&runner_.link()),
      receiver_(options, flavor, &runner_, &transaction_),
      statement_runner_(flavor, &runner_, &transaction_, &preparer_, &session_, &sender_,
                        &receiver_),
      batch_runner_(options, flavor, &runner_, &preparer_, &session_, &sender_, &receiver_,
                    &statement_runner_),
      steps_(flavor, &runner_, &transaction_, &preparer_, &session_, &sender_, &receiver_,
             &statement_runner_) {}

absl::StatusOr<driver::StatementInfo> Connection::Describe(std::string_view sql,
                                                           const driver::Deadline& deadline,
                                                           driver::Cancellation* cancellation) {
  preparer_.Refresh();
  if (transaction_.gone) return SessionKeeper::TransactionGone();
  const CommandWatch watch(&runner_.link(), deadline, cancellation);
  absl::Status interrupted = watch.Interruption();
  if (!interrupted.ok()) return interrupted;
  // Its constants are to be those of now, and not of whoever has prepared it before.
  Statement* const known = preparer_.statements().FindAgain(sql);
  if (known != nullptr && known->effects.folds) preparer_.statements().Remove(known);
  absl::StatusOr<Statement*> statement = preparer_.Prepare(sql, {}, /*prepared=*/true, watch);
  if (runner_.HitByCancel(statement.status()) && !transaction_.open) {
    statement = preparer_.Prepare(sql, {}, /*prepared=*/true, watch);
  }
  if (!statement.ok()) return session_.CheckTransaction(statement.status());
  driver::StatementInfo info;
  info.parameter_count = static_cast<int>((*statement)->parameters.size());
  for (const Type* type : (*statement)->parameters) info.parameter_kinds.push_back(type->kind);
  info.columns = (*statement)->columns;
  info.read_only = (*statement)->reads();
  return info;
}

absl::Status Connection::Ping(const driver::Deadline& deadline) {
  if (!runner_.link().Alive()) return runner_.link().BrokenError();
  const CommandWatch watch(&runner_.link(), deadline, nullptr);
  const absl::Status first = runner_.Control("SELECT 1", watch);
  return runner_.HitByCancel(first) ? runner_.Control("SELECT 1", watch) : first;
}

// A transaction goes on to its end: what a late cancel hits in it is to be run again anyway.
bool Connection::healthy() const {
  return runner_.linked() && (!runner_.closing() || transaction_.open);
}

absl::Status Connection::Reset() {
  session_.Keep(false);
  absl::Status reset = Rollback();
  // It is told to whoever has the transaction, and the session is sound.
  if (driver::GetErrorInfo(reset).reason == Reason::kCommitOutcomeUnknown) reset = {};
  if (reset.ok() && options_.always_reset) session_.MarkChanged();
  session_.CleanUp();
  return runner_.linked() ? reset : runner_.link().BrokenError();
}

}  // namespace penstock::postgres
