// Single statements on a backend that is serializable unless somebody has set its default
// to something else: the session is set back to it for as long as it runs operations on
// keys and values.
#include "drivers/sql_key_value/connection.h"

namespace penstock::sql_key_value {
namespace {

using driver::StatementRun;
using driver::Value;

// The text that a statement returns.
class TextWriter final : public driver::RowWriter {
 public:
  void Begin(const driver::Columns&) override {}
  void Null() override {}
  void Boolean(bool) override {}
  void Integer(int64_t) override {}
  void Real(double) override {}
  void Bytes(driver::Kind, std::string_view bytes) override { text.assign(bytes); }
  void Timestamp(int64_t, int32_t) override {}
  void Array(std::span<const Value>) override {}
  void EndRow() override {}
  size_t bytes() const override { return 0; }

  std::string text;
};

}  // namespace

absl::StatusOr<bool> Connection::IsSerializable(const StatementRun& run) {
  TextWriter isolation;
  StatementRun show = Own(run, dialect_.show_isolation);
  show.writer = &isolation;
  absl::Status status = RunAlone(&show);
  if (!status.ok()) return status;
  return isolation.text == "serializable";
}

absl::Status Connection::Pin(const StatementRun& run) {
  if (dialect_.show_isolation.empty() || pinned_) return absl::OkStatus();
  if (!serializable_.has_value()) {
    const absl::StatusOr<bool> is = IsSerializable(run);
    if (!is.ok()) return is.status();
    serializable_ = *is;
  }
  if (*serializable_) return absl::OkStatus();
  // Otherwise the driver would undo it at the end of each batch.
  inner_->KeepSession(true);
  pinned_ = true;
  StatementRun set =
      Own(run, "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE");
  set.once = true;
  absl::Status pinned = RunAlone(&set);
  if (!pinned.ok()) Unpin().IgnoreError();
  return pinned;
}

absl::Status Connection::Unpin() {
  if (!pinned_) return absl::OkStatus();
  pinned_ = false;
  absl::Status reset = inner_->Reset();
  inner_->KeepSession(keep_session_);
  return reset;
}

absl::Status Connection::Reset() {
  pinned_ = false;
  keep_session_ = false;
  return inner_->Reset();
}

void Connection::KeepSession(bool keep) {
  keep_session_ = keep;
  if (!pinned_) inner_->KeepSession(keep);
}

absl::StatusOr<driver::StatementInfo> Connection::Describe(std::string_view sql,
                                                           const driver::Deadline& deadline,
                                                           driver::Cancellation* cancellation) {
  absl::Status ready = Unpin();
  if (!ready.ok()) return ready;
  return inner_->Describe(sql, deadline, cancellation);
}

}  // namespace penstock::sql_key_value
