#include "server/rpc/base/result_call.h"

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
  meter_.Start(&principal().quota());
  run_.limits.max_bytes = answer_limits().first_batch;
  run_.Submit(/*writes=*/false);
}

// On a worker thread, so a cursor may be closed.
void ResultCall::Advance() {
  if (run_.status.ok()) {
    const absl::Status fits = meter_.Check(Written());
    if (!fits.ok()) run_.status = Undelivered(run_, fits);
  }
  if (!run_.status.ok()) {
    run_.CloseCursor();
    return End();
  }
  if (run_.cursor == nullptr) run_.Record();
  EndBatch();
  SendPart();
}

// On any thread.
void ResultCall::SendPart() {
  const Part part = NextPart();
  if (part.message == nullptr) return fetch_.Enqueue(*run_.database);
  const absl::Status written = part.last ? WriteAndFinish(*part.message) : Write(*part.message);
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
