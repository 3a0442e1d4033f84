#include "server/rpc/base/result_call.h"

#include <string>
#include <utility>

namespace penstock::server {

ResultCall::ResultCall(const RpcContext& context, const CallSource& source, Rpc rpc,
                       WaitForNext wait_for_next)
    : ServerStreamCall(context, source, rpc, wait_for_next),
      run_(this, context_, [this] { Advance(); }),
      fetch_(this, [this] {
        run_.Fetch(answer_limits().batch);
        Advance();
      }) {}

void ResultCall::Tick(TimePoint now) {
  CheckStall(now);
  const absl::Status late = run_.Check(now);
  if (!late.ok()) Finish(late);
}

void ResultCall::OnStart() {
  const absl::Status prepared = Prepare();
  if (!prepared.ok()) return Finish(prepared);
  run_.Submit(/*writes=*/false);
}

// On a worker thread, so a cursor may be closed.
void ResultCall::Advance() {
  run_.EndBatch(&operation());
  if (run_.status.ok()) {
    SendPart();
  } else {
    End();
  }
}

// On any thread.
void ResultCall::SendPart() {
  std::string part;
  if (!operation().TakePart(&part)) return fetch_.Enqueue(*run_.database);
  const bool last = run_.cursor == nullptr && !operation().has_part();
  const absl::Status written = last ? WriteAndFinish(std::move(part)) : Write(std::move(part));
  if (written.ok()) return;
  run_.status = Undelivered(run_, written);
  End();
}

void ResultCall::OnWritten(bool ok) {
  if (!ok && run_.status.ok()) run_.status = Undelivered(run_, GoneStatus());
  if (run_.status.ok()) {
    SendPart();
  } else {
    End();
  }
}

// The thread pool closes the cursor first.
void ResultCall::End() {
  if (run_.cursor != nullptr) return fetch_.Enqueue(*run_.database);
  run_.Record();
  Finish(run_.status);
}

}  // namespace penstock::server
