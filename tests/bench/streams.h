// What the memory rows do to the server: streams that stand idle, and a result
// that is far larger than what the server may keep of it.
#ifndef PENSTOCK_TESTS_BENCH_STREAMS_H_
#define PENSTOCK_TESTS_BENCH_STREAMS_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/statusor.h"

namespace grpc {
class Channel;
}

namespace penstock::bench {

// Opens `count` Prepare streams over `channel`, each with a statement prepared
// and nothing running, calls `look`, and closes them.
absl::Status WithIdleStreams(const std::shared_ptr<grpc::Channel>& channel, int count,
                             const std::function<void()>& look);

// Reads a result of `rows` rows of four columns, and calls `look` now and then,
// also after moments in which it reads nothing. Every row must arrive.
absl::Status ReadLargeResult(const std::shared_ptr<grpc::Channel>& channel, int64_t rows,
                             const std::function<void()>& look);

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_STREAMS_H_
