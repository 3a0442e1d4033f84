// Clients that send rubbish, that never finish, and that take without reading.
#include <sys/socket.h>

#include <array>
#include <memory>
#include <thread>

#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "penstock/v1/key_value.grpc.pb.h"
#include "tests/endurance/flood.h"
#include "tests/endurance/http_get.h"
#include "tests/endurance/trouble.h"
#include "tests/support/wire.h"

namespace penstock::testing {
namespace {

using std::chrono::milliseconds;

std::string Rubbish(Random* random, int64_t most) {
  std::string bytes(static_cast<size_t>(Between(random, 1, most)), '\0');
  for (char& byte : bytes) byte = static_cast<char>(Between(random, 0, 255));
  return bytes;
}

// How a connection to gRPC may begin, and one to HTTP.
std::string Beginning(Random* random, bool http) {
  static const std::array<std::string, 4> grpc = {
      "", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33), "GET / HTTP/1.1\r\n"};
  static const std::array<std::string, 4> web = {
      "", "GET /rea", "GET /metrics HTTP/1.1\r\nHost: x\r\nRange: bytes=0-,0-,0-\r\nX: ",
      "POST /readyz HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n"};
  return (http ? web : grpc)[static_cast<size_t>(Between(random, 0, 3))];
}

void SendRubbish(const Stage& stage, Random* random, bool http) {
  const Supervised::Running running = stage.daemon->running();
  const server::UniqueFd fd = ConnectTcp(http ? running.http : running.tcp, milliseconds(200));
  const std::string bytes = Beginning(random, http) + Rubbish(random, 5000);
  if (fd) send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  // Closed at once with what the daemon says unread, which resets it; or after some time.
  if (Between(random, 0, 3) == 0) std::this_thread::sleep_for(milliseconds(20));
}

// Headers that never end, a byte now and then.
std::function<void()> SlowHeaders(const Stage& stage, Random* random) {
  auto slow = std::make_shared<std::vector<server::UniqueFd>>(
      ConnectOften(stage.daemon->running().http, 70));
  auto flood = std::make_shared<Flood>(1, (*random)(), [slow](Random* each) {
    for (const server::UniqueFd& fd : *slow) {
      const std::string bytes = Between(each, 0, 9) == 0 ? "\r\nA: " : "a";
      if (fd) send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    std::this_thread::sleep_for(milliseconds(10));
  });
  return [flood, slow]() mutable { flood.reset(); };
}

// A channel that shares nothing with others; calls of it end soon.
std::shared_ptr<grpc::Channel> OwnChannel(const Stage& stage) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(stage.daemon->target(), grpc::InsecureChannelCredentials(),
                                   arguments);
}

void Limit(grpc::ClientContext* context, milliseconds limit) {
  context->set_deadline(std::chrono::system_clock::now() + limit);
}

// A message of values that are two bytes each: 32 times as large once it is parsed.
void SendManyValues(const Stage& stage) {
  static const std::string bytes = [] {
    v1::QueryRequest query;
    query.set_sql("SELECT 1");
    v1::QueryRequest one;
    one.add_args();
    std::string all = query.SerializeAsString();
    for (int i = 0; i < 2'000'000; ++i) all += one.SerializeAsString();
    return all;
  }();
  grpc::ClientContext context;
  Limit(&context, milliseconds(2000));
  grpc::CompletionQueue queue;
  grpc::GenericStub stub(OwnChannel(stage));
  const grpc::Slice slice(bytes);
  grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  grpc::Status status;
  const auto call =
      stub.PrepareUnaryCall(&context, "/penstock.v1.DatabaseService/Query", request, &queue);
  call->StartCall();
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
}

void SendCompressed(const Stage& stage) {
  const auto stub = v1::DatabaseService::NewStub(OwnChannel(stage));
  grpc::ClientContext context;
  Limit(&context, milliseconds(2000));
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  v1::QueryRequest request;
  request.set_sql("SELECT 1 /* " + std::string(size_t{16} << 20, ' ') + " */");
  v1::QueryResponse part;
  const auto reader = stub->Query(&context, request);
  while (reader->Read(&part)) {
  }
  reader->Finish();
}

// Calls that were begun and are left so. Beginning one waits for nobody.
class HeldCalls {
 public:
  explicit HeldCalls(const Stage& stage)
      : queries_(v1::DatabaseService::NewStub(OwnChannel(stage))),
        keys_(v1::KeyValueService::NewStub(OwnChannel(stage))) {}
  ~HeldCalls() {
    for (const auto& context : contexts_) context->TryCancel();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  // Of large results nothing is taken.
  void AddReaders(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string database = i % 2 == 0 ? "lite" : "keys";
      v1::QueryRequest query;
      query.set_database(database);
      query.set_sql(
          "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 10000000) "
          "SELECT i, 'a row that is not read to its end' FROM c");
      calls_.push_back(queries_->AsyncQuery(NewContext(), query, &queue_, nullptr));
      v1::ScanRequest scan;
      scan.set_database(database);
      scan.set_keyspace("keys");
      calls_.push_back(keys_->AsyncScan(NewContext(), scan, &queue_, nullptr));
    }
  }
  // Streams on which nothing is said.
  void AddIdle(int count) {
    for (int i = 0; i < count; ++i) {
      calls_.push_back(queries_->AsyncExec(NewContext(), &queue_, nullptr));
    }
  }

