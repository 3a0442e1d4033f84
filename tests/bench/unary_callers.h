// Callers of unary methods of KeyValueService and etcd.
#ifndef PENSTOCK_TESTS_BENCH_UNARY_CALLERS_H_
#define PENSTOCK_TESTS_BENCH_UNARY_CALLERS_H_

#include <memory>

#include "tests/bench/callers.h"

namespace grpc {
class Channel;
}

namespace penstock::bench {

// Makes a caller; `round.call` must be kGet, kPut or kEtcdPut.
std::unique_ptr<Caller> MakeUnaryCaller(const std::shared_ptr<grpc::Channel>& channel,
                                        const Round& round, Progress* progress, int number);

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_UNARY_CALLERS_H_
