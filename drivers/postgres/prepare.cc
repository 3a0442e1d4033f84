// Makes a statement known to the server, with parameter types that suit its values.
//
// At first the server is left to tell the types of all parameters. It is told some only where it
// cannot tell them, or takes a parameter for text that could be anything. Then the kinds of the
// values decide (TypesToTry), and the statement is found again by its text and these types.
// A failed attempt must not abort the client's transaction, so each that is not the last word is
// guarded by a savepoint. A statement is kept on the server only if it has a plan, and if what
// the server makes of its text cannot become another thing later; others are described, and sent
// as text each time. What a text alone forbids is refused before the server sees it.
#include <chrono>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/postgres/parameter_types.h"
#include "drivers/postgres/preparer.h"
#include "fmt/format.h"

namespace penstock::postgres {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

// libpq takes the description of more for a broken link: its message is longer
// than 30,000 bytes, and of a kind that it does not expect to be so long.
constexpr size_t kMaxParameters = 7'498;

// Says which of `count` parameters the text has no place for.
absl::Status NamesEach(std::string_view sql, size_t count) {
  for (size_t i = 1; i <= count; ++i) {
    if (sql.find(fmt::format("${}", i)) != std::string_view::npos) continue;
    return driver::MakeError(
        Reason::kInvalidParameter,
        fmt::format("{} values were given, but the statement has no ${}", count, i));
  }
  return absl::OkStatus();
}

}  // namespace

Preparer::Preparer(const Options& options, const Flavor& flavor, TypeRegistry* types,
                   Definitions* definitions, CommandRunner* runner,
                   const TransactionState* transaction)
    : options_(options),
      flavor_(flavor),
      types_(types),
      definitions_(definitions),
      runner_(runner),
      link_(&runner->link()),
      transaction_(transaction),
      definitions_seen_(definitions->version()),
      statements_(options.statement_cache_size) {}

void Preparer::Refresh() {
  statements_.Bury();
  if (definitions_seen_ == definitions_->version()) return;
  definitions_seen_ = definitions_->version();
  statements_.RemoveAll();
}

int Preparer::SendDeallocations() {
  int segments = 0;
  // A sync for each: one whose name the server has lost is not to keep the others.
  for (const std::string& name : statements_.TakeRemoved()) {
    segments += runner_->SendAhead("DEALLOCATE " + name);
  }
  return segments;
}

absl::Status Preparer::Check(std::string_view sql, const Syntax& syntax) const {
  if (sql.find('\0') != std::string_view::npos) {
    return driver::MakeError(Reason::kSyntax, "the statement contains a NUL character");
  }
  switch (syntax.verb) {
    case Syntax::Verb::kEmpty:
      return driver::MakeError(Reason::kEmptyStatement, "the statement is empty");
    case Syntax::Verb::kSeveral:
      return MakeErrorWithHint(Reason::kMultipleStatements,
                               "the request has more than one statement",
                               "send one statement a request; scripts belong to migrations");
    case Syntax::Verb::kTransaction:
      return MakeErrorWithHint(
          Reason::kTransactionControl, "transaction control in SQL text is not supported",
          "use the Transaction call, which holds a connection for the transaction");
    case Syntax::Verb::kCopyStream:
      return MakeErrorWithHint(Reason::kUnsupported, "COPY from or to the client is not supported",
                               "use Exec with rows, and Query, which streams");
    case Syntax::Verb::kListen:
      return MakeErrorWithHint(Reason::kUnsupported,
                               "LISTEN is not supported: no notification can reach the caller",
                               "listen on a connection of your own; NOTIFY is supported");
    default: return CheckSchemaChange(syntax);
  }
}

Syntax Preparer::Read(std::string_view sql) const {
  // Otherwise a backslash may hide the end of a string, which the parser does not know.
  const bool standard = link_->setting("standard_conforming_strings") == "on";
  if (!standard || sql.find('\0') != std::string_view::npos) return {};
  Syntax syntax = ReadSyntax(sql);
  const bool unknown = syntax.verb == Syntax::Verb::kUnknown;
  return unknown && flavor_.read_own != nullptr ? flavor_.read_own(sql) : syntax;
}

absl::Status Preparer::CheckSchemaChange(const Syntax& syntax) const {
  if (!transaction_->clients() || flavor_.info.capabilities.transactional_ddl) {
    return absl::OkStatus();
  }
  const bool unknown = syntax.verb == Syntax::Verb::kUnknown;
  if (unknown ? syntax.keeps_schema : syntax.verb != Syntax::Verb::kDefine) {
    return absl::OkStatus();
  }
  return MakeErrorWithHint(
      Reason::kUnsupported,
      unknown ? "the statement cannot be parsed and may change the schema, which is not possible "
                "in a transaction: this backend has no transactional_ddl"
              : "the schema cannot be changed in a transaction: this backend has no "
                "transactional_ddl, and would commit the statements before it",
      "run it outside of the transaction, or as a migration");
}

