// A daemon whose every call is scripted by the test, on a unix socket.
#ifndef PENSTOCK_TESTS_UNIT_CLIENT_FAKE_DAEMON_H_
#define PENSTOCK_TESTS_UNIT_CLIENT_FAKE_DAEMON_H_

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "penstock/v1/database.grpc.pb.h"

namespace penstock {

using QueryWriter = grpc::ServerWriter<v1::QueryResponse>;
using ExecCall = grpc::ServerReaderWriter<v1::ExecResponse, v1::ExecRequest>;
using PrepareCall = grpc::ServerReaderWriter<v1::PrepareResponse, v1::PrepareRequest>;
using TransactionCall = grpc::ServerReaderWriter<v1::TransactionResponse, v1::TransactionRequest>;

// What calls do, replaced by assignment at any time: who runs the former keeps it.
template <typename... Args>
class Script {
 public:
  using Function = std::function<grpc::Status(Args...)>;

  Script& operator=(Function function) {
    std::lock_guard lock(mutex_);
    function_ = std::make_shared<const Function>(std::move(function));
    return *this;
  }
  grpc::Status operator()(Args... args) const {
    std::unique_lock lock(mutex_);
    const std::shared_ptr<const Function> function = function_;
    lock.unlock();
    return (*function)(args...);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Function> function_;
};

// A call may go on when its client has gone: what a script refers to after its last answer
// must outlive the daemon, or its Stop.
class FakeDaemon final : public v1::DatabaseService::Service {
 public:
  FakeDaemon() {
    char folder[] = "/tmp/penstock-client-XXXXXX";
    folder_ = mkdtemp(folder);
    Start();
  }
  ~FakeDaemon() override {
    Stop();
    std::filesystem::remove_all(folder_);
  }

  void Start() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(target(), grpc::InsecureServerCredentials());
    builder.RegisterService(this);
    for (grpc::Service* service : others_) builder.RegisterService(service);
    // Tests ask for signs of life more often than programs may.
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 100);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    server_ = builder.BuildAndStart();
  }

  // Serves another service, too, which outlives the daemon.
  void Also(grpc::Service* service) {
    others_.push_back(service);
    Stop();
    Start();
  }

  // Breaks every link and running call, and returns when the calls have.
  void Stop() {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
    server_ = nullptr;
  }

  std::string target() const { return "unix:" + folder_ + "/socket"; }
  std::unique_ptr<Provider> Connect(Config config = {}) const {
    config.target = target();
    return *New(config);
  }

  // What a call does; the request has been read where there is only one.
  Script<grpc::ServerContext*, const v1::QueryRequest&, QueryWriter*> on_query;
  Script<grpc::ServerContext*, ExecCall*> on_exec;
  Script<grpc::ServerContext*, PrepareCall*> on_prepare;
  Script<grpc::ServerContext*, TransactionCall*> on_transaction;

  // Streams that were opened.
  std::atomic<int> execs{0};
  std::atomic<int> prepares{0};

 private:
  grpc::Status Ping(grpc::ServerContext*, const v1::PingRequest*, v1::PingResponse* out) override {
    out->set_driver("fake");
    return grpc::Status::OK;
  }
  grpc::Status Query(grpc::ServerContext* call, const v1::QueryRequest* request,
                     QueryWriter* writer) override {
    return on_query(call, *request, writer);
  }
  grpc::Status Exec(grpc::ServerContext* call, ExecCall* stream) override {
    ++execs;
    return on_exec(call, stream);
  }
  grpc::Status Prepare(grpc::ServerContext* call, PrepareCall* stream) override {
    ++prepares;
    return on_prepare(call, stream);
  }
  grpc::Status Transaction(grpc::ServerContext* call, TransactionCall* stream) override {
    return on_transaction(call, stream);
  }

  std::string folder_;
  std::vector<grpc::Service*> others_;
  std::unique_ptr<grpc::Server> server_;
};

// Waits, as a stuck daemon does, until the client goes away.
template <typename Call, typename Request>
grpc::Status Hang(Call* stream, Request* request) {
  while (stream->Read(request)) {
  }
  return grpc::Status::OK;
}

}  // namespace penstock

#endif  // PENSTOCK_TESTS_UNIT_CLIENT_FAKE_DAEMON_H_
