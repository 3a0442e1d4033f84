// What a message takes once it is parsed.
#ifndef PENSTOCK_SERVER_RPC_BASE_WIRE_BOUNDS_H_
#define PENSTOCK_SERVER_RPC_BASE_WIRE_BOUNDS_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "grpcpp/support/byte_buffer.h"

namespace penstock::server {

// The most that one request may take in memory, estimated. Two bytes of it can be a
// value of 64, and an honest request of many small values expands about tenfold.
inline constexpr size_t kMostExpanded = size_t{256} << 20;

// What parsing `bytes` as a message of `type` takes, estimated; kLimitExceeded if that is
// more than `most`, and then it is read up to there only. Nothing is kept. What is no such
// message is left to the parser, and counted up to where it is wrong.
absl::StatusOr<size_t> ExpandedSize(grpc::ByteBuffer* bytes,
                                    const google::protobuf::Descriptor* type,
                                    size_t most = kMostExpanded);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_WIRE_BOUNDS_H_
