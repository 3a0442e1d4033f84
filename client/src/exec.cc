// Statements outside of transactions, over Exec streams.
//
// A stream belongs to one call at a time: Reuse takes it out of the pool, and Release puts it back
// only after every request on it was answered, so that the next answer always belongs to the next
// request. A stream that broke is never put back. ON_ERROR_CONTINUE makes the daemon answer a
// failed statement and go on, so a statement's error does not spoil the stream; the streams of
// RunUntilFailure, whose requests say ON_ERROR_STOP, are not kept.
//
// The daemon answers in the order of the requests. When a stream ends early, the first `answered`
// requests are settled; those before the last one sent have certainly left this process, the last
// one may have, and the rest were never sent. Settle turns that into the outcome, and into whether
// the request may be run again.
#include "client/src/exec.h"

#include <algorithm>
#include <utility>

#include "client/src/convert.h"
#include "client/src/format.h"
#include "client/src/methods.h"
#include "client/src/status.h"
#include "penstock/errors.h"

namespace penstock::internal {
namespace {

absl::StatusOr<Result> ToResult(const v1::ExecResponse& response) {
  if (response.has_error()) return ToStatus(response.error());
  if (response.has_summary()) return FromProto(response.summary());
  return ProtocolError("an empty answer to a statement");
}

// The outcome of a request that was not run because an earlier one failed.
absl::Status NotRun(size_t failed) {
  return MakeError(
      absl::StatusCode::kAborted,
      Format("the statement was not run, because statement {} of the batch failed", failed + 1),
      {.retry = Retry::kStatement});
}

// Returns the index of the first failure, or the number of outcomes if there is none.
size_t FirstFailed(const std::vector<absl::StatusOr<Result>>& outcomes) {
  const auto failed = std::find_if(outcomes.begin(), outcomes.end(),
                                   [](const auto& outcome) { return !outcome.ok(); });
  return static_cast<size_t>(failed - outcomes.begin());
}

// Marks everything behind the first failure as not run, except for outcomes that are unknown.
void TellNotRun(std::vector<absl::StatusOr<Result>>* outcomes) {
  const size_t failed = FirstFailed(*outcomes);
  for (size_t i = failed + 1; i < outcomes->size(); ++i) {
    if (!IsCommitOutcomeUnknown((*outcomes)[i].status())) (*outcomes)[i] = NotRun(failed);
  }
}

}  // namespace

std::unique_ptr<ExecRunner::ExecStream> ExecRunner::Open(const Context& ctx,
                                                         const Connection& connection) {
  return std::make_unique<ExecStream>(channel_, connection, ctx, method::kExec);
}

std::unique_ptr<ExecRunner::ExecStream> ExecRunner::Reuse(const Context& ctx) {
  // A call with a trace parent needs a new stream, because a stream belongs to one trace.
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
  absl::Status status = SetSettings(ctx, request);
  return status.ok() ? channel_->CheckSize(*request) : status;
}

absl::Status ExecRunner::EndOf(ExecStream* stream) {
  // A daemon that drains answers the requests that it has accepted, and then ends the stream.
  return stream->EndedWell() ? NotTaken() : stream->End();
}

absl::Status ExecRunner::Lost(ExecStream* stream, bool left, Again* again) {
  return Settle(EndOf(stream), left ? Reach::kMaybeSent : stream->HowFar(/*writes=*/true), again);
}

absl::StatusOr<Result> ExecRunner::RunOn(const Context& ctx, std::unique_ptr<ExecStream> stream,
                                         v1::ExecRequest* request, Again* again) {
  SetTimeout(ctx, request);
  v1::ExecResponse response;
  if (!stream->Send(*request) || !stream->Receive(&response)) {
    return Lost(stream.get(), /*left=*/false, again);
  }
  Release(ctx, std::move(stream));
  absl::StatusOr<Result> result = ToResult(response);
  *again = AfterRefusal(result.status());
  return result;
}

absl::StatusOr<Result> ExecRunner::Run(const Context& ctx, v1::ExecRequest* request) {
  absl::Status status = channel_->Check(ctx);
  if (status.ok()) status = Complete(ctx, request);
  if (!status.ok()) return status;
  if (std::unique_ptr<ExecStream> stream = Reuse(ctx)) {
    Again again = Again::kNo;
    absl::StatusOr<Result> result = RunOn(ctx, std::move(stream), request, &again);
    if (again == Again::kNo || !channel_->Check(ctx).ok()) return result;
  }
  return channel_->Call(ctx, [&](const std::shared_ptr<Connection>& connection, Again* again) {
    return RunOn(ctx, Open(ctx, *connection), request, again);
  });
}

Again ExecRunner::RunAllOn(const Context& ctx, std::unique_ptr<ExecStream> stream, Keep keep,
                           std::vector<v1::ExecRequest>* requests, Outcomes* outcomes, Left* left) {
  const Left runs = std::exchange(*left, {});
  // Records an outcome even if the request is to be run again, in case that does not happen.
  Again how = Again::kNo;
  const auto put_down = [&](size_t run, absl::StatusOr<Result> outcome, Again again) {
    if (again != Again::kNo) left->push_back(run);
    if (again != Again::kNo) how = again;
    (*outcomes)[run] = std::move(outcome);
  };
  size_t sent = 0;
  size_t answered = 0;
  bool stuck = false;  // true after a write has failed; there is no next one
  bool broken = !stream->Send((*requests)[runs[sent++]]);
  while (!broken && answered < runs.size()) {
    if (stream->can_receive()) {
      v1::ExecResponse response;
      broken = !stream->Receive(&response);
      if (broken) break;
      absl::StatusOr<Result> result = ToResult(response);
      const Again again = AfterRefusal(result.status());
      put_down(runs[answered++], std::move(result), again);
    } else if (!stuck && sent < runs.size() && stream->can_send()) {
      // The failure of a write makes the read fail, too, which ends the loop.
      stuck = !stream->Send((*requests)[runs[sent]]);
      if (!stuck) ++sent;
    } else {
      stream->AwaitProgress();
    }
  }
  if (!broken && keep == Keep::kYes) Release(ctx, std::move(stream));
  for (; answered < runs.size(); ++answered) {
    Again again = Again::kNo;
    absl::Status outcome = answered < sent
                               ? Lost(stream.get(), /*left=*/answered + 1 < sent, &again)
                               : Settle(EndOf(stream.get()), Reach::kNotSent, &again);
    put_down(runs[answered], std::move(outcome), again);
  }
  return how;
}

void ExecRunner::RunAll(const Context& ctx, std::vector<v1::ExecRequest>* requests,
                        Outcomes* outcomes) {
  // Collects the requests that can be sent, in order.
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
    RunAllOn(ctx, std::move(stream), Keep::kYes, requests, outcomes, &left);
    if (left.empty() || !channel_->Check(ctx).ok()) return;
  }
  channel_
      ->Call(ctx,
             [&](const std::shared_ptr<Connection>& connection, Again* again) {
               // The time that is left has become shorter since the attempt before.
               for (const size_t run : left) SetTimeout(ctx, &(*requests)[run]);
               *again =
                   RunAllOn(ctx, Open(ctx, *connection), Keep::kYes, requests, outcomes, &left);
               return absl::OkStatus();
             })
      .IgnoreError();
}

