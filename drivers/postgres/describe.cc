// What the server and its catalogue say of a statement: the types of its parameters and
// columns, and what it may do beside what it is meant to do.
#include <utility>

#include "drivers/api/error.h"
#include "drivers/api/text.h"
#include "drivers/postgres/catalogue.h"
#include "drivers/postgres/connection.h"
#include "drivers/postgres/parameter_types.h"

namespace penstock::postgres {

using driver::Reason;

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
  std::vector<std::string> names;
  for (int i = 0; i < described.columns(); ++i) {
    // A server whose encoding is SQL_ASCII sends what it was given.
    names.push_back(driver::ToUtf8(described.column_name(i)));
  }
  return Learn(wanted, names, statement, watch);
}

absl::Status Connection::Learn(const std::vector<uint32_t>& wanted,
                               const std::vector<std::string>& names, Statement* statement,
                               const Watch& watch) {
  absl::StatusOr<std::vector<TypePtr>> types = LearnTypes(wanted, watch);
  if (!types.ok()) return types.status();
  statement->types = *std::move(types);
  statement->parameters.clear();
  statement->column_types.clear();
  statement->provisional = false;
  auto columns = std::make_shared<std::vector<driver::Column>>();
  const size_t parameters = wanted.size() - names.size();
  for (size_t i = 0; i < wanted.size(); ++i) {
    const Type* type = statement->types[i].get();
    statement->provisional = statement->provisional || type->provisional;
    if (i < parameters) {
      statement->parameters.push_back(type);
      continue;
    }
    statement->column_types.push_back(type);
    columns->push_back(
        {.name = names[i - parameters], .kind = type->kind, .native_type = type->name});
  }
  statement->columns = std::move(columns);
  return absl::OkStatus();
}

absl::StatusOr<Statement*> Connection::Refreshed(Statement* statement, const Watch& watch) {
  if (!statement->provisional) return statement;
  std::vector<uint32_t> wanted;
  for (const TypePtr& type : statement->types) wanted.push_back(type->oid);
  std::vector<std::string> names;
  for (const driver::Column& column : *statement->columns) names.push_back(column.name);
  absl::Status learnt = Learn(wanted, names, statement, watch);
  if (!learnt.ok()) return learnt;
  return statement;
}

absl::StatusOr<std::vector<TypePtr>> Connection::LearnTypes(const std::vector<uint32_t>& wanted,
                                                            const Watch& watch) {
  CatalogueAnswer answer;
  const std::vector<uint32_t> missing = types_->Missing(wanted);
  if (!missing.empty()) {
    absl::Status asked = AskCatalogue(missing, &answer, watch);
    if (!asked.ok()) return asked;
  }
  std::vector<TypePtr> types;
  for (const uint32_t number : wanted) types.push_back(answer.Resolve(number, types_));
  return types;
}

absl::Status Connection::AskCatalogue(const std::vector<uint32_t>& missing, CatalogueAnswer* answer,
                                      const Watch& watch) {
  Command command(&watch);
  if (!link_->SendText(CatalogueQuery(missing))) return link_->BrokenError();
  link_->RowByRow();
  link_->SendSync();
  absl::Status failure;
  for (;;) {
    absl::StatusOr<Result> result = Next(&command);
    if (!result.ok()) return result.status();
    if (result->sort() == Result::Sort::kSync) return failure;
    if (result->sort() == Result::Sort::kError) failure = Failure(*result, command);
    if (result->sort() != Result::Sort::kRow) continue;
    std::vector<std::string> row;
    for (int i = 0; i < result->columns(); ++i) row.emplace_back(result->value(i));
    if (answer->Add(row)) continue;
    // Whatever else it sends is not worth waiting for.
    link_->Break();
    return driver::MakeError(Reason::kIo, "the server's catalogue of types cannot be read");
  }
}

}  // namespace penstock::postgres
