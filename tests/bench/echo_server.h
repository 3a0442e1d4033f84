// The upper limit: a bare gRPC server that answers at once.
#ifndef PENSTOCK_TESTS_BENCH_ECHO_SERVER_H_
#define PENSTOCK_TESTS_BENCH_ECHO_SERVER_H_

#include <string>

namespace penstock::bench {

// Serves DatabaseService.Prepare and .Query and KeyValueService.Get and .Put on `address` until
// SIGTERM. The answers have the shape and the size of penstockd's answers to the statements of the
// load, but there is no database. Prints to standard output when it is ready. Returns the exit code
// of the process.
int RunEchoServer(const std::string& address);

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_ECHO_SERVER_H_