Again ExecRunner::RunInOrderOn(const Context& ctx, const Connection& connection,
                               std::vector<v1::ExecRequest>* requests, Outcomes* outcomes,
                               Left* left) {
  // Forget the outcomes of the attempt before.
  for (const size_t run : *left) (*outcomes)[run] = Result();
  const Again how = RunAllOn(ctx, Open(ctx, connection), Keep::kNo, requests, outcomes, left);
  // A request without effect may be run again, but not if an earlier one has failed for good.
  if (left->empty() || FirstFailed(*outcomes) < left->front()) {
    left->clear();
    return Again::kNo;
  }
  return how;
}

void ExecRunner::RunUntilFailure(const Context& ctx, std::vector<v1::ExecRequest>* requests,
                                 Outcomes* outcomes) {
  Left left;
  for (size_t i = 0; i < requests->size() && (*outcomes)[i].ok(); ++i) {
    absl::Status status = channel_->Check(ctx);
    if (status.ok()) status = Complete(ctx, &(*requests)[i]);
    (*requests)[i].set_on_error(v1::ON_ERROR_STOP);
    if (status.ok()) left.push_back(i);
    if (!status.ok()) (*outcomes)[i] = status;
  }
  if (!left.empty()) {
    channel_
        ->Call(ctx,
               [&](const std::shared_ptr<Connection>& connection, Again* again) {
                 for (const size_t run : left) SetTimeout(ctx, &(*requests)[run]);
                 *again = RunInOrderOn(ctx, *connection, requests, outcomes, &left);
                 return absl::OkStatus();
               })
        .IgnoreError();
  }
  TellNotRun(outcomes);
}

}  // namespace penstock::internal
