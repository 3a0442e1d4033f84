#include "client/src/exec.h"

#include <utility>

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

std::unique_ptr<ExecRunner::ExecStream> ExecRunner::Open(const Context& ctx, const Stubs& stubs) {
  return std::make_unique<ExecStream>(
      channel_, ctx, [&stubs](grpc::ClientContext* call, grpc::CompletionQueue* queue) {
        return stubs.database->PrepareAsyncExec(call, queue);
      });
}

std::unique_ptr<ExecRunner::ExecStream> ExecRunner::Reuse(const Context& ctx) {
  // A stream belongs to the trace that it was opened in.
  if (!ctx.trace_parent().empty()) return nullptr;
  std::unique_ptr<ExecStream> stream = pool_.Take();
  if (stream != nullptr) stream->Enter(ctx);
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

absl::StatusOr<Result> ExecRunner::RunOn(const Context& ctx, std::unique_ptr<ExecStream> stream,
                                         v1::ExecRequest* request, bool* again) {
  SetTimeout(ctx, request);
  v1::ExecResponse response;
  if (!stream->Send(*request) || !stream->Receive(&response)) {
    const absl::Status end = stream->End();
    return Settle(end, stream->HowFar(/*writes=*/true), again);
  }
  Release(ctx, std::move(stream));
  absl::StatusOr<Result> result = ToResult(response);
  *again = IsRefusedByDrain(result.status());
  return result;
}

absl::StatusOr<Result> ExecRunner::Run(const Context& ctx, v1::ExecRequest* request) {
  absl::Status status = channel_->Check(ctx);
  if (status.ok()) status = Complete(ctx, request);
  if (!status.ok()) return status;
  if (std::unique_ptr<ExecStream> stream = Reuse(ctx)) {
    bool again = false;
    absl::StatusOr<Result> result = RunOn(ctx, std::move(stream), request, &again);
    if (!again || !channel_->Check(ctx).ok()) return result;
  }
  return channel_->Call(ctx, [&](const std::shared_ptr<Stubs>& stubs, bool* again) {
    return RunOn(ctx, Open(ctx, *stubs), request, again);
  });
}

void ExecRunner::RunAllOn(const Context& ctx, std::unique_ptr<ExecStream> stream,
                          std::vector<v1::ExecRequest>* requests, Outcomes* outcomes, Left* left) {
  const Left runs = std::exchange(*left, {});
  // An outcome that says that the run may be made again is put down all the same.
  const auto put_down = [&](size_t run, absl::StatusOr<Result> outcome, bool again) {
    if (again) left->push_back(run);
    (*outcomes)[run] = std::move(outcome);
  };
  size_t sent = 0;
  size_t answered = 0;
  bool broken = !stream->Send((*requests)[runs[sent++]]);
  while (!broken && answered < runs.size()) {
    if (stream->can_receive()) {
      v1::ExecResponse response;
      broken = !stream->Receive(&response);
      if (broken) break;
      absl::StatusOr<Result> result = ToResult(response);
      const bool again = IsRefusedByDrain(result.status());
      put_down(runs[answered++], std::move(result), again);
    } else if (sent < runs.size() && stream->can_send()) {
      // A write that fails shows in the read, which then ends.
      stream->Send((*requests)[runs[sent++]]);
    } else {
      stream->AwaitProgress();
    }
  }
  if (!broken) return Release(ctx, std::move(stream));
  const absl::Status end = stream->End();
  // The last that was handed over may have failed to leave; those before it have left.
  const size_t left_from = stream->MaybeSent() ? sent : sent - 1;
  for (; answered < runs.size(); ++answered) {
    bool again = false;
    absl::Status outcome =
        Settle(end, answered < left_from ? Reach::kMaybeSent : Reach::kNotSent, &again);
    put_down(runs[answered], std::move(outcome), again);
  }
}

void ExecRunner::RunAll(const Context& ctx, std::vector<v1::ExecRequest>* requests,
                        Outcomes* outcomes) {
  // Those that can be sent, in order.
  Left left;
  for (size_t i = 0; i < requests->size(); ++i) {
    if (!(*outcomes)[i].ok()) continue;
    absl::Status status = channel_->Check(ctx);
    if (status.ok()) status = Complete(ctx, &(*requests)[i]);
    if (status.ok()) {
      left.push_back(i);
    } else {
      (*outcomes)[i] = status;
    }
  }
  if (left.empty()) return;
  if (std::unique_ptr<ExecStream> stream = Reuse(ctx)) {
    RunAllOn(ctx, std::move(stream), requests, outcomes, &left);
    if (left.empty() || !channel_->Check(ctx).ok()) return;
  }
  channel_
      ->Call(ctx,
             [&](const std::shared_ptr<Stubs>& stubs, bool* again) {
               RunAllOn(ctx, Open(ctx, *stubs), requests, outcomes, &left);
               *again = !left.empty();
               return absl::OkStatus();
             })
      .IgnoreError();
}

}  // namespace penstock::internal
