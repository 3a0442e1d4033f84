// Converts between the messages of penstock.v1 and the types of the rest of the server.
#ifndef PENSTOCK_SERVER_RPC_BASE_CONVERT_H_
#define PENSTOCK_SERVER_RPC_BASE_CONVERT_H_

#include <forward_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "drivers/api/driver.h"
#include "drivers/api/value.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/repeated_field.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "grpcpp/support/proto_buffer_writer.h"
#include "grpcpp/support/status.h"
#include "penstock/v1/database.pb.h"
#include "penstock/v1/error.pb.h"
#include "penstock/v1/value.pb.h"
#include "server/runtime/clock.h"

namespace penstock::server {

// The parameters of a request as driver values, which borrow the request's
// bytes. Reusable, so that a stream does not allocate on every run.
class Arguments {
 public:
  // Fails with kInvalidParameter, which names the parameter by its number.
  absl::Status Assign(const google::protobuf::RepeatedPtrField<v1::Value>& values);
  absl::Status AssignRows(const google::protobuf::RepeatedPtrField<v1::Row>& rows);

  std::span<const driver::Value> values() const { return values_; }
  std::span<const std::vector<driver::Value>> rows() const { return rows_; }

 private:
  absl::Status Convert(const v1::Value& from, driver::Value* to, int depth);

  std::vector<driver::Value> values_;
  std::vector<std::vector<driver::Value>> rows_;
  std::forward_list<std::vector<driver::Value>> arrays_;
};

// Turns values of a driver into messages.
void ToProto(const driver::Value& from, v1::Value* to);
void ToProto(const driver::Column& from, v1::Column* to);
void ToProto(const driver::Summary& from, v1::Summary* to);
void ToProto(const driver::StatementInfo& from, v1::Prepared* to);
void ToProto(const driver::Capabilities& from, v1::Capabilities* to);
void ToProto(Duration from, google::protobuf::Duration* to);
void ToProto(const driver::Notice& from, v1::Notice* to);

// Turns an error into a message, and into the status of a call with ErrorDetail in
// grpc-status-details-bin. Texts are cut, with a word that says so, until all together fit into
// what clients take as metadata. These are in error_convert.cc.
void ToProto(const absl::Status& from, v1::Error* to);
grpc::Status ToGrpc(const absl::Status& status);

// Converts a timeout of a request. Fails with kInvalidParameter if it is negative or not a
// duration.
absl::Status FromProto(const google::protobuf::Duration& from, Duration* to);

// Parses a request of any size, see Call::Take. A failure (kProtocol) tells what may be wrong with
// the request.
absl::Status Parse(grpc::ByteBuffer* bytes, google::protobuf::MessageLite* message);

// Parses a request that is a name and no more. It has no share of the memory for requests, so that
// it is answered even if there is none. Fails with kLimitExceeded if it is large.
absl::Status ParseSmall(grpc::ByteBuffer* bytes, google::protobuf::MessageLite* message);

// Serialises an answer. Fails with kLimitExceeded if it is larger than `max_bytes`.
absl::Status Serialize(const google::protobuf::MessageLite& message, size_t max_bytes,
                       grpc::ByteBuffer* bytes);
// Does the same with an answer that is serialized already.
absl::Status ToBytes(std::string message, size_t max_bytes, grpc::ByteBuffer* bytes);
// Returns a message, serialized, of which one field is set: the message `content`.
std::string FieldBytes(int field, std::string_view content);
// Returns OK, or the error of an answer of `size` bytes that is larger than `max_bytes`.
absl::Status CheckMessageSize(size_t size, size_t max_bytes);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_CONVERT_H_
