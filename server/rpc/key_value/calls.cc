// The calls of KeyValueService with one message on each side.
//
//   arrive -> in the queue -> OnRun -> answer
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "drivers/api/error.h"
#include "server/rpc/base/call_run.h"
#include "server/rpc/base/calls.h"
#include "server/rpc/base/service.h"
#include "server/rpc/base/unary_call.h"
#include "server/rpc/key_value/arguments.h"
#include "server/rpc/key_value/entry_writer.h"

namespace penstock::server {
namespace {

using driver::KeyValueRun;

// Stands for the rows of a call that writes, which has none.
template <typename Request, typename Response>
class NoRows {
 public:
  void Start(const Request&, Response*) {}
  driver::RowWriter* writer() { return nullptr; }
};

class GetRows final : public EntryWriter {
 public:
  void Start(const v1::GetRequest&, v1::GetResponse* response) { response_ = response; }
  driver::RowWriter* writer() { return this; }

 private:
  void Clear() override { response_->Clear(); }
  void OnKey(std::string_view) override { response_->set_found(true); }
  void OnValue(std::string_view value) override {
    response_->set_value(value.data(), value.size());
  }

  v1::GetResponse* response_ = nullptr;
};

class BatchGetRows final : public EntryWriter {
 public:
  void Start(const v1::BatchGetRequest& request, v1::BatchGetResponse* response) {
    request_ = &request;
    response_ = response;
    for (int i = 0; i < request.keys_size(); ++i) places_[request.keys(i)].push_back(i);
    Clear();
  }
  driver::RowWriter* writer() { return this; }

 private:
  void Clear() override {
    response_->Clear();
    for (int i = 0; i < request_->keys_size(); ++i) response_->add_results();
  }
  void OnKey(std::string_view key) override {
    const auto found = places_.find(key);
    current_ = found == places_.end() ? nullptr : &found->second;
  }
  void OnValue(std::string_view value) override {
    if (current_ == nullptr) return;
    for (const int place : *current_) {
      v1::BatchGetResponse::Result* result = response_->mutable_results(place);
      result->set_found(true);
      result->set_value(value.data(), value.size());
    }
  }

  const v1::BatchGetRequest* request_ = nullptr;
  v1::BatchGetResponse* response_ = nullptr;
  // Maps a key to its places in the request.
  std::unordered_map<std::string_view, std::vector<int>> places_;
  const std::vector<int>* current_ = nullptr;
};

// The common parts of the calls: their messages, the object that takes their rows (Rows), and the
// rest of the answer (Fill).
template <typename RequestT, typename ResponseT, typename RowsT>
struct Method {
  using Request = RequestT;
  using Response = ResponseT;
  using Rows = RowsT;
  static void Fill(const driver::StatementRun&, Response*) {}
};

struct GetMethod : Method<v1::GetRequest, v1::GetResponse, GetRows> {
  static constexpr Rpc kRpc = Rpc::kGet;
  static constexpr std::string_view kName = "kv get";
  static constexpr auto kRequest = &KeyValueMethods::RequestGet;
  static constexpr auto kWait = &WaitForGet;
};

struct BatchGetMethod : Method<v1::BatchGetRequest, v1::BatchGetResponse, BatchGetRows> {
  static constexpr Rpc kRpc = Rpc::kBatchGet;
  static constexpr std::string_view kName = "kv batch get";
  static constexpr auto kRequest = &KeyValueMethods::RequestBatchGet;
  static constexpr auto kWait = &WaitForBatchGet;
};

struct PutMethod
    : Method<v1::PutRequest, v1::PutResponse, NoRows<v1::PutRequest, v1::PutResponse>> {
  static constexpr Rpc kRpc = Rpc::kPut;
  static constexpr std::string_view kName = "kv put";
  static constexpr auto kRequest = &KeyValueMethods::RequestPut;
  static constexpr auto kWait = &WaitForPut;
};

struct DeleteMethod
    : Method<v1::DeleteRequest, v1::DeleteResponse, NoRows<v1::DeleteRequest, v1::DeleteResponse>> {
  static constexpr Rpc kRpc = Rpc::kDelete;
  static constexpr std::string_view kName = "kv delete";
  static constexpr auto kRequest = &KeyValueMethods::RequestDelete;
  static constexpr auto kWait = &WaitForDelete;
};

struct DeleteRangeMethod : Method<v1::DeleteRangeRequest, v1::DeleteRangeResponse,
                                  NoRows<v1::DeleteRangeRequest, v1::DeleteRangeResponse>> {
  static constexpr Rpc kRpc = Rpc::kDeleteRange;
  static constexpr std::string_view kName = "kv delete range";
  static constexpr auto kRequest = &KeyValueMethods::RequestDeleteRange;
  static constexpr auto kWait = &WaitForDeleteRange;
  static void Fill(const driver::StatementRun& run, Response* response) {
    response->set_deleted(run.summary.rows_affected);
  }
};

struct WriteMethod
    : Method<v1::WriteRequest, v1::WriteResponse, NoRows<v1::WriteRequest, v1::WriteResponse>> {
  static constexpr Rpc kRpc = Rpc::kWrite;
  static constexpr std::string_view kName = "kv write";
  static constexpr auto kRequest = &KeyValueMethods::RequestWrite;
  static constexpr auto kWait = &WaitForWrite;
  static void Fill(const driver::StatementRun& run, Response* response) {
    ToProto(*run.key_value, response);
  }
};

template <typename Method>
class KeyValueCall final : public UnaryCall {
 public:
  KeyValueCall(const RpcContext& context, const CallSource& source)
      : UnaryCall(context, source, Method::kRpc, Method::kWait) {
    Listen(&source.services->key_value, Method::kRequest);
  }

