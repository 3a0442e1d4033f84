// The loads of the memory rows: idle streams, and results that are far larger than what the server
// may keep of them in memory.
#ifndef PENSTOCK_TESTS_BENCH_STREAMS_H_
#define PENSTOCK_TESTS_BENCH_STREAMS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace grpc {
class Channel;
}

namespace penstock::bench {

// Opens `count` Prepare streams over `channel`, each with a prepared statement that is not running,
// calls `look`, and closes the streams.
absl::Status WithIdleStreams(const std::shared_ptr<grpc::Channel>& channel, int count,
                             const std::function<void()>& look);

// Reads a result of `rows` rows of four columns from `sql`, whose parameter is the number of rows,
// and counts every value. Calls `look`, if it is not null, now and then, and also after pauses
// without reading. Every row must arrive.
absl::Status ReadLargeResult(const std::shared_ptr<grpc::Channel>& channel, const std::string& sql,
                             int64_t rows, const std::function<void()>& look);

// Inserts `rows` rows by `sql`, whose parameters are (integer, text, double), with the field `rows`
// of Exec, many rows in each request. Every row must be acknowledged.
absl::Status InsertManyRows(const std::shared_ptr<grpc::Channel>& channel, const std::string& sql,
                            int64_t rows);

// Puts the first `entries` keys of the load into the keyspace kv.
absl::Status PutEntries(const std::shared_ptr<grpc::Channel>& channel, int64_t entries);

// Scans the keyspace kv and counts every key and value. Calls `look` as above. There must be
// `entries`.
absl::Status ReadScan(const std::shared_ptr<grpc::Channel>& channel, int64_t entries,
                      const std::function<void()>& look);

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_STREAMS_H_
