// A code step of a Migrate call: the client's turn.
#include <string>
#include <utility>

#include "drivers/api/error.h"
#include "server/rpc/base/convert.h"
#include "server/rpc/migration/migrate_call.h"

namespace penstock::server {

using driver::MakeError;
using driver::Reason;

absl::Status MigrateCall::RunBeginCode() {
  BeginStep();
  progress_.Pause();
  absl::StatusOr<Lease> lease = migration_->BeginCode(next_step_);
  if (!lease.ok()) return lease.status();
  transaction_.emplace(database_);
  transaction_->Adopt(*std::move(lease));
  v1::MigrateResponse event;
  event.mutable_code_turn()->set_index(static_cast<int32_t>(next_step_));
  events_.Push(event);
  ReadCode();
  return absl::OkStatus();
}

void MigrateCall::ReadCode() {
  state_.store(State::kCoding);
  StartRead();
}

void MigrateCall::EndCoding() {
  State coding = State::kCoding;
  if (state_.compare_exchange_strong(coding, State::kEnding)) End(cancellation_.status());
}

void MigrateCall::OnCode(bool ok) {
  State coding = State::kCoding;
  if (!state_.compare_exchange_strong(coding, State::kRunning)) return;  // ended meanwhile
  if (cancellation_.cancelled()) return End(cancellation_.status());
  if (!ok) return End(MakeError(Reason::kProtocol, "the stream ended within a code step"));
  code_.Clear();
  const absl::Status parsed = Take(in(), &code_);
  if (!parsed.ok()) return End(parsed);
  if (code_.has_code_done()) return Do(Work::kCodeDone);
  if (code_.has_transaction()) return Do(Work::kCode);
  End(MakeError(Reason::kProtocol,
                "requests within a code step must have `transaction` or `code_done`"));
}

void MigrateCall::RunCode() {
  // The right to migrate is one to do anything in a code step, in the caller's own name.
  if (!code_caller_.has_value()) {
    code_caller_.emplace(principal().name(), Principal::Local()->grants(),
                         principal().quota().shared_from_this());
  }
  steps_.Run(*code_caller_, database_, &*transaction_, code_.transaction(), Clock::System().Now());
  Answer();
}

void MigrateCall::RunFetch() {
  steps_.Fetch();
  Answer();
}

void MigrateCall::Answer() {
  std::string answer;
  v1::MigrateResponse event;
  if (steps_.Next(&answer)) {
    event.mutable_transaction()->ParseFromString(answer);
    state_.store(State::kAnswering);
    if (!events_.Push(event, /*is_answer=*/true)) End(cancellation_.status());
  } else if (steps_.more()) {
    Do(Work::kFetch);
  } else {
    ReadCode();
  }
}

absl::Status MigrateCall::RunCodeDone() {
  absl::Status outcome;
  if (code_.code_done().has_error()) {
    const v1::Error& error = code_.code_done().error();
    outcome = absl::Status(static_cast<absl::StatusCode>(error.code()), error.message());
    if (outcome.ok()) outcome = absl::UnknownError(error.message());
  }
  GiveUpCode();
  absl::Status status = EndStep(migration_->EndCode(next_step_, outcome));
  return status.ok() ? GoOn() : status;
}

void MigrateCall::GiveUpCode() {
  steps_.Close();
  if (!transaction_.has_value()) return;
  migration_->TakeBack(transaction_->Leave());
  transaction_.reset();
}

}  // namespace penstock::server