 private:
  grpc::ClientContext* NewContext() {
    contexts_.push_back(std::make_unique<grpc::ClientContext>());
    Limit(contexts_.back().get(), milliseconds(20'000));
    return contexts_.back().get();
  }

  std::unique_ptr<v1::DatabaseService::Stub> queries_;
  std::unique_ptr<v1::KeyValueService::Stub> keys_;
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts_;
  // They go before their contexts and the queue.
  std::vector<std::unique_ptr<grpc::internal::ClientAsyncStreamingInterface>> calls_;
};

// What may not be in a text, a database that there is not, and a caller who has gone already.
void CallOddly(const Stage& stage, Random* random) {
  const auto stub = v1::DatabaseService::NewStub(OwnChannel(stage));
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    Limit(&context, milliseconds(Between(random, 0, 50)));
    v1::QueryRequest request;
    if (Between(random, 0, 1) == 0) request.set_database(Rubbish(random, 200));
    request.set_sql(Between(random, 0, 1) == 0 ? Rubbish(random, 5000) : "SELECT 1");
    v1::QueryResponse part;
    const auto reader = stub->Query(&context, request);
    if (Between(random, 0, 3) == 0) context.TryCancel();
    while (reader->Read(&part)) {
    }
    reader->Finish();
  }
}

Trouble Hold(const std::string& name, const Stage& stage, void (HeldCalls::*add)(int count),
             int count) {
  return {name, name, false, [stage, add, count](Random*) {
            auto held = std::make_shared<HeldCalls>(stage);
            (held.get()->*add)(count);
            return [held]() mutable { held.reset(); };
          }};
}

// `once` by some threads all the time.
Trouble Again(const std::string& name, int threads, std::function<void(Random*)> once) {
  return {name, name, false, [threads, once = std::move(once)](Random* random) {
            auto flood = std::make_shared<Flood>(threads, (*random)(), once);
            return [flood]() mutable { flood.reset(); };
          }};
}

}  // namespace

std::vector<Trouble> HostileTroubles(const Stage& stage) {
  return {
      Again("rubbish to gRPC", 4, [stage](Random* each) { SendRubbish(stage, each, false); }),
      Again("rubbish to HTTP", 4, [stage](Random* each) { SendRubbish(stage, each, true); }),
      Again("many values", 2, [stage](Random*) { SendManyValues(stage); }),
      Again("compressed requests", 1, [stage](Random*) { SendCompressed(stage); }),
      Again("odd calls", 2, [stage](Random* each) { CallOddly(stage, each); }),
      {"slow headers", "slow headers", false,
       [stage](Random* random) { return SlowHeaders(stage, random); }},
      Hold("stopped readers", stage, &HeldCalls::AddReaders, 15),
      // More than one connection may have.
      Hold("idle streams", stage, &HeldCalls::AddIdle, 600),
  };
}

}  // namespace penstock::testing
