#include "client/src/exec.h"

#include "client/src/convert.h"
#include "client/src/status.h"

namespace penstock::internal {
namespace {

absl::StatusOr<Result> ToResult(const v1::ExecResponse& response) {
  if (response.has_error()) return ToStatus(response.error());
  if (response.has_summary()) return FromProto(response.summary());
  return ProtocolError("an empty answer to a statement");
}

}  // namespace

std::unique_ptr<ExecRunner::ExecStream> ExecRunner::Open(const Context& ctx) {
  return std::make_unique<ExecStream>(
      channel_, ctx, [this](grpc::ClientContext* call, grpc::CompletionQueue* queue) {
        return channel_->database->PrepareAsyncExec(call, queue);
      });
}

std::unique_ptr<ExecRunner::ExecStream> ExecRunner::Acquire(const Context& ctx, bool* reused) {
  std::unique_ptr<ExecStream> stream;
  // A stream belongs to the trace that it was opened in.
  if (ctx.trace_parent().empty()) stream = pool_.Take();
  *reused = stream != nullptr;
  if (!*reused) return Open(ctx);
  stream->Enter(ctx);
  return stream;
}

void ExecRunner::Release(const Context& ctx, std::unique_ptr<ExecStream> stream) {
  if (ctx.trace_parent().empty()) pool_.Give(std::move(stream));
}

absl::Status ExecRunner::Complete(const Context& ctx, v1::ExecRequest* request) const {
  request->set_database(channel_->config.database);
  request->set_on_error(v1::ON_ERROR_CONTINUE);
  SetTimeout(ctx, request);
  return channel_->CheckSize(*request);
}

absl::StatusOr<Result> ExecRunner::Run(const Context& ctx, v1::ExecRequest* request) {
  absl::Status status = channel_->Check(ctx);
  if (status.ok()) status = Complete(ctx, request);
  if (!status.ok()) return status;
  bool reused = false;
  std::unique_ptr<ExecStream> stream = Acquire(ctx, &reused);
  v1::ExecResponse response;
  bool answered = stream->Send(*request) && stream->Receive(&response);
  if (!answered && reused && !stream->MaybeSent() && channel_->Check(ctx).ok()) {
    // The daemon is gone since the stream was last used, and the request never left.
    stream = Open(ctx);
    answered = stream->Send(*request) && stream->Receive(&response);
  }
  if (!answered) return stream->End();
  Release(ctx, std::move(stream));
  return ToResult(response);
}

void ExecRunner::RunAll(const Context& ctx, std::vector<v1::ExecRequest>* requests,
                        std::vector<absl::StatusOr<Result>>* outcomes) {
  // Those that can be sent, in order.
  std::vector<size_t> runs;
  for (size_t i = 0; i < requests->size(); ++i) {
    if (!(*outcomes)[i].ok()) continue;
    absl::Status status = channel_->Check(ctx);
    if (status.ok()) status = Complete(ctx, &(*requests)[i]);
    if (status.ok()) {
      runs.push_back(i);
    } else {
      (*outcomes)[i] = status;
    }
  }
  if (runs.empty()) return;

  bool reused = false;
  std::unique_ptr<ExecStream> stream = Acquire(ctx, &reused);
  size_t sent = 0;
  size_t answered = 0;
  bool broken = !stream->Send((*requests)[runs[sent++]]);
  while (!broken && answered < runs.size()) {
    if (stream->can_receive()) {
      v1::ExecResponse response;
      broken = !stream->Receive(&response);
      if (!broken) (*outcomes)[runs[answered++]] = ToResult(response);
    } else if (sent < runs.size() && stream->can_send()) {
      // A write that fails shows in the read, which then ends.
      stream->Send((*requests)[runs[sent++]]);
    } else {
      stream->AwaitProgress();
    }
  }
  if (!broken) return Release(ctx, std::move(stream));
  const absl::Status end = stream->End();
  for (; answered < runs.size(); ++answered) (*outcomes)[runs[answered]] = end;
}

}  // namespace penstock::internal
