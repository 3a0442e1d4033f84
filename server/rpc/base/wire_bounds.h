// Estimates the memory of a message before it is parsed.
#ifndef PENSTOCK_SERVER_RPC_BASE_WIRE_BOUNDS_H_
#define PENSTOCK_SERVER_RPC_BASE_WIRE_BOUNDS_H_

#include <cstddef>
#include <string_view>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "grpcpp/support/byte_buffer.h"

namespace penstock::server {

// The most memory, estimated, that one request may take. Two bytes of it can be a value of 64, and
// an honest request of many small values expands about tenfold.
inline constexpr size_t kMostExpanded = size_t{256} << 20;

// Estimates the memory that `bytes` take once they are parsed as a message of `type`. Fails with
// kLimitExceeded if that is more than `most`, and reads no further then. Keeps nothing. Bytes that
// are no such message are left to the parser, and counted up to where they are wrong.
absl::StatusOr<size_t> ExpandedSize(grpc::ByteBuffer* bytes,
                                    const google::protobuf::Descriptor* type,
                                    size_t most = kMostExpanded);
absl::StatusOr<size_t> ExpandedSize(std::string_view bytes,
                                    const google::protobuf::Descriptor* type,
                                    size_t most = kMostExpanded);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_WIRE_BOUNDS_H_
