#include "server/rpc/base/call_run.h"

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "text/string_views.h"

namespace penstock::server {

using driver::Reason;

bool OnlyReads(const driver::StatementRun& run) {
  return run.key_value != nullptr ? run.key_value->reads() : run.read_only;
}

void CallRun::Arm() {
  // A driver that is well has come back by then.
  const Duration patience = Pool::kPatience + Duration(database->info().overrun);
  const bool limited = deadline.at < TimePoint::max() - patience;
  const TimePoint at = limited ? deadline.at + patience : TimePoint::max();
  given_up_at_.store(at.time_since_epoch().count());
  recorded_ = false;
  meter_.Start(&call_->principal().quota());
  call_->Ref();
}

void CallRun::Submit(bool writes) {
  Arm();
  if (writes) {
    database->SubmitWrite(this);
  } else {
    database->Submit(this);
  }
}

void CallRun::OnRun() {
  Call* const call = call_;
  if (given_up_at_.exchange(kNoRun) != kNoRun) {
    on_run_();
  } else {
    CloseCursor();
    Record();
    if (on_late_) on_late_();
  }
  call->Unref();
}

void CallRun::EndBatch(Operation* operation) {
  if (status.ok()) {
    const absl::Status fits = meter_.Check(operation->Written());
    if (!fits.ok()) status = Undelivered(*this, fits);
  }
  if (!status.ok()) CloseCursor();
  if (cursor == nullptr) Record();
  if (status.ok()) operation->EndBatch(*this);
}

void CallRun::Fetch(size_t max_bytes) {
  // A statement that writes is asked all the same: the driver, which sees the cancel
  // too, knows what has become of it.
  if (status.ok() && OnlyReads(*this) && cancellation->cancelled()) status = cancellation->status();
  bool more = false;
  if (status.ok()) {
    const absl::StatusOr<bool> fetched = cursor->Fetch({.max_bytes = max_bytes}, writer);
    status = fetched.status();
    more = fetched.ok() && *fetched;
    if (!more) summary = cursor->summary();
  }
  if (!more) CloseCursor();
}

void CallRun::Record() {
  if (recorded_) return;
  recorded_ = true;
  RecordStatement(context_, caller, *database, *this, began);
}

absl::Status CallRun::Check(TimePoint now) {
  Duration::rep at = given_up_at_.load();
  if (at == kNoRun || now.time_since_epoch().count() < at) return absl::OkStatus();
  if (!given_up_at_.compare_exchange_strong(at, kNoRun)) return absl::OkStatus();
  if (!may_write()) return deadline.Error();
  return driver::MakeErrorWithHint(Reason::kCommitOutcomeUnknown,
                                   "the time limit has passed, but the statement has not returned "
                                   "from the backend and may still take effect",
                                   "read the data before you try again; see /readyz");
}

absl::Status Undelivered(const driver::StatementRun& run, const absl::Status& why) {
  if (OnlyReads(run)) return why;
  const std::string_view reason = ToStd(why.message());
  if (run.cursor == nullptr) {
    return driver::MakeErrorWithHint(
        Reason::kCommitOutcomeUnknown,
        fmt::format("the statement was executed, but its answer could not be sent: {}", reason),
        "do not run it again; read the data");
  }
  return driver::MakeErrorWithHint(Reason::kCommitOutcomeUnknown,
                                   fmt::format("the statement was interrupted while its rows were "
                                               "sent, and may or may not have taken effect: {}",
                                               reason),
                                   "read the data before you try again");
}

}  // namespace penstock::server
