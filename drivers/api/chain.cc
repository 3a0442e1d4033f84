#include "drivers/api/chain.h"

#include "drivers/api/error.h"

namespace penstock::driver {

bool MayStart(StatementRun* run) {
  run->status = absl::OkStatus();
  run->summary = {};
  run->wrong_lane = false;
  if (run->chain == nullptr || !run->chain->failed) return true;
  run->status = MakeError(Reason::kCancelled, "not run: an earlier request on the stream failed");
  return false;
}

void NoteFailure(const StatementRun& run) {
  if (!run.status.ok() && run.chain != nullptr) run.chain->failed = true;
}

}  // namespace penstock::driver
