#include "client/src/query.h"

#include <string>
#include <utility>

#include "client/src/cancellation.h"
#include "client/src/convert.h"
#include "client/src/format.h"
#include "client/src/methods.h"
#include "client/src/refusal.h"
#include "client/src/status.h"
#include "client/src/streamed_rows.h"
#include "client/src/unary.h"

namespace penstock::internal {
namespace {

absl::Status SetStaleness(const Context& ctx, v1::QueryRequest* request) {
  if (!ctx.staleness().has_value()) return absl::OkStatus();
  const absl::Duration ago = *ctx.staleness();
  if (ago == absl::InfiniteDuration() || absl::Trunc(ago, absl::Microseconds(1)) != ago ||
      ago <= absl::ZeroDuration()) {
    return InvalidParameter(
        Format("Context::WithStaleness({}): a staleness must be a positive number of microseconds",
               absl::FormatDuration(ago)));
  }
  ToProto(ago, request->mutable_staleness());
  return absl::OkStatus();
}

// The result of one Query call.
class QuerySource final : public ResultSource {
 public:
  QuerySource(const std::shared_ptr<Channel>& channel, const Connection& connection,
              const Context& ctx)
      : call_(channel, connection, ctx, method::kQuery, GiveUpTime(ctx)) {}

  // Waits for the first part, which Read then returns. `*again` is explained at Settle.
  absl::Status Start(const v1::QueryRequest& request, Again* again) {
    call_.SendLast(request);  // A failure shows in the answer.
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
    if (call_.Receive(&part_)) {
      if (part_.has_summary()) call_.AwaitEnd();
      return absl::OkStatus();
    }
    if (call_.EndedWell()) return ProtocolError("a result without a summary");
    const absl::Status end = call_.End();
    // The client does not know whether the statement writes, so it must assume so.
    return Settle(end, call_.HowFar(/*writes=*/true), again);
  }

  Stream<v1::QueryRequest, v1::QueryResponse> call_;
  v1::QueryResponse part_;
  // True while part_ is the first part and has not been returned by Read.
  bool unread_ = false;
};

absl::Status Fill(const Channel& channel, const Context& ctx, std::string_view sql,
                  const std::vector<Value>& args, v1::QueryRequest* request) {
  absl::Status status = SetStaleness(ctx, request);
  if (status.ok()) status = SetSettings(ctx, request);
  if (status.ok()) status = CheckSql(sql);
  if (status.ok()) status = ToProto(args, request->mutable_args());
  if (!status.ok()) return status;
  request->set_database(channel.config.database);
  request->set_sql(std::string(sql));
  request->set_format(v1::FORMAT_COLUMNS);
  SetTimeout(ctx, request);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Rows>> RunQuery(const std::shared_ptr<Channel>& channel,
                                               const std::shared_ptr<Pipes>& pipes,
                                               const Context& ctx, std::string_view sql,
                                               const std::vector<Value>& args) {
  v1::PipelineRequest::Call call;
  v1::QueryRequest& request = *call.mutable_query();
  absl::Status status = channel->CheckQuery(ctx);
  if (status.ok()) status = Fill(*channel, ctx, sql, args, &request);
  if (!status.ok()) return status;
  // The client does not know whether the statement writes, so it must assume so.
  if (auto first = pipes->TryRun(ctx, /*writes=*/true, &call)) {
    if (!first->ok()) return first->status();
    return RowsOf(pipes, **std::move(first));
  }
  status = channel->CheckSize(request);
  if (!status.ok()) return status;
  return channel->Call(ctx,
                       [&](const std::shared_ptr<Connection>& connection,
                           Again* again) -> absl::StatusOr<std::unique_ptr<Rows>> {
                         SetTimeout(ctx, &request);
                         auto source = std::make_unique<QuerySource>(channel, *connection, ctx);
                         if (absl::Status started = source->Start(request, again); !started.ok())
                           return started;
                         return StreamedRows::Open(std::move(source));
                       });
}

Async<std::unique_ptr<Rows>> RunQueryAsync(const std::shared_ptr<Pipes>& pipes, const Context& ctx,
                                           std::string_view sql, const std::vector<Value>& args) {
  v1::PipelineRequest::Call call;
  absl::Status status = Fill(pipes->channel(), ctx, sql, args, call.mutable_query());
  if (!status.ok()) return pipes->FailAsync<std::unique_ptr<Rows>>(status);
  absl::StatusOr<PipeRequest> request =
      MakePipeRequest(pipes->channel(), ctx, /*writes=*/true, &call);
  if (request.ok()) request->queries = true;
  return pipes->RunAsync<std::unique_ptr<Rows>>(
      ctx, std::move(request),
      [](std::shared_ptr<Pipes> at, PipeFirst first, const AsyncExecutor& executor) {
        return RowsOf(std::move(at), std::move(first), nullptr, executor);
      });
}

}  // namespace penstock::internal
