// A transaction's steps are requests and answers in turn on one stream.
//
// One thread at a time uses the transaction, its statements and its rows, so there is no lock. At
// most one step waits for its answer. While rows are open (`busy_`) no other step may be sent,
// since its answer would come after the rest of the rows: Check refuses it, even if all rows have
// already arrived, so that the outcome does not depend on timing.
//
// `ended_` is the error of every later step once the transaction is over, whatever ended it. From
// then on `stream_` is null; destroying the stream cancels it, which makes the daemon roll back.
// Commit is the only step whose loss leaves the outcome open; any other loss means a rollback.
//
// A code step borrows the stream of a migration (`lent_`). It must give the stream back with
// nothing left to receive, and can neither commit nor roll back.
#include "client/src/transaction_stream.h"

#include <utility>

#include "client/src/refusal.h"
#include "client/src/status.h"

namespace penstock::internal {
namespace {

// How long to wait for the rollback of a transaction that is destroyed.
constexpr absl::Duration kAbandonTimeout = absl::Seconds(1);

}  // namespace

// The result of a step. Its destructor receives and drops the rest, because the transaction goes on
// over the same stream. Until then no other step is possible.
class TransactionStream::Source final : public ResultSource {
 public:
  Source(std::shared_ptr<TransactionStream> transaction, v1::TransactionResponse first)
      : transaction_(std::move(transaction)), first_(std::move(first)) {
    transaction_->busy_ = true;
  }

  ~Source() override {
    v1::QueryResponse dropped;
    while (!ended_ && Read(&dropped).ok()) {
    }
    transaction_->busy_ = false;
  }

  absl::Status Read(v1::QueryResponse* part) override {
    absl::StatusOr<v1::TransactionResponse> answer =
        std::exchange(unread_, false) ? std::move(first_)
                                      : transaction_->Receive(v1::TransactionResponse::kResult);
    if (answer.ok()) part->Swap(answer->mutable_result());
    ended_ = !answer.ok() || part->has_summary();
    transaction_->result_ended_ = ended_;
    if (ended_ && transaction_->stream_ != nullptr) transaction_->stream_->Leave();
    return answer.status();
  }

