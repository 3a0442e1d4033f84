#include "client/src/statement.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "client/src/convert.h"
#include "client/src/methods.h"
#include "client/src/status.h"
#include "client/src/stream.h"
#include "client/src/stream_pool.h"
#include "client/src/streamed_rows.h"
#include "google/protobuf/arena.h"

namespace penstock::internal {
namespace {

using PrepareStream = Stream<v1::PrepareRequest, v1::PrepareResponse>;

// The part of the statement that its open Rows share. Thread-safe.
class Core {
 public:
  Core(std::shared_ptr<Channel> channel, std::shared_ptr<IdleStreams> idle,
       std::shared_ptr<Pipes> pipes, std::string_view sql)
      : channel_(std::move(channel)), pipes_(std::move(pipes)), sql_(sql), pool_(std::move(idle)) {
    v1::PipelineRequest::Call call;
    v1::PipelineRequest::Prepare& prepare = *call.mutable_prepare();
    prepare.set_statement(pipes_->loop()->NewStatement());
    prepare.set_database(channel_->config.database);
    prepare.set_sql(sql_);
    prepare.set_format(v1::FORMAT_COLUMNS);
    piped_ = std::make_shared<const PipeStatement>(
        PipeStatement{.number = prepare.statement(), .prepare = call.SerializeAsString()});
  }

  ~Core() { pipes_->loop()->Forget(piped_->number); }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  Channel& channel() const { return *channel_; }
  const std::shared_ptr<Pipes>& pipes() const { return pipes_; }
  // How Pipeline streams know the statement.
  const std::shared_ptr<const PipeStatement>& piped() const { return piped_; }
  // The call that prepares it over a Pipeline stream.
  absl::StatusOr<PipeRequest> Preparation(const Context& ctx) const {
    v1::PipelineRequest::Call call;
    call.ParseFromString(piped_->prepare);
    SetTimeout(ctx, call.mutable_prepare());
    absl::StatusOr<PipeRequest> request = MakePipeRequest(*channel_, ctx, /*writes=*/false, &call);
    if (!request.ok()) return request;
    request->statement = piped_;
    request->prepares = true;
    return request;
  }
  StreamPool<PrepareStream>& pool() { return pool_; }

  // Opens a stream and prepares the statement on it. `*again` is explained at Settle.
  absl::StatusOr<std::unique_ptr<PrepareStream>> Open(const Context& ctx,
                                                      const Connection& connection,
                                                      v1::Prepared* prepared, Again* again) {
    v1::PrepareRequest request;
    request.set_database(channel_->config.database);
    request.set_sql(sql_);
    request.set_format(v1::FORMAT_COLUMNS);
    if (absl::Status status = channel_->CheckSize(request); !status.ok()) return status;
    auto stream = std::make_unique<PrepareStream>(channel_, connection, ctx, method::kPrepare);
    v1::PrepareResponse response;
    // Preparing changes nothing, so it may be repeated.
    if (!stream->Send(request) || !stream->Receive(&response)) {
      const absl::Status end = stream->End();
      return Settle(end, stream->HowFar(/*writes=*/false), again);
    }
    if (!response.has_prepared()) return ProtocolError("a statement was not prepared");
    *prepared = std::move(*response.mutable_prepared());
    return stream;
  }

 private:
  const std::shared_ptr<Channel> channel_;
  const std::shared_ptr<Pipes> pipes_;
  const std::string sql_;
  std::shared_ptr<const PipeStatement> piped_;
  StreamPool<PrepareStream> pool_;
};

// The result of one run. Destroying it before its end ends its stream, and with that the run.
class RunSource final : public ResultSource {
 public:
  // `first` is the first answer to the run. `writes` says that the run may have an effect.
  RunSource(std::shared_ptr<Core> core, std::unique_ptr<PrepareStream> stream,
            v1::PrepareResponse first, bool writes)
      : core_(std::move(core)),
        stream_(std::move(stream)),
        response_(std::move(first)),
        writes_(writes) {}

  absl::Status Read(v1::QueryResponse* part) override {
    if (!std::exchange(unread_, false) && !stream_->Receive(&response_)) {
      const absl::Status end = stream_->End();
      return Settle(end, stream_->HowFar(writes_));
    }
    if (response_.has_error()) {
      core_->pool().Give(std::move(stream_));
      return ToStatus(response_.error());
    }
    if (!response_.has_result()) return ProtocolError("neither a result nor an error");
    part->Swap(response_.mutable_result());
    if (part->has_summary()) core_->pool().Give(std::move(stream_));
    return absl::OkStatus();
  }

