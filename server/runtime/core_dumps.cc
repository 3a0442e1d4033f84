#include "server/runtime/core_dumps.h"

#include <sys/prctl.h>
#include <sys/resource.h>

namespace penstock::server {
namespace {

// The hard limit stays, so that the soft one can be raised again.
void SetSoftLimit(bool allowed) {
  rlimit limit{};
  getrlimit(RLIMIT_CORE, &limit);
  limit.rlim_cur = allowed ? limit.rlim_max : 0;
  setrlimit(RLIMIT_CORE, &limit);
}

}  // namespace

void ForbidCoreDumps() {
  // The limit alone does not hold where the kernel hands core dumps to a program.
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  SetSoftLimit(false);
}

void AllowCoreDumps() {
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  SetSoftLimit(true);
}

}  // namespace penstock::server
