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
  QuerySource(std::shared_ptr<Channel> channel, const Context& ctx, const v1::QueryRequest& request)
      : channel_(std::move(channel)),
        ctx_(ctx),
        provider_scope_(channel_->open, &call_),
        scope_(ctx_, &call_) {
    channel_->SetUp(ctx_, &call_);
    if (ctx_.deadline() != absl::InfiniteFuture()) call_.set_deadline(ToDeadline(GiveUpTime(ctx_)));
    reader_ = channel_->database->Query(&call_, request);
  }

  ~QuerySource() override {
    if (ended_) return;
    call_.TryCancel();
    reader_->Finish();
  }

  absl::Status Read(v1::QueryResponse* part) override {
    if (reader_->Read(part)) {
      if (part->has_summary()) End().IgnoreError();
      return absl::OkStatus();
    }
    const absl::Status end = End();
    return end.ok() ? ProtocolError("a result without a summary") : end;
  }

 private:
  absl::Status End() {
    ended_ = true;
    return channel_->Explain(ToStatus(reader_->Finish()), ctx_, /*gave_up=*/false);
  }

  const std::shared_ptr<Channel> channel_;
  const Context ctx_;
  grpc::ClientContext call_;
  std::unique_ptr<grpc::ClientReader<v1::QueryResponse>> reader_;
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
  return StreamedRows::Open(std::make_unique<QuerySource>(channel, ctx, request));
}

}  // namespace penstock::internal
