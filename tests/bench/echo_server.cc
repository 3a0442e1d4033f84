#include "tests/bench/echo_server.h"

#include <fmt/format.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <signal.h>

#include <cstdio>
#include <memory>
#include <string>

#include "penstock/v1/database.grpc.pb.h"
#include "penstock/v1/key_value.grpc.pb.h"
#include "tests/bench/load.h"

namespace penstock::bench {
namespace {

void AddColumns(google::protobuf::RepeatedPtrField<v1::Column>* columns) {
  v1::Column* id = columns->Add();
  id->set_name("id");
  id->set_kind(v1::KIND_INTEGER);
  id->set_native_type("INTEGER");
  v1::Column* name = columns->Add();
  name->set_name("name");
  name->set_kind(v1::KIND_TEXT);
  name->set_native_type("TEXT");
}

// Adds the row that the point select finds for `id`.
void AddRow(int64_t id, v1::QueryResponse* result) {
  v1::ColumnData* ids = result->add_data();
  ids->set_kind(v1::KIND_INTEGER);
  ids->add_integers(id);
  v1::ColumnData* names = result->add_data();
  names->set_kind(v1::KIND_TEXT);
  names->add_ends(kNameLength);
  names->mutable_data()->assign(kNameLength, 'n');
  result->set_row_count(1);
  result->mutable_summary()->set_rows_returned(1);
}

class EchoPrepare final : public grpc::ServerBidiReactor<v1::PrepareRequest, v1::PrepareResponse> {
 public:
  EchoPrepare() { StartRead(&request_); }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    answer_.Clear();
    if (!request_.sql().empty()) {
      v1::Prepared* prepared = answer_.mutable_prepared();
      prepared->set_parameter_count(1);
      AddColumns(prepared->mutable_columns());
    } else {
      AddRow(request_.args(0).integer(), answer_.mutable_result());
    }
    StartWrite(&answer_);
  }
  void OnWriteDone(bool /*ok*/) override { StartRead(&request_); }
  void OnDone() override { delete this; }

 private:
  v1::PrepareRequest request_;
  v1::PrepareResponse answer_;
};

class EchoQuery final : public grpc::ServerWriteReactor<v1::QueryResponse> {
 public:
  explicit EchoQuery(const v1::QueryRequest& request) {
    AddColumns(answer_.mutable_columns());
    AddRow(request.args(0).integer(), &answer_);
    StartWriteAndFinish(&answer_, grpc::WriteOptions(), grpc::Status::OK);
  }
  void OnDone() override { delete this; }

 private:
  v1::QueryResponse answer_;
};

class EchoService final
    : public v1::DatabaseService::WithCallbackMethod_Prepare<
          v1::DatabaseService::WithCallbackMethod_Query<v1::DatabaseService::Service>> {
 public:
  grpc::ServerBidiReactor<v1::PrepareRequest, v1::PrepareResponse>* Prepare(
      grpc::CallbackServerContext* /*context*/) override {
    return new EchoPrepare;
  }
  grpc::ServerWriteReactor<v1::QueryResponse>* Query(grpc::CallbackServerContext* /*context*/,
                                                     const v1::QueryRequest* request) override {
    return new EchoQuery(*request);
  }
};

class EchoKeyValue final
    : public v1::KeyValueService::WithCallbackMethod_Get<
          v1::KeyValueService::WithCallbackMethod_Put<v1::KeyValueService::Service>> {
 public:
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context, const v1::GetRequest* request,
                                v1::GetResponse* response) override {
    response->set_found(true);
    // Clients check that the value begins with the key.
    std::string* value = response->mutable_value();
    *value = request->key();
    value->resize(kValueBytes, 'v');
    return Ok(context);
  }
  grpc::ServerUnaryReactor* Put(grpc::CallbackServerContext* context, const v1::PutRequest*,
                                v1::PutResponse*) override {
    return Ok(context);
  }

 private:
  static grpc::ServerUnaryReactor* Ok(grpc::CallbackServerContext* context) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

}  // namespace

int RunEchoServer(const std::string& address) {
  // The signal is blocked in every thread, including the server's, so that sigwait below receives
  // it.
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &end, nullptr);

  EchoService service;
  EchoKeyValue key_value;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  builder.RegisterService(&key_value);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  fmt::print("echo server ready\n");
  std::fflush(stdout);
  int signal = 0;
  sigwait(&end, &signal);
  server->Shutdown(std::chrono::system_clock::now());
  return 0;
}

}  // namespace penstock::bench