  void Tick(TimePoint now) override {
    const absl::Status late = run_.Check(now);
    if (!late.ok()) Finish(late);
  }

 private:
  void OnStart() override {
    absl::Status status = TakeStatement(&request_bytes_, &request_, &run_);
    if (status.ok()) status = arguments_.Assign(request_);
    if (status.ok()) {
      status = principal().CheckKeys(*arguments_.run(), run_.database->name());
    }
    if (!status.ok()) return Finish(status);
    rows_.Start(request_, &response_);
    run_.sql = Method::kName;
    run_.key_value = arguments_.run();
    run_.writer = rows_.writer();
    run_.limits.max_bytes = answer_limits().message;
    run_.Submit(/*writes=*/!run_.key_value->reads());
  }

  void OnRun() {
    if (run_.status.ok() && run_.key_value->reads()) {
      meter_.Start(&principal().quota());
      run_.status = meter_.Check(
          {.bytes = run_.writer->bytes(), .rows = static_cast<size_t>(run_.summary.rows_returned)});
    }
    run_.Record();
    if (run_.status.ok()) Method::Fill(run_, &response_);
    Answer(run_.status, response_);
  }

  typename Method::Request request_;
  typename Method::Response response_;
  typename Method::Rows rows_;
  KeyValueArguments arguments_;
  ResultMeter meter_;
  CallRun run_{this, context_, [this] { OnRun(); }};
};

}  // namespace

// Each owns itself.
void WaitForGet(const RpcContext& context, const CallSource& source) {
  new KeyValueCall<GetMethod>(context, source);
}
void WaitForBatchGet(const RpcContext& context, const CallSource& source) {
  new KeyValueCall<BatchGetMethod>(context, source);
}
void WaitForPut(const RpcContext& context, const CallSource& source) {
  new KeyValueCall<PutMethod>(context, source);
}
void WaitForDelete(const RpcContext& context, const CallSource& source) {
  new KeyValueCall<DeleteMethod>(context, source);
}
void WaitForDeleteRange(const RpcContext& context, const CallSource& source) {
  new KeyValueCall<DeleteRangeMethod>(context, source);
}
void WaitForWrite(const RpcContext& context, const CallSource& source) {
  new KeyValueCall<WriteMethod>(context, source);
}

}  // namespace penstock::server