 private:
  const std::shared_ptr<Core> core_;
  std::unique_ptr<PrepareStream> stream_;
  v1::PrepareResponse response_;
  const bool writes_;
  // True while response_ is the first answer and has not been returned by Read.
  bool unread_ = true;
};

class PreparedStatement final : public Statement {
 public:
  PreparedStatement(std::shared_ptr<Core> core, const v1::Prepared& prepared)
      : core_(std::move(core)),
        parameter_count_(prepared.parameter_count()),
        columns_(std::make_shared<const std::vector<ColumnType>>(FromProto(prepared.columns()))),
        writes_(!prepared.read_only()) {}
  ~PreparedStatement() override { Release(); }

  absl::StatusOr<std::unique_ptr<Rows>> QueryArgs(const Context& ctx, Args args) override {
    if (auto first = RunOverPipe(ctx, args)) {
      if (!first->ok()) return first->status();
      return RowsOf(core_->pipes(), **std::move(first), columns_);
    }
    absl::StatusOr<std::unique_ptr<RunSource>> source = Start(ctx, args);
    if (!source.ok()) return source.status();
    return StreamedRows::Open(*std::move(source), columns_);
  }

  absl::StatusOr<Result> ExecArgs(const Context& ctx, Args args) override {
    if (auto first = RunOverPipe(ctx, args)) {
      if (!first->ok()) return first->status();
      return ResultOf(core_->pipes(), **std::move(first));
    }
    const absl::StatusOr<std::unique_ptr<RunSource>> source = Start(ctx, args);
    if (!source.ok()) return source.status();
    return DropRows(source->get());
  }

  Async<std::unique_ptr<Rows>> QueryArgsAsync(const Context& ctx, Args args) override {
    return core_->pipes()->RunAsync<std::unique_ptr<Rows>>(
        ctx, MakePipedRun(ctx, args),
        [columns = columns_](std::shared_ptr<Pipes> at, PipeFirst first,
                             const AsyncExecutor& executor) {
          return RowsOf(std::move(at), std::move(first), columns, executor);
        });
  }

  Async<Result> ExecArgsAsync(const Context& ctx, Args args) override {
    return core_->pipes()->RunAsync<Result>(
        ctx, MakePipedRun(ctx, args),
        [](std::shared_ptr<Pipes> at, PipeFirst first, const AsyncExecutor&) {
          return ResultOf(std::move(at), std::move(first));
        });
  }

  int ParameterCount() const override { return parameter_count_; }
  std::vector<ColumnType> ColumnTypes() const override { return *columns_; }

  absl::Status Close() override {
    Release();
    return absl::OkStatus();
  }

 private:
  void Release() {
    core_->pool().Close();
    if (!closed_.exchange(true)) core_->pipes()->loop()->Forget(core_->piped()->number);
  }

  // Makes a run over a Pipeline stream.
  absl::StatusOr<PipeRequest> MakePipedRun(const Context& ctx, const Args& args) const {
    if (closed_) return absl::FailedPreconditionError("the statement has been closed");
    // A run is what most calls are, and small, so its message is made without the heap.
    alignas(std::max_align_t) std::array<char, 1024> block;
    google::protobuf::Arena arena(block.data(), block.size());
    auto* const call = google::protobuf::Arena::CreateMessage<v1::PipelineRequest::Call>(&arena);
    v1::PipelineRequest::Run& run = *call->mutable_run();
    run.set_statement(core_->piped()->number);
    absl::Status status = ToProto(args, run.mutable_args());
    if (status.ok()) status = SetSettings(ctx, &run);
    if (!status.ok()) return status;
    SetTimeout(ctx, &run);
    absl::StatusOr<PipeRequest> request = MakePipeRequest(core_->channel(), ctx, writes_, call);
    if (request.ok()) request->statement = core_->piped();
    return request;
  }

  // Runs the statement over a Pipeline stream, unless it has to have a stream of its own.
  std::optional<absl::StatusOr<PipeFirst>> RunOverPipe(const Context& ctx, const Args& args) const {
    if (absl::Status status = core_->channel().Check(ctx); !status.ok()) return status;
    absl::StatusOr<PipeRequest> request = MakePipedRun(ctx, args);
    if (!request.ok()) return request.status();
    return core_->pipes()->TryRun(ctx, *std::move(request));
  }

  absl::Status MakeRun(const Context& ctx, const Args& args, v1::PrepareRequest* request) const {
    if (closed_) return absl::FailedPreconditionError("the statement has been closed");
    absl::Status status = core_->channel().Check(ctx);
    if (status.ok()) status = ToProto(args, request->mutable_args());
    if (status.ok()) status = SetSettings(ctx, request);
    if (!status.ok()) return status;
    SetTimeout(ctx, request);
    return core_->channel().CheckSize(*request);
  }

