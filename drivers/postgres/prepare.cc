// How statements are made known to the server, and it to us.
#include <chrono>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/postgres/connection.h"
#include "drivers/postgres/parameter_types.h"
#include "fmt/format.h"

namespace penstock::postgres {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

// libpq takes the description of more for a broken link: its message is longer
// than 30,000 bytes, and of a sort that it does not expect to be so long.
constexpr size_t kMaxParameters = 7'498;

// Says which of `count` parameters the text has no place for.
absl::Status NamesEach(std::string_view sql, size_t count) {
  for (size_t i = 1; i <= count; ++i) {
    if (sql.find(fmt::format("${}", i)) != std::string_view::npos) continue;
    return driver::MakeError(
        Reason::kInvalidParameter,
        fmt::format("{} values were given, and the statement has no ${}", count, i));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Connection::CheckSql(std::string_view sql, const Text& text) {
  absl::Status checked = Check(text);
  if (!checked.ok() || sql.find('\0') == std::string_view::npos) return checked;
  return driver::MakeError(Reason::kSyntax, "the statement has a NUL character in it");
}

absl::Status Connection::Check(const Text& text) {
  if (text.empty) {
    return driver::MakeError(Reason::kEmptyStatement, "the statement is empty");
  }
  if (text.controls_transaction) {
    return MakeErrorWithHint(Reason::kTransactionControl,
                             "transactions are not controlled by SQL text",
                             "use the Transaction call, which holds a connection for it");
  }
  if (text.copies) {
    return MakeErrorWithHint(Reason::kUnsupported, "COPY from or to the client is not served",
                             "use Exec with rows, and Query, which streams");
  }
  return absl::OkStatus();
}

absl::StatusOr<Statement*> Connection::Prepare(std::string_view sql,
                                               std::span<const driver::Value> args,
                                               const Watch& watch) {
  if (args.size() > kMaxParameters) {
    return MakeErrorWithHint(Reason::kLimitExceeded,
                             fmt::format("{} values were given; a statement takes {} at most",
                                         args.size(), kMaxParameters),
                             "send an array, or use the rows of Exec");
  }
  Statement* statement = statements_.FindAgain(sql);
  const bool known = statement != nullptr;
  if (!known) {
    absl::StatusOr<std::vector<ParameterTypes>> attempts = TypesToTry(args, {});
    // One whose types had to be declared is found by them.
    for (size_t i = 0; attempts.ok() && i < attempts->size(); ++i) {
      statement = statements_.Find(sql, (*attempts)[i]);
      if (statement != nullptr) return Refreshed(statement, watch);
    }
    absl::StatusOr<Statement*> inferred = PrepareAs(sql, {}, watch, !args.empty());
    if (!inferred.ok()) {
      if (args.empty() || !WantsTypes(inferred.status())) return inferred;
      absl::Status named = NamesEach(sql, args.size());
      if (!named.ok()) return named;
      if (!attempts.ok()) return attempts.status();
      return PrepareAsAnyOf(sql, *attempts, inferred.status(), watch);
    }
    statement = *inferred;
  }
  if (args.size() == statement->parameters.size()) {
    absl::StatusOr<std::vector<ParameterTypes>> attempts = TypesToTry(args, statement->parameters);
    if (!attempts.ok()) return attempts.status();
    if (!attempts->empty()) return PrepareAsAnyOf(sql, *attempts, absl::OkStatus(), watch);
  }
  return known ? Refreshed(statement, watch) : statement;
}

absl::StatusOr<Statement*> Connection::PrepareAsAnyOf(std::string_view sql,
                                                      const std::vector<ParameterTypes>& attempts,
                                                      const absl::Status& inferred,
                                                      const Watch& watch) {
  absl::Status first;
  for (const ParameterTypes& types : attempts) {
    Statement* known = statements_.Find(sql, types);
    if (known != nullptr) return Refreshed(known, watch);
    absl::StatusOr<Statement*> declared = PrepareAs(sql, types, watch, &types != &attempts.back());
    if (declared.ok() || !WantsTypes(declared.status())) return declared;
    first.Update(declared.status());
  }
  // What does not exist for anything is better told as the statement has it.
  const bool nowhere = driver::GetErrorInfo(inferred).sqlstate == "42883";
  return nowhere ? inferred : first;
}

absl::StatusOr<Statement*> Connection::PrepareAs(std::string_view sql,
                                                 const std::vector<uint32_t>& types,
                                                 const Watch& watch, bool may_fail) {
  auto statement = std::make_unique<Statement>();
  statement->text = Inspect(sql);
  absl::Status checked = CheckSql(sql, statement->text);
  if (!checked.ok()) return checked;
  statement->sql = sql;
  statement->name = statements_.NextName();
  // A failure that is not the last word must not abort a client's transaction.
  const bool guarded = may_fail && in_transaction_;
  bool sent = true;
  if (!in_transaction_) {
    for (const std::string& name : statements_.TakeRemoved()) {
      sent = sent && link_->SendText("DEALLOCATE " + name);
    }
  }
  sent = sent && (!guarded || link_->SendText("SAVEPOINT penstock_prepare")) &&
         link_->SendPrepare(statement->name, statement->sql, types) &&
         link_->SendDescribe(statement->name) &&
         (!guarded || link_->SendText("RELEASE SAVEPOINT penstock_prepare")) && link_->SendSync();
  if (!sent) return link_->BrokenError();
  Command command(&watch);
  absl::StatusOr<Result> described = Description(&command);
  if (!described.ok()) {
    if (guarded && WantsTypes(described.status()) && healthy()) {
      absl::Status undone = Control("ROLLBACK TO SAVEPOINT penstock_prepare");
      if (!undone.ok()) return undone;
    }
    return described.status();
  }
  absl::Status taken = TakeDescription(*described, statement.get(), watch);
  if (!taken.ok()) return taken;
  return statements_.Add(std::move(statement), types);
}

absl::StatusOr<Result> Connection::Description(Command* command) {
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
        if (failure.ok()) failure = Failure(*result, *command);
        break;
      case Result::Sort::kDone:
        // Commands of text say what they did; a preparation says nothing.
        if (result->is_description()) {
          description = *std::move(result);
          described = true;
        }
        break;
      default: break;
    }
  }
  link_->Break();
  return failure.ok() ? link_->BrokenError() : failure;
}

void Connection::ForgetStale(const Statement* statement) {
  // It may be gone from the server altogether, then a DEALLOCATE would fail;
  // names are never used twice, so nothing is lost by leaving it there.
  statements_.Remove(statement);
  statements_.TakeRemoved();
}

absl::StatusOr<driver::StatementInfo> Connection::Describe(std::string_view sql,
                                                           const driver::Deadline& deadline,
                                                           driver::Cancellation* cancellation) {
  const Watch watch(link_.get(), deadline, cancellation);
  absl::Status interrupted = watch.Interruption();
  if (!interrupted.ok()) return interrupted;
  absl::StatusOr<Statement*> statement = Prepare(sql, {}, watch);
  if (!statement.ok()) return statement.status();
  driver::StatementInfo info;
  info.parameter_count = static_cast<int>((*statement)->parameters.size());
  for (const Type* type : (*statement)->parameters) info.parameter_kinds.push_back(type->kind);
  info.columns = (*statement)->columns;
  info.read_only = (*statement)->text.reads;
  return info;
}

}  // namespace penstock::postgres
