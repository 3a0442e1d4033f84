// The description of a statement, and the questions about what it may do beside what it is
// meant to do.
#include <cstdint>
#include <utility>
#include <vector>

#include "drivers/api/error.h"
#include "drivers/postgres/parameter_types.h"
#include "drivers/postgres/preparer.h"

namespace penstock::postgres {

using driver::Reason;

absl::StatusOr<Result> Preparer::Describe(const Statement& statement,
                                          const std::vector<uint32_t>& types,
                                          const CommandWatch& watch, bool may_fail,
                                          EffectsOf* effects) {
  const std::string question = effects->Question();
  // A failure that is not the last word must not abort a client's transaction.
  const bool guarded = transaction_->open && (may_fail || !question.empty());
  const int ahead = transaction_->open ? 0 : SendDeallocations();
  const bool sent =
      (!guarded || link_->SendText("SAVEPOINT penstock_prepare")) &&
      link_->SendPrepare(statement.name, statement.sql, types) &&
      link_->SendDescribe(statement.name) && (question.empty() || link_->SendText(question)) &&
      (!guarded || link_->SendText("RELEASE SAVEPOINT penstock_prepare")) && link_->SendSync();
  if (!sent) return link_->BrokenError();
  runner_->TakeAhead(ahead, watch);
  PendingCommand command(&watch);
  bool asked = question.empty();
  absl::StatusOr<Result> described = TakeSegment(statement, &command, effects, &asked);
  const bool undo =
      guarded && runner_->linked() && link_->transaction() == Link::Transaction::kFailed;
  if (undo && (described.ok() || (may_fail && WantsTypes(described.status())))) {
    absl::Status undone = runner_->Control("ROLLBACK TO SAVEPOINT penstock_prepare", watch);
    if (!undone.ok()) return undone;
  }
  if (!asked) effects->GiveUp();
  return described;
}

absl::StatusOr<Result> Preparer::TakeSegment(const Statement& statement, PendingCommand* command,
                                             EffectsOf* effects, bool* asked) {
  Result description;
  absl::Status failure;
  // Two: the preparation is told in the same way, before the description.
  int told = 0;
  bool described = false;
  for (int ends = 0; ends < 2;) {
    absl::StatusOr<Result> result = runner_->Next(command);
    if (!result.ok()) return failure.ok() ? result.status() : failure;
    ends = result->kind() == Result::Kind::kEnd ? ends + 1 : 0;
    switch (result->kind()) {
      case Result::Kind::kEnd:
        // The answers to the question come next.
        if (described) link_->RowByRow();
        break;
      case Result::Kind::kRow: effects->Take(*result); break;
      case Result::Kind::kSync:
        runner_->SettleCancel(*command);
        if (!failure.ok()) return failure;
        if (!described) {
          return driver::MakeError(Reason::kIo, "the server sent no description of the statement");
        }
        return description;
      case Result::Kind::kError:
        // An error that the question alone has caused is not the statement's.
        if (failure.ok() && (!described || !command->interruption.ok() || link_->session_ended())) {
          failure = runner_->Failure(*result, *command, statement.sql);
        }
        break;
      case Result::Kind::kDone:
        // Commands of text say what they did; a preparation says nothing.
        if (result->is_description()) {
          description = *std::move(result);
          described = ++told == 2;
        } else if (described) {
          *asked = true;
        }
        break;
      default: break;
    }
  }
  link_->Break();
  return failure.ok() ? link_->BrokenError() : failure;
}

bool Preparer::SendDescribeAgain(const Statement& statement) {
  return link_->SendPrepare("", statement.sql, {}) && link_->SendDescribe("") && link_->SendSync();
}

bool Preparer::TakeDescribedAgain(const Statement& statement, PendingCommand* command) {
  std::vector<uint32_t> known;
  for (const TypePtr& type : statement.types) known.push_back(type->oid);
  std::vector<uint32_t> told;
  const absl::Status described = runner_->FinishSegment(command, [&](const Result& result) {
    // The preparation is told in the same way before, without any of them.
    for (int i = 0; i < result.parameters(); ++i) told.push_back(result.parameter_type(i));
    for (int i = 0; i < result.columns(); ++i) told.push_back(result.column_type(i));
    return true;
  });
  // A type that somebody can change may be another one under the same number.
  return described.ok() && told == known && types_->Missing(known).empty();
}

absl::Status Preparer::AskEffects(EffectsOf* effects, const CommandWatch& watch) {
  for (std::string question = effects->Question(); !question.empty();
       question = effects->Question()) {
    const bool guarded = transaction_->open;
    const bool sent =
        (!guarded || link_->SendText("SAVEPOINT penstock_prepare")) && link_->SendText(question) &&
        (!guarded || link_->SendText("RELEASE SAVEPOINT penstock_prepare")) && link_->SendSync();
    if (!sent) return link_->BrokenError();
    PendingCommand command(&watch);
    link_->RowByRow();
    absl::Status asked = runner_->FinishSegment(&command, [effects](const Result& result) {
      if (result.kind() == Result::Kind::kRow) effects->Take(result);
      return true;
    });
    if (asked.ok()) continue;
    if (!runner_->linked() || !command.interruption.ok()) return asked;
    effects->GiveUp();
    return guarded ? runner_->Control("ROLLBACK TO SAVEPOINT penstock_prepare", watch)
                   : absl::OkStatus();
  }
  return absl::OkStatus();
}

}  // namespace penstock::postgres
