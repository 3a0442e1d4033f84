// A thin client of the wire API for tests. It hides nothing, so that tests can also send what a
// well-behaved client would not.
#ifndef PENSTOCK_TESTS_SUPPORT_WIRE_H_
#define PENSTOCK_TESTS_SUPPORT_WIRE_H_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "penstock/v1/admin.grpc.pb.h"
#include "penstock/v1/database.grpc.pb.h"

namespace penstock::testing {

using Values = std::vector<v1::Value>;

v1::Value Null();
v1::Value Bool(bool value);
v1::Value Int(int64_t value);
v1::Value Real(double value);
v1::Value Text(std::string value);
v1::Value Blob(std::string value);
v1::Value Decimal(std::string value);
v1::Value Timestamp(int64_t seconds, int32_t nanos);
v1::Value Date(std::string value);
v1::Value Time(std::string value);
v1::Value Interval(std::string value);
v1::Value Uuid(std::string value);
v1::Value Json(std::string value);

// Format values for expectations: "1|'a'|NULL".
std::string ToText(const v1::Value& value);
std::string ToText(const v1::Row& row);

// Returns the ErrorDetail of a failed call; an empty one if it has none.
v1::ErrorDetail DetailOf(const grpc::Status& status);

// The complete result of a call that returns rows.
struct Outcome {
  grpc::Status status;
  v1::ErrorDetail detail;
  std::vector<v1::Column> columns;
  std::vector<v1::Row> rows;  // also the rows of FORMAT_COLUMNS
  v1::Summary summary;
  bool has_summary = false;
  int messages = 0;

  std::string text() const;  // the rows as text, joined by "; "
  void Add(const v1::QueryResponse& part);
};

// Converts a batch of columns to rows.
std::vector<v1::Row> Decode(const v1::QueryResponse& part);

void Assign(google::protobuf::RepeatedPtrField<v1::Value>* to, const Values& from);

class Wire {
 public:
  // By which calls Query and Exec run their statement.
  enum class Transport : uint8_t {
    kCalls,
    kPipeline,  // a Pipeline stream with one call
  };

  // Calls with the token, if there is one.
  explicit Wire(const std::string& target, const std::string& token = "",
                Transport transport = Transport::kCalls);

  // Adds the token to a call, and returns its context.
  grpc::ClientContext* Authorized(grpc::ClientContext* context) const;

  v1::DatabaseService::Stub& stub() const { return *stub_; }
  std::shared_ptr<grpc::Channel> channel() { return channel_; }

  Outcome Query(const std::string& sql, const Values& args = {});
  Outcome Query(const v1::QueryRequest& request);
  // Runs one statement; if it fails, the error is the status of the outcome.
  Outcome Exec(const std::string& sql, const Values& args = {});
  // Sends all requests before it reads the first answer.
  std::vector<v1::ExecResponse> ExecAll(const std::vector<v1::ExecRequest>& requests,
                                        grpc::Status* status);

 private:
  const std::string authorization_;
  const Transport transport_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::DatabaseService::Stub> stub_;
};

// A Prepare stream.
class PrepareStream {
 public:
  PrepareStream(Wire& wire, const std::string& sql, v1::Format format = v1::FORMAT_ROWS);
  ~PrepareStream();

  // The answer to the first request. If it is empty, Finish returns why.
  const v1::Prepared& prepared() const { return prepared_; }
  void Send(const Values& args);
  void Send(const v1::PrepareRequest& request) { stream_->Write(request); }
  // Receives the outcome of the next run. An error in the stream becomes its status and detail.
  Outcome Receive();
  Outcome Run(const Values& args);
  grpc::Status Finish();
  // Waits until the daemon ends the stream, without closing the client's side.
  grpc::Status WaitForEnd();

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::PrepareRequest, v1::PrepareResponse>> stream_;
  v1::Prepared prepared_;
  bool finished_ = false;
};

// A Transaction stream.
class TransactionStream {
 public:
  using Request = v1::TransactionRequest;
  using Response = v1::TransactionResponse;

  explicit TransactionStream(Wire& wire);
  ~TransactionStream();

  bool Write(const Request& request) { return stream_->Write(request); }
  bool Read(Response* response) { return stream_->Read(response); }
  // Writes a step and returns its answer; empty if the stream has ended.
  Response Step(const Request& request);
  Response Begin(bool read_only = false);
  Outcome Query(const std::string& sql, const Values& args = {});
  Response Exec(const std::string& sql, const Values& args = {});
  Response Savepoint(const std::string& name);
  Response RollbackTo(const std::string& name);
  Response Release(const std::string& name);
  Response Commit();
  Response Rollback();
  void Cancel() { context_.TryCancel(); }
  grpc::Status Finish();
  void WritesDone() { stream_->WritesDone(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<Request, Response>> stream_;
  bool finished_ = false;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_WIRE_H_