  // Runs the statement on `stream` and waits for the first answer. `*again` is explained at Settle.
  absl::StatusOr<std::unique_ptr<RunSource>> RunOn(const Context& ctx,
                                                   std::unique_ptr<PrepareStream> stream,
                                                   v1::PrepareRequest* request, Again* again) {
    SetTimeout(ctx, request);
    v1::PrepareResponse response;
    stream->Enter(ctx);
    if (!stream->Send(*request) || !stream->Receive(&response)) {
      const absl::Status end = stream->End();
      return Settle(end, stream->HowFar(writes_), again);
    }
    if (response.has_error()) *again = AfterRefusal(ToStatus(response.error()));
    if (*again != Again::kNo) return ToStatus(response.error());
    return std::make_unique<RunSource>(core_, std::move(stream), std::move(response), writes_);
  }

  // Runs the statement on an idle or a new stream, and waits for the first answer.
  absl::StatusOr<std::unique_ptr<RunSource>> Start(const Context& ctx, const Args& args) {
    v1::PrepareRequest request;
    if (absl::Status status = MakeRun(ctx, args, &request); !status.ok()) return status;
    if (std::unique_ptr<PrepareStream> stream = core_->pool().Take()) {
      Again again = Again::kNo;
      auto source = RunOn(ctx, std::move(stream), &request, &again);
      if (again == Again::kNo || !core_->channel().Check(ctx).ok()) return source;
    }
    return core_->channel().Call(ctx,
                                 [&](const std::shared_ptr<Connection>& connection,
                                     Again* again) -> absl::StatusOr<std::unique_ptr<RunSource>> {
                                   v1::Prepared prepared;
                                   auto opened = core_->Open(ctx, *connection, &prepared, again);
                                   if (!opened.ok()) return opened.status();
                                   return RunOn(ctx, *std::move(opened), &request, again);
                                 });
  }

  const std::shared_ptr<Core> core_;
  const int parameter_count_;
  const ColumnList columns_;
  const bool writes_;
  std::atomic<bool> closed_{false};
};

// Makes the statement that `answer` says was prepared.
absl::StatusOr<std::unique_ptr<Statement>> StatementOf(std::shared_ptr<Core> core,
                                                       const v1::PipelineResponse::Answer& answer) {
  if (!answer.has_prepared()) return ProtocolError("a statement was not prepared");
  return std::make_unique<PreparedStatement>(std::move(core), answer.prepared());
}

}  // namespace

absl::StatusOr<std::unique_ptr<Statement>> PrepareStatement(std::shared_ptr<Channel> channel,
                                                            std::shared_ptr<IdleStreams> idle,
                                                            std::shared_ptr<Pipes> pipes,
                                                            const Context& ctx,
                                                            std::string_view sql) {
  absl::Status status = channel->Check(ctx);
  if (status.ok()) status = CheckSql(sql);
  if (!status.ok()) return status;
  auto core = std::make_shared<Core>(std::move(channel), std::move(idle), std::move(pipes), sql);
  absl::StatusOr<PipeRequest> request = core->Preparation(ctx);
  if (!request.ok()) return request.status();
  if (auto first = core->pipes()->TryRun(ctx, *std::move(request))) {
    if (!first->ok()) return first->status();
    return StatementOf(std::move(core), (*first)->answer);
  }
  v1::Prepared prepared;
  absl::StatusOr<std::unique_ptr<PrepareStream>> stream =
      core->channel().Call(ctx, [&](const std::shared_ptr<Connection>& connection, Again* again) {
        return core->Open(ctx, *connection, &prepared, again);
      });
  if (!stream.ok()) return stream.status();
  core->pool().Give(*std::move(stream));
  return std::make_unique<PreparedStatement>(std::move(core), prepared);
}

Async<std::unique_ptr<Statement>> PrepareStatementAsync(std::shared_ptr<Channel> channel,
                                                        std::shared_ptr<IdleStreams> idle,
                                                        const std::shared_ptr<Pipes>& pipes,
                                                        const Context& ctx, std::string_view sql) {
  if (absl::Status status = CheckSql(sql); !status.ok()) {
    return pipes->FailAsync<std::unique_ptr<Statement>>(status);
  }
  auto core = std::make_shared<Core>(std::move(channel), std::move(idle), pipes, sql);
  return pipes->RunAsync<std::unique_ptr<Statement>>(
      ctx, core->Preparation(ctx),
      [core](const std::shared_ptr<Pipes>&, const PipeFirst& first, const AsyncExecutor&) {
        return StatementOf(core, first.answer);
      });
}

}  // namespace penstock::internal
