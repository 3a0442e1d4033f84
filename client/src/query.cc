#include "client/src/query.h"

#include <string>
#include <utility>

#include "client/src/cancellation.h"
#include "client/src/convert.h"
#include "client/src/status.h"
#include "client/src/streamed_rows.h"
#include "grpcpp/support/sync_stream.h"

namespace penstock::internal {
namespace {

// One Query call.
class QuerySource final : public ResultSource {
 public:
  QuerySource(std::shared_ptr<Channel> channel, std::shared_ptr<const Stubs> stubs,
              const Context& ctx, const v1::QueryRequest& request)
      : channel_(std::move(channel)),
        stubs_(std::move(stubs)),
        ctx_(ctx),
        provider_scope_(channel_->open, &call_),
        scope_(ctx_, &call_) {
    channel_->SetUp(ctx_, &call_);
    if (ctx_.deadline() != absl::InfiniteFuture()) call_.set_deadline(ToDeadline(GiveUpTime(ctx_)));
    reader_ = stubs_->database->Query(&call_, request);
  }

  ~QuerySource() override {
    if (ended_) return;
    call_.TryCancel();
    reader_->Finish();
  }

  // Waits for the first part, which Read then returns. `*again`: see Settle.
  absl::Status Start(Again* again) {
    unread_ = true;
    return Receive(again);
  }

  absl::Status Read(v1::QueryResponse* part) override {
    Again again = Again::kNo;
    absl::Status received = std::exchange(unread_, false) ? absl::OkStatus() : Receive(&again);
    if (received.ok()) part->Swap(&part_);
    return received;
  }

 private:
  absl::Status Receive(Again* again) {
    part_.Clear();
    if (reader_->Read(&part_)) {
      if (part_.has_summary()) Finish().IgnoreError();
      return absl::OkStatus();
    }
    const absl::Status end = Finish();
    if (end.ok()) return ProtocolError("a result without a summary");
    // Nothing here tells whether the statement writes.
    return Settle(end, stubs_->MaybeSent(call_) ? Reach::kMaybeSent : Reach::kNotSent, again);
  }

  absl::Status Finish() {
    ended_ = true;
    return channel_->Explain(ToStatus(reader_->Finish()), ctx_, /*gave_up=*/false);
  }

  const std::shared_ptr<Channel> channel_;
  const std::shared_ptr<const Stubs> stubs_;
  const Context ctx_;
  grpc::ClientContext call_;
  std::unique_ptr<grpc::ClientReader<v1::QueryResponse>> reader_;
  v1::QueryResponse part_;
  // part_ has not been handed on.
  bool unread_ = false;
  bool ended_ = false;
  // Destroyed before call_.
  const CancelScope provider_scope_;
  const CancelScope scope_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Rows>> RunQuery(const std::shared_ptr<Channel>& channel,
                                               const Context& ctx, std::string_view sql,
                                               const std::vector<Value>& args) {
  v1::QueryRequest request;
  absl::Status status = channel->Check(ctx);
  if (status.ok()) status = CheckSql(sql);
  if (status.ok()) status = ToProto(args, request.mutable_args());
  if (!status.ok()) return status;
  request.set_database(channel->config.database);
  request.set_sql(std::string(sql));
  request.set_format(v1::FORMAT_COLUMNS);
  SetTimeout(ctx, &request);
  status = channel->CheckSize(request);
  if (!status.ok()) return status;
  return channel->Call(ctx,
                       [&](const std::shared_ptr<Stubs>& stubs,
                           Again* again) -> absl::StatusOr<std::unique_ptr<Rows>> {
                         SetTimeout(ctx, &request);
                         auto source = std::make_unique<QuerySource>(channel, stubs, ctx, request);
                         if (absl::Status started = source->Start(again); !started.ok())
                           return started;
                         return StreamedRows::Open(std::move(source));
                       });
}

}  // namespace penstock::internal