absl::StatusOr<Statement*> Preparer::Prepare(std::string_view sql,
                                             std::span<const driver::Value> args, bool prepared,
                                             const CommandWatch& watch) {
  if (args.size() > kMaxParameters) {
    return MakeErrorWithHint(
        Reason::kLimitExceeded,
        fmt::format("{} values were given, more than the limit of {}", args.size(), kMaxParameters),
        "send an array, or use the rows of Exec");
  }
  Statement* statement = FindKnown(sql, prepared);
  const bool known = statement != nullptr;
  if (!known) {
    absl::StatusOr<std::vector<ParameterTypes>> attempts = TypesToTry(args, {});
    // One whose types had to be declared is found by them.
    for (size_t i = 0; attempts.ok() && i < attempts->size(); ++i) {
      statement = statements_.Find(sql, (*attempts)[i]);
      if (statement != nullptr) return Refreshed(statement, watch);
    }
    absl::StatusOr<Statement*> inferred = PrepareAs(sql, {}, watch, prepared, !args.empty());
    if (!inferred.ok()) {
      if (args.empty() || !WantsTypes(inferred.status())) return inferred;
      absl::Status named = NamesEach(sql, args.size());
      if (!named.ok()) return named;
      if (!attempts.ok()) return attempts.status();
      return PrepareAsAnyOf(sql, *attempts, inferred.status(), prepared, watch);
    }
    statement = *inferred;
  }
  if (args.size() == statement->parameters.size()) {
    absl::StatusOr<std::vector<ParameterTypes>> attempts = TypesToTry(args, statement->parameters);
    if (!attempts.ok()) return attempts.status();
    if (!attempts->empty()) {
      absl::StatusOr<Statement*> declared =
          PrepareAsAnyOf(sql, *attempts, absl::OkStatus(), prepared, watch);
      // The types that it was to be declared for may be those of before.
      if (!declared.ok() && known) statements_.Remove(statement);
      return declared;
    }
  }
  return known ? Refreshed(statement, watch) : statement;
}

absl::StatusOr<Statement*> Preparer::PrepareAsAnyOf(std::string_view sql,
                                                    const std::vector<ParameterTypes>& attempts,
                                                    const absl::Status& inferred, bool prepared,
                                                    const CommandWatch& watch) {
  absl::Status first;
  for (const ParameterTypes& types : attempts) {
    Statement* known = statements_.Find(sql, types);
    if (known != nullptr) return Refreshed(known, watch);
    absl::StatusOr<Statement*> declared =
        PrepareAs(sql, types, watch, prepared, &types != &attempts.back());
    if (declared.ok() || !WantsTypes(declared.status())) return declared;
    first.Update(declared.status());
  }
  // An operator that exists for no type is better told as the statement has it.
  const bool nowhere = driver::GetErrorInfo(inferred).sqlstate == "42883";
  return nowhere ? inferred : first;
}

Statement* Preparer::FindKnown(std::string_view sql, bool prepared) {
  Statement* statement = statements_.FindAgain(sql);
  if (statement == nullptr || !prepared || !statement->name.empty() || statements_.in_scope()) {
    return statement;
  }
  // Until now nobody had asked for it to be kept on the server.
  statements_.Remove(statement);
  return nullptr;
}

absl::StatusOr<Statement*> Preparer::PrepareAs(std::string_view sql,
                                               const std::vector<uint32_t>& types,
                                               const CommandWatch& watch, bool prepared,
                                               bool may_fail) {
  const Syntax syntax = Read(sql);
  absl::Status checked = Check(sql, syntax);
  if (!checked.ok()) return checked;
  auto statement = std::make_unique<Statement>(syntax);
  statement->sql = sql;
  const bool full = transaction_->open && statements_.removed() >= options_.statement_cache_size;
  if (syntax.plannable() && (prepared || !syntax.has_strings) && !statements_.in_scope() && !full) {
    statement->name = statements_.NextName();
  }
  EffectsOf effects(syntax, flavor_);
  absl::StatusOr<Result> described = Describe(*statement, types, watch, may_fail, &effects);
  if (described.ok()) {
    checked = AskEffects(&effects, watch);
    if (checked.ok()) checked = TakeDescription(*described, statement.get(), watch);
  } else {
    checked = described.status();
  }
  if (!checked.ok()) {
    if (described.ok() && !statement->name.empty()) statements_.Abandon(statement->name);
    return checked;
  }
  statement->effects = effects.effects();
  return statement->plannable() ? statements_.Add(std::move(statement), types)
                                : statements_.Lend(std::move(statement));
}

absl::StatusOr<Statement> Preparer::MakeOnce(std::string_view sql,
                                             std::span<const driver::Value> args) {
  const Syntax syntax = Read(sql);
  absl::Status checked = Check(sql, syntax);
  if (!checked.ok()) return checked;
  Statement statement(syntax);
  statement.sql = sql;
  for (const driver::Value& value : args) {
    absl::StatusOr<uint32_t> type = NaturalType(value);
    if (!type.ok()) return type.status();
    // Every natural type is one of those that the registry begins with.
    statement.types.push_back(types_->Find(*type));
    statement.parameters.push_back(statement.types.back().get());
  }
  return statement;
}

}  // namespace penstock::postgres
