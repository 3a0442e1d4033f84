// Core dumps of the daemon, in whose memory there are secrets.
#ifndef PENSTOCK_SERVER_RUNTIME_CORE_DUMPS_H_
#define PENSTOCK_SERVER_RUNTIME_CORE_DUMPS_H_

namespace penstock::server {

// From now on the process leaves no core dump, and other processes of its user, unless they are
// root's, neither attach to it nor read its memory and environment in /proc. Call it before a
// secret is read.
void ForbidCoreDumps();

// Takes ForbidCoreDumps back. A core dump may be as large as the hard limit of the process allows.
void AllowCoreDumps();

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RUNTIME_CORE_DUMPS_H_
