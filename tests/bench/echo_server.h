// The limit: a bare gRPC server that answers at once.
#ifndef PENSTOCK_TESTS_BENCH_ECHO_SERVER_H_
#define PENSTOCK_TESTS_BENCH_ECHO_SERVER_H_

#include <string>

namespace penstock::bench {

// Serves DatabaseService.Prepare and .Query and KeyValueService.Get and .Put on `address` until
// SIGTERM, with answers that have the shape and the size of penstockd's for the statements of the
// load, and no database behind them. Says on standard output when it is ready. Returns the exit
// code of the process.
int RunEchoServer(const std::string& address);

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_ECHO_SERVER_H_
