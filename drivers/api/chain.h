// How a failure of one request on a client's stream affects the requests behind it.
#ifndef PENSTOCK_DRIVERS_API_CHAIN_H_
#define PENSTOCK_DRIVERS_API_CHAIN_H_

#include "drivers/api/driver.h"

namespace penstock::driver {

// Clears what an earlier attempt has left in the run. False: the run must not start, because an
// earlier request of its chain has failed; its status says so.
bool MayStart(StatementRun* run);

// Marks the chain of a run that has failed, so that the requests behind it do not start.
void NoteFailure(const StatementRun& run);

}  // namespace penstock::driver

#endif  // PENSTOCK_DRIVERS_API_CHAIN_H_