 private:
  const std::shared_ptr<TransactionStream> transaction_;
  v1::TransactionResponse first_;
  bool unread_ = true;
  bool ended_ = false;
};

absl::Status TransactionStream::Check(const Context& ctx,
                                      const v1::TransactionRequest& request) const {
  if (!ended_.ok()) return ended_;
  if (busy_) return RowsAreOpen();
  if (absl::Status status = channel_->CheckStep(ctx); !status.ok()) return status;
  if (!ctx.settings().empty() && ctx.settings() != settings_) {
    return InvalidParameter(
        "the settings of the context are not those with which the transaction began, which last "
        "until its end; use a context without settings for this step");
  }
  return channel_->CheckSize(request);
}

absl::Status TransactionStream::Finish(absl::Status why) {
  stream_ = nullptr;
  ended_ = std::move(why);
  return ended_;
}

absl::Status TransactionStream::Broken() {
  if (!ended_.ok()) return ended_;
  return Finish(OfLostTransaction(stream_->End()));
}

absl::StatusOr<v1::TransactionResponse> TransactionStream::Receive(
    v1::TransactionResponse::AnswerCase expected) {
  if (!ended_.ok()) return ended_;
  v1::TransactionResponse response;
  if (!stream_->Receive(&response)) return Broken();
  if (response.has_error()) return ToStatus(response.error());
  if (response.answer_case() != expected) {
    return Finish(
        ProtocolError("a step of a transaction received the answer to another kind of step"));
  }
  return response;
}

absl::Status TransactionStream::Begin(const Context& ctx, const v1::TransactionRequest& begin) {
  settings_ = ctx.settings();
  absl::Status status = channel_->Check(ctx);
  if (status.ok()) status = Check(ctx, begin);
  if (!status.ok()) return status;
  return channel_->Call(ctx, [&](const std::shared_ptr<Connection>& connection, Again* again) {
    return TryBegin(ctx, *connection, begin, again);
  });
}

absl::Status TransactionStream::TryBegin(const Context& ctx, const Connection& connection,
                                         const v1::TransactionRequest& begin, Again* again) {
  stream_ = std::make_unique<OwnTransactionLink>(channel_, connection, ctx);
  ended_ = absl::OkStatus();
  v1::TransactionResponse response;
  // Opening a transaction changes nothing.
  if (!stream_->Send(begin) || !stream_->Receive(&response)) {
    const absl::Status end = stream_->End();
    return Finish(Settle(end, stream_->MaybeSent() ? Reach::kHarmless : Reach::kNotSent, again));
  }
  stream_->Leave();
  if (response.has_begun()) return absl::OkStatus();
  if (!response.has_error()) return Finish(ProtocolError("a transaction was not opened"));
  absl::Status refused = ToStatus(response.error());
  *again = AfterRefusal(refused);
  return Finish(std::move(refused));
}

absl::StatusOr<v1::TransactionResponse> TransactionStream::Step(
    const Context& ctx, const v1::TransactionRequest& request,
    v1::TransactionResponse::AnswerCase expected) {
  if (absl::Status status = Check(ctx, request); !status.ok()) return status;
  stream_->Enter(ctx);
  stream_->Send(request);  // A failure shows in the answer.
  absl::StatusOr<v1::TransactionResponse> answer = Receive(expected);
  if (stream_ != nullptr) stream_->Leave();
  return answer;
}

absl::StatusOr<std::unique_ptr<ResultSource>> TransactionStream::Query(
    const Context& ctx, const v1::TransactionRequest& request) {
  if (absl::Status status = Check(ctx, request); !status.ok()) return status;
  stream_->Enter(ctx);
  stream_->Send(request);
  absl::StatusOr<v1::TransactionResponse> first = Receive(v1::TransactionResponse::kResult);
  result_ended_ = false;
  if (first.ok()) return std::make_unique<Source>(shared_from_this(), *std::move(first));
  if (stream_ != nullptr) stream_->Leave();
  return first.status();
}

absl::Status TransactionStream::End(const Context& ctx, const v1::TransactionRequest& request,
                                    v1::TransactionResponse::AnswerCase expected) {
  if (absl::Status status = Check(ctx, request); !status.ok()) return status;
  if (lent_) {
    return absl::FailedPreconditionError(
        "the transaction of a migration ends with its function: return OK to commit it");
  }
  stream_->Enter(ctx);
  stream_->Send(request);
  v1::TransactionResponse response;
  if (!stream_->Receive(&response)) {
    if (!request.has_commit() || !stream_->MaybeSent()) return Broken();
    return Finish(Settle(stream_->End(), Reach::kMaybeSent));
  }
  if (response.has_error()) return Finish(ToStatus(response.error()));
  if (response.answer_case() != expected) {
    return Finish(
        ProtocolError("the end of a transaction received the answer to another kind of step"));
  }
  // The daemon has answered, so the outcome stands, however the stream ends.
  stream_->Enter(Context().WithTimeout(kAbandonTimeout));
  stream_->AwaitEnd();
  Finish(absl::FailedPreconditionError("the transaction has ended")).IgnoreError();
  return absl::OkStatus();
}

absl::Status TransactionStream::GiveBack() {
  while (busy_ && !result_ended_ && ended_.ok()) {
    const absl::StatusOr<v1::TransactionResponse> part = Receive(v1::TransactionResponse::kResult);
    result_ended_ = !part.ok() || part->result().has_summary();
  }
  const absl::Status broken = ended_;
  Detach();
  return broken;
}

void TransactionStream::Detach() {
  Finish(absl::FailedPreconditionError("the code step has ended")).IgnoreError();
}

void TransactionStream::Bind(const Context& ctx) {
  if (stream_ != nullptr) stream_->Bind(ctx);
}

void TransactionStream::Abandon() {
  if (lent_ || !ended_.ok() || stream_ == nullptr) return;
  if (busy_ && !result_ended_) {
    // The daemon is sending rows, and reads nothing before their end except the end of the stream.
    Finish(absl::FailedPreconditionError("the transaction was destroyed")).IgnoreError();
    return;
  }
  busy_ = false;
  v1::TransactionRequest request;
  request.mutable_rollback();
  End(Context().WithTimeout(kAbandonTimeout), request, v1::TransactionResponse::kRolledBack)
      .IgnoreError();
}

}  // namespace penstock::internal
