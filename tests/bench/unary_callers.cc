#include "tests/bench/unary_callers.h"

#include <fmt/format.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <optional>
#include <string>

#include "penstock/v1/key_value.grpc.pb.h"
#include "tests/bench/etcd_rpc.grpc.pb.h"

namespace penstock::bench {
namespace {

// The properties of a kind of call: its service and messages, the request for an id, how it is
// sent, and a check that returns what is wrong with an answer (empty if nothing is).

struct GetMethod {
  using Service = v1::KeyValueService;
  using Request = v1::GetRequest;
  using Response = v1::GetResponse;
  static void Fill(int64_t id, Request* request) { request->set_key(KeyOf(id)); }
  static constexpr auto kSend = [](auto* stub, auto... args) { stub->async()->Get(args...); };
  static std::string Check(int64_t id, const Response& response) {
    if (response.found() && response.value() == ValueOf(id)) return {};
    return fmt::format("asked for {}, got: {}", KeyOf(id), response.ShortDebugString());
  }
};

struct PutMethod {
  using Service = v1::KeyValueService;
  using Request = v1::PutRequest;
  using Response = v1::PutResponse;
  static void Fill(int64_t id, Request* request) {
    request->set_key(KeyOf(id));
    request->set_value(ValueOf(id));
  }
  static constexpr auto kSend = [](auto* stub, auto... args) { stub->async()->Put(args...); };
  static std::string Check(int64_t, const Response&) { return {}; }
};

struct EtcdPutMethod {
  using Service = etcdserverpb::KV;
  using Request = etcdserverpb::PutRequest;
  using Response = etcdserverpb::PutResponse;
  static void Fill(int64_t id, Request* request) {
    request->set_key(KeyOf(id));
    request->set_value(ValueOf(id));
  }
  static constexpr auto kSend = [](auto* stub, auto... args) { stub->async()->Put(args...); };
  static std::string Check(int64_t, const Response& response) {
    return response.header().revision() > 0 ? "" : "etcd's answer has no revision";
  }
};

template <typename Method>
class UnaryCaller final : public Caller {
 public:
  UnaryCaller(const std::shared_ptr<grpc::Channel>& channel, const Round& round, Progress* progress,
              int number)
      : Caller(round, progress, number), stub_(Method::Service::NewStub(channel)) {
    Send();
  }

 private:
  void Send() {
    Method::Fill(ids_.current(), &request_);
    context_.emplace();
    stopwatch_.Start();
    Method::kSend(stub_.get(), &*context_, &request_, &response_,
                  [this](const grpc::Status& status) { OnAnswer(status); });
  }

  void OnAnswer(const grpc::Status& status) {
    stopwatch_.Stop();
    const std::string wrong = status.ok() ? Method::Check(ids_.current(), response_)
                                          : "a call failed: " + status.error_message();
    ids_.Next();
    if (!wrong.empty()) progress_->Fail(wrong);
    if (progress_->Answered()) return Send();
    progress_->Ended();
  }

  const std::unique_ptr<typename Method::Service::Stub> stub_;
  std::optional<grpc::ClientContext> context_;
  typename Method::Request request_;
  typename Method::Response response_;
};

}  // namespace

std::string KeyOf(int64_t id) { return fmt::format("key-{:012}", id); }

std::string ValueOf(int64_t id) {
  std::string value = KeyOf(id);
  value.resize(kValueBytes, 'v');
  return value;
}

std::unique_ptr<Caller> MakeUnaryCaller(const std::shared_ptr<grpc::Channel>& channel,
                                        const Round& round, Progress* progress, int number) {
  if (round.call == Call::kGet) {
    return std::make_unique<UnaryCaller<GetMethod>>(channel, round, progress, number);
  }
  if (round.call == Call::kPut) {
    return std::make_unique<UnaryCaller<PutMethod>>(channel, round, progress, number);
  }
  return std::make_unique<UnaryCaller<EtcdPutMethod>>(channel, round, progress, number);
}

}  // namespace penstock::bench
