// How statements are made known to the server, and it to us.
#include <chrono>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/postgres/connection.h"
#include "fmt/format.h"

namespace penstock::postgres {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

// It cannot tell what a parameter is from where it stands: "could not determine
// the data type", "the function is not unique", "the operator is not unique".
bool WantsTypes(const absl::Status& status) {
  const std::string sqlstate = driver::GetErrorInfo(status).sqlstate;
  return sqlstate == "42P18" || sqlstate == "42P08" || sqlstate == "42725";
}

// libpq takes the description of more for a broken link: its message is longer
// than 30,000 bytes, and of a sort that it does not expect to be so long.
constexpr size_t kMaxParameters = 7'498;

}  // namespace

absl::Status Connection::Check(std::string_view sql, const Syntax& syntax) {
  if (sql.find('\0') != std::string_view::npos) {
    return driver::MakeError(Reason::kSyntax, "the statement has a NUL character in it");
  }
  switch (syntax.verb) {
    case Syntax::Verb::kEmpty:
      return driver::MakeError(Reason::kEmptyStatement, "the statement is empty");
    case Syntax::Verb::kSeveral:
      return MakeErrorWithHint(Reason::kMultipleStatements,
                               "the request has more than one statement",
                               "send one statement a request; scripts belong to migrations");
    case Syntax::Verb::kTransaction:
      return MakeErrorWithHint(Reason::kTransactionControl,
                               "transactions are not controlled by SQL text",
                               "use the Transaction call, which holds a connection for it");
    case Syntax::Verb::kCopyStream:
      return MakeErrorWithHint(Reason::kUnsupported, "COPY from or to the client is not served",
                               "use Exec with rows, and Query, which streams");
    case Syntax::Verb::kListen:
      return MakeErrorWithHint(Reason::kUnsupported,
                               "LISTEN is not served: no notification could reach the caller",
                               "listen on a connection of your own; NOTIFY is served");
    default: return absl::OkStatus();
  }
}

Syntax Connection::Read(std::string_view sql) const {
  // Otherwise a backslash may hide the end of a string, which the parser does not know.
  const bool standard = link_->setting("standard_conforming_strings") == "on";
  return standard && sql.find('\0') == std::string_view::npos ? ReadSyntax(sql) : Syntax{};
}

absl::StatusOr<Statement*> Connection::Prepare(std::string_view sql,
                                               std::span<const driver::Value> args, bool prepared,
                                               const Watch& watch) {
  if (args.size() > kMaxParameters) {
    return MakeErrorWithHint(Reason::kLimitExceeded,
                             fmt::format("{} values were given; a statement takes {} at most",
                                         args.size(), kMaxParameters),
                             "send an array, or use the rows of Exec");
  }
  Statement* statement = FindKnown(sql, prepared);
  std::vector<uint32_t> types;
  if (statement == nullptr) {
    for (const driver::Value& arg : args) {
      absl::StatusOr<uint32_t> type = NaturalType(arg);
      if (!type.ok()) return type.status();
      types.push_back(*type);
    }
    // One whose types had to be declared is found by them.
    if (!types.empty()) statement = statements_.Find(sql, types);
    if (statement != nullptr) return statement;
    absl::StatusOr<Statement*> inferred = PrepareAs(sql, {}, watch, prepared, !args.empty());
    if (!inferred.ok()) {
      if (args.empty() || !WantsTypes(inferred.status())) return inferred;
      for (size_t i = 1; i <= args.size(); ++i) {
        if (sql.find(fmt::format("${}", i)) != std::string_view::npos) continue;
        return driver::MakeError(
            Reason::kInvalidParameter,
            fmt::format("{} values were given, and the statement has no ${}", args.size(), i));
      }
      return PrepareAs(sql, types, watch, prepared, false);
    }
    statement = *inferred;
  }
  // "text" is what the server calls a parameter that could be anything.
  types.clear();
  for (size_t i = 0; i < args.size() && i < statement->parameters.size(); ++i) {
    if (!NeedsDeclaredType(args[i], *statement->parameters[i])) continue;
    types.resize(statement->parameters.size());
    absl::StatusOr<uint32_t> type = NaturalType(args[i]);
    if (!type.ok()) return type.status();
    types[i] = *type;
  }
  if (types.empty()) return statement;
  if (Statement* declared = statements_.Find(sql, types); declared != nullptr) return declared;
  return PrepareAs(sql, types, watch, prepared, false);
}

