// Many rows of an INSERT as one COPY, where that means exactly the same.
//
// COPY ignores rules, is refused where rows have policies, and overrides identity
// columns; what it reads is of the columns' types, not of the parameters'. So the
// statement is prepared once more in the transaction of the COPY: that locks the
// table against changes of its definition, fails where it is not to be inserted
// into, and tells the types. A look into the catalogue says the rest.
#include <algorithm>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/postgres/binary.h"
#include "drivers/postgres/bulk.h"
#include "drivers/postgres/bulk_insert.h"
#include "fmt/format.h"

namespace penstock::postgres {
namespace {

using driver::StatementRun;

// So many that the round trips of a transaction cost next to nothing.
constexpr size_t kFewestForCopy = 8192;
// Sent at once; the server works on them while the next ones are made.
constexpr size_t kChunkBytes = size_t{64} << 10;

// One row where COPY and INSERT do the same.
std::string SuitsQuery(const std::string& table) {
  return fmt::format(
      "SELECT 1 FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass('{}') "
      "AND relkind IN ('r', 'p') AND NOT relhasrules AND NOT relrowsecurity",
      table);
}

// False: a value has no binary form.
bool PutRow(const std::vector<driver::Value>& row, const std::vector<const Type*>& types,
            std::string* out) {
  PutBigEndian(static_cast<uint16_t>(row.size()), out);
  for (size_t i = 0; i < row.size(); ++i) {
    if (row[i].is_null()) {
      PutBigEndian(~uint32_t{0}, out);
    } else if (!PutBinary(row[i], *types[i], out)) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool BulkInsert::RunCopy(StatementRun* run, Statement* plain, const CommandWatch& watch) {
  if (flavor_.cockroach || !plain->may_copy || run->rows.size() < kFewestForCopy) return false;
  // Settings are in force in the segment of the statement only, of which a COPY has several.
  if (!run->settings.empty() && !transaction_->open) return false;
  const std::optional<CopyForm> form = CopyFormOf(run->sql);
  plain->may_copy =
      form.has_value() && std::all_of(plain->parameters.begin(), plain->parameters.end(),
                                      [](const Type* type) { return HasBinaryForm(*type); });
  if (!plain->may_copy) return false;
  PendingCommand command(&watch);
  if (BeginCopy(*form, plain, &command) && SendRows(run, *form, *plain, &command)) {
    run->status = EndCopy(watch);
    if (run->status.ok() || !runner_->linked() ||
        driver::GetErrorInfo(run->status).reason == driver::Reason::kCommitOutcomeUnknown) {
      return true;
    }
  }
  run->summary = {};
  run->status = command.interruption;
  if (run->status.ok() && !runner_->linked()) run->status = link_->BrokenError();
  if (!run->status.ok()) {
    // A client's transaction is left as a cancelled statement leaves it.
    if (runner_->linked() && !transaction_->open) UndoCopy().IgnoreError();
    return true;
  }
  run->status = UndoCopy();
  return !run->status.ok();
}

bool BulkInsert::BeginCopy(const CopyForm& form, Statement* plain, PendingCommand* command) {
  if (!link_->SendText(transaction_->open ? "SAVEPOINT penstock_rows" : "BEGIN") ||
      !link_->SendPrepare("", plain->sql, {}) || !link_->SendDescribe("") ||
      !link_->SendText(SuitsQuery(form.table)) || !link_->SendSync()) {
    return false;
  }
  const auto same = [plain](const Result& described) {
    if (described.parameters() != static_cast<int>(plain->parameters.size())) return false;
    for (int i = 0; i < described.parameters(); ++i) {
      const Type& type = *plain->parameters[static_cast<size_t>(i)];
      if (described.parameter_type(i) != type.oid) return false;
    }
    return true;
  };
  bool suits = false;
  bool same_types = false;
  bool failed = false;
  for (;;) {
    absl::StatusOr<Result> result = runner_->Next(command);
    if (!result.ok()) return false;
    if (result->kind() == Result::Kind::kError) failed = true;
    if (result->kind() == Result::Kind::kDone) {
      if (result->is_description()) same_types = same(*result);
      if (result->rows() == 1) suits = true;
    }
    if (result->kind() != Result::Kind::kSync) continue;
    runner_->SettleCancel(*command);
    if (failed || !command->interruption.ok()) return false;
    plain->may_copy = suits && same_types;
    return plain->may_copy;
  }
}

bool BulkInsert::SendRows(StatementRun* run, const CopyForm& form, const Statement& plain,
                          PendingCommand* command) {
  if (!link_->SendCopy(form.sql)) return false;
  absl::StatusOr<Result> begun = runner_->Next(command);
  if (!begun.ok()) return false;
  const bool copying = begun->kind() == Result::Kind::kCopy;
  bool complete = copying && command->interruption.ok();
  if (copying) {
    complete = complete && SendAllRows(run->rows, plain, command);
    if (link_->broken() || !link_->EndCopy(complete)) return false;
  }
  bool done = false;
  for (Result::Kind kind = begun->kind(); kind != Result::Kind::kEnd;) {
    absl::StatusOr<Result> result = runner_->Next(command);
    if (!result.ok()) return false;
    kind = result->kind();
    if (kind != Result::Kind::kDone) continue;
    done = true;
    run->summary.rows_affected = result->rows_affected();
  }
  runner_->SettleCancel(*command);
  return runner_->linked() && link_->ResumePipeline() && done && complete;
}

bool BulkInsert::SendAllRows(std::span<const std::vector<driver::Value>> rows,
                             const Statement& plain, PendingCommand* command) {
  // The signature, and no flags.
  std::string data("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
  for (const std::vector<driver::Value>& row : rows) {
    if (!PutRow(row, plain.parameters, &data)) return false;
    if (data.size() < kChunkBytes) continue;
    if (!link_->SendCopyData(data) || !Flush(command)) return false;
    data.clear();
  }
  PutBigEndian(uint16_t{0xffff}, &data);
  return link_->SendCopyData(data);
}

bool BulkInsert::Flush(PendingCommand* command) {
  for (;;) {
    runner_->Interrupt(command, command->Interruption());
    if (!command->interruption.ok()) return false;
    switch (link_->WaitUntilSent(command->until)) {
      case Link::Wait::kReady: return true;
      case Link::Wait::kBroken: return false;
      default: break;
    }
  }
}

absl::Status BulkInsert::EndCopy(const CommandWatch& watch) {
  const absl::Status ended =
      runner_->Control(transaction_->open ? "RELEASE SAVEPOINT penstock_rows" : "COMMIT", watch);
  const bool lost =
      driver::GetErrorInfo(ended).reason == driver::Reason::kConnectionLost || !runner_->linked();
  return !transaction_->open && !ended.ok() && lost ? runner_->OutcomeUnknown() : ended;
}

absl::Status BulkInsert::UndoCopy() {
  if (!transaction_->open) {
    return link_->transaction() == Link::Transaction::kNone ? absl::OkStatus()
                                                            : runner_->Control("ROLLBACK");
  }
  return UndoSavepoint();
}

}  // namespace penstock::postgres
