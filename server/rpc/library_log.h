// Puts what libraries say into the daemon's own log.
#ifndef PENSTOCK_SERVER_RPC_LIBRARY_LOG_H_
#define PENSTOCK_SERVER_RPC_LIBRARY_LOG_H_

namespace penstock::server {

// Makes the lines of gRPC and of protobuf lines of our log, with its form, levels, escapes and
// limits, instead of lines on standard error. It holds for the whole process, and is called before
// another thread uses either library.
void TakeLibraryLogs();

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_LIBRARY_LOG_H_