Statement* Connection::FindKnown(std::string_view sql, bool prepared) {
  Statement* statement = statements_.FindAgain(sql);
  if (statement == nullptr || !prepared || !statement->name.empty() || statements_.in_scope() ||
      !statement->plannable()) {
    return statement;
  }
  // Until now nobody had asked for it to be kept on the server.
  statements_.Remove(statement);
  return nullptr;
}

absl::StatusOr<Statement*> Connection::PrepareAs(std::string_view sql,
                                                 const std::vector<uint32_t>& types,
                                                 const Watch& watch, bool prepared,
                                                 bool may_fail) {
  const Syntax syntax = Read(sql);
  absl::Status checked = Check(sql, syntax);
  if (!checked.ok()) return checked;
  auto statement = std::make_unique<Statement>();
  statement->sql = sql;
  statement->verb = syntax.verb;
  statement->forgets_prepared = syntax.forgets_prepared;
  const bool full = in_transaction_ && statements_.removed() >= options_.statement_cache_size;
  if (syntax.plannable() && (prepared || !syntax.has_strings) && !statements_.in_scope() && !full) {
    statement->name = statements_.NextName();
  }
  EffectsOf effects(syntax);
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
  return statements_.Add(std::move(statement), types);
}

absl::StatusOr<Result> Connection::Describe(const Statement& statement,
                                            const std::vector<uint32_t>& types, const Watch& watch,
                                            bool may_fail, EffectsOf* effects) {
  const std::string question = effects->Question(flavor_.cockroach);
  // A failure that is not the last word must not abort a client's transaction.
  const bool guarded = in_transaction_ && (may_fail || !question.empty());
  const int ahead = in_transaction_ ? 0 : SendDeallocations();
  const bool sent = (!guarded || link_->SendText("SAVEPOINT penstock_prepare")) &&
                    link_->SendPrepare(statement.name, statement.sql, types) &&
                    link_->SendDescribe(statement.name) &&
                    (question.empty() || link_->SendText(question)) &&
                    (!guarded || link_->SendText("RELEASE SAVEPOINT penstock_prepare")) &&
                    link_->SendSync();
  if (!sent) return link_->BrokenError();
  TakeAhead(ahead, watch);
  Command command(&watch);
  bool asked = question.empty();
  absl::StatusOr<Result> described = Description(&command, effects, &asked);
  const bool undo = guarded && healthy() && link_->transaction() == Link::Transaction::kFailed;
  if (undo && (described.ok() || (may_fail && WantsTypes(described.status())))) {
    absl::Status undone = Control("ROLLBACK TO SAVEPOINT penstock_prepare", watch);
    if (!undone.ok()) return undone;
  }
  if (!asked) effects->GiveUp();
  return described;
}

absl::StatusOr<Result> Connection::Description(Command* command, EffectsOf* effects, bool* asked) {
  Result description;
  absl::Status failure;
  bool described = false;
  for (int ends = 0; ends < 2;) {
    absl::StatusOr<Result> result = Next(command);
    if (!result.ok()) return failure.ok() ? result.status() : failure;
    ends = result->sort() == Result::Sort::kEnd ? ends + 1 : 0;
    switch (result->sort()) {
      case Result::Sort::kSync:
        if (!link_->WaitForCancel(command->give_up)) link_->Break();
        if (!failure.ok()) return failure;
        if (!described) return driver::MakeError(Reason::kIo, "the server described nothing");
        return description;
      case Result::Sort::kError:
        // What came of the question alone is not the statement's.
        if (failure.ok() && (!described || !command->interruption.ok())) {
          failure = Failure(*result, *command);
        }
        break;
      case Result::Sort::kDone:
        // Commands of text say what they did; a preparation says nothing.
        if (result->is_description()) {
          description = *std::move(result);
          described = true;
        } else if (described && result->columns() > 0) {
          TakeAnswers(*result, effects);
          *asked = true;
        }
        break;
      default: break;
    }
  }
  link_->Break();
  return failure.ok() ? link_->BrokenError() : failure;
}

void Connection::TakeAnswers(const Result& answers, EffectsOf* effects) {
  for (int row = 0; row < answers.rows(); ++row) {
    effects->Take(answers.value(row, 0), answers.value(row, 1), answers.value(row, 2));
  }
}

