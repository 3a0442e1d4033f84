// What libraries say, in the daemon's own log.
#ifndef PENSTOCK_SERVER_RPC_LIBRARY_LOG_H_
#define PENSTOCK_SERVER_RPC_LIBRARY_LOG_H_

namespace penstock::server {

// From now on the lines of gRPC and of protobuf are lines of our log, with its form,
// levels, escapes and limits, instead of lines on standard error. For the whole process;
// to be called before either library is used by another thread.
void TakeLibraryLogs();

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_LIBRARY_LOG_H_