absl::Status Connection::AskEffects(EffectsOf* effects, const Watch& watch) {
  for (std::string question = effects->Question(flavor_.cockroach); !question.empty();
       question = effects->Question(flavor_.cockroach)) {
    const bool guarded = in_transaction_;
    const bool sent = (!guarded || link_->SendText("SAVEPOINT penstock_prepare")) &&
                      link_->SendText(question) &&
                      (!guarded || link_->SendText("RELEASE SAVEPOINT penstock_prepare")) &&
                      link_->SendSync();
    Command command(&watch);
    absl::Status failure = sent ? absl::OkStatus() : link_->BrokenError();
    for (bool synced = !sent; !synced;) {
      absl::StatusOr<Result> result = Next(&command);
      if (!result.ok()) return result.status();
      synced = result->sort() == Result::Sort::kSync;
      if (result->sort() == Result::Sort::kError) failure = Failure(*result, command);
      if (result->sort() == Result::Sort::kDone && result->columns() > 0) {
        TakeAnswers(*result, effects);
      }
    }
    if (!link_->WaitForCancel(command.give_up)) link_->Break();
    if (failure.ok()) continue;
    if (!healthy() || !command.interruption.ok()) return failure;
    effects->GiveUp();
    return guarded ? Control("ROLLBACK TO SAVEPOINT penstock_prepare", watch) : absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status Connection::TakeDescription(const Result& described, Statement* statement,
                                         const Watch& watch) {
  std::vector<uint32_t> wanted;
  for (int i = 0; i < described.parameters(); ++i) wanted.push_back(described.parameter_type(i));
  for (int i = 0; i < described.columns(); ++i) wanted.push_back(described.column_type(i));
  absl::Status learnt = LearnTypes(wanted, watch);
  if (!learnt.ok()) return learnt;
  for (int i = 0; i < described.parameters(); ++i) {
    statement->parameters.push_back(types_->Find(described.parameter_type(i)));
  }
  auto columns = std::make_shared<std::vector<driver::Column>>();
  for (int i = 0; i < described.columns(); ++i) {
    const Type* type = types_->Find(described.column_type(i));
    statement->column_types.push_back(type);
    columns->push_back(
        {.name = described.column_name(i), .kind = type->kind, .native_type = type->name});
  }
  statement->columns = std::move(columns);
  return absl::OkStatus();
}

absl::Status Connection::LearnTypes(const std::vector<uint32_t>& wanted, const Watch& watch) {
  // An array brings its element's type, a domain its base's.
  for (std::vector<uint32_t> missing = types_->Missing(wanted); !missing.empty();
       missing = types_->Missing(missing)) {
    Command command(&watch);
    if (!link_->SendText(TypeRegistry::CatalogueQuery(missing))) return link_->BrokenError();
    link_->RowByRow();
    link_->SendSync();
    absl::Status failure;
    bool synced = false;
    while (!synced) {
      absl::StatusOr<Result> result = Next(&command);
      if (!result.ok()) return result.status();
      synced = result->sort() == Result::Sort::kSync;
      if (result->sort() == Result::Sort::kError) failure = Failure(*result, command);
      if (result->sort() != Result::Sort::kRow) continue;
      std::vector<std::string> row;
      for (int i = 0; i < result->columns(); ++i) row.emplace_back(result->value(i));
      types_->AddFromCatalogue(row);
    }
    if (!failure.ok()) return failure;
    types_->AddUnknown(missing);
  }
  return absl::OkStatus();
}

absl::StatusOr<driver::StatementInfo> Connection::Describe(std::string_view sql,
                                                           const driver::Deadline& deadline,
                                                           driver::Cancellation* cancellation) {
  Refresh();
  const Watch watch(link_.get(), deadline, cancellation);
  absl::Status interrupted = watch.Interruption();
  if (!interrupted.ok()) return interrupted;
  absl::StatusOr<Statement*> statement = Prepare(sql, {}, /*prepared=*/true, watch);
  if (!statement.ok()) return statement.status();
  driver::StatementInfo info;
  info.parameter_count = static_cast<int>((*statement)->parameters.size());
  for (const Type* type : (*statement)->parameters) info.parameter_kinds.push_back(type->kind);
  info.columns = (*statement)->columns;
  info.read_only = (*statement)->reads();
  return info;
}

}  // namespace penstock::postgres
