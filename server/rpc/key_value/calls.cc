// The calls of KeyValueService with one message on each side.
//
//   arrive -> in a lane -> OnRun -> answer
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "drivers/api/error.h"
#include "server/rpc/base/calls.h"
#include "server/rpc/base/service.h"
#include "server/rpc/base/unary_call.h"
#include "server/rpc/key_value/arguments.h"
#include "server/rpc/key_value/entry_writer.h"

namespace penstock::server {
namespace {

using driver::KeyValueRun;

// What a sort of call is made of: its messages, where it comes from, where its
// rows go (Writer, which has the request and the response), and what else is
// in the answer (Fill).

// Of calls that write: there are no rows.
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
  // From a key to its places in the request.
  std::unordered_map<std::string_view, std::vector<int>> places_;
  const std::vector<int>* current_ = nullptr;
};

struct GetMethod {
  using Request = v1::GetRequest;
  using Response = v1::GetResponse;
  using Rows = GetRows;
  static constexpr Rpc kRpc = Rpc::kGet;
  static constexpr std::string_view kName = "kv get";
  static constexpr auto kRequest = &KeyValueMethods::RequestGet;
  static constexpr auto kWait = &WaitForGet;
  static void Fill(const driver::StatementRun&, Response*) {}
};

struct BatchGetMethod {
  using Request = v1::BatchGetRequest;
  using Response = v1::BatchGetResponse;
  using Rows = BatchGetRows;
  static constexpr Rpc kRpc = Rpc::kBatchGet;
  static constexpr std::string_view kName = "kv batch get";
  static constexpr auto kRequest = &KeyValueMethods::RequestBatchGet;
  static constexpr auto kWait = &WaitForBatchGet;
  static void Fill(const driver::StatementRun&, Response*) {}
};

struct PutMethod {
  using Request = v1::PutRequest;
  using Response = v1::PutResponse;
  using Rows = NoRows<Request, Response>;
  static constexpr Rpc kRpc = Rpc::kPut;
  static constexpr std::string_view kName = "kv put";
  static constexpr auto kRequest = &KeyValueMethods::RequestPut;
  static constexpr auto kWait = &WaitForPut;
  static void Fill(const driver::StatementRun&, Response*) {}
};

struct DeleteMethod {
  using Request = v1::DeleteRequest;
  using Response = v1::DeleteResponse;
  using Rows = NoRows<Request, Response>;
  static constexpr Rpc kRpc = Rpc::kDelete;
  static constexpr std::string_view kName = "kv delete";
  static constexpr auto kRequest = &KeyValueMethods::RequestDelete;
  static constexpr auto kWait = &WaitForDelete;
  static void Fill(const driver::StatementRun&, Response*) {}
};

struct DeleteRangeMethod {
  using Request = v1::DeleteRangeRequest;
  using Response = v1::DeleteRangeResponse;
  using Rows = NoRows<Request, Response>;
  static constexpr Rpc kRpc = Rpc::kDeleteRange;
  static constexpr std::string_view kName = "kv delete range";
  static constexpr auto kRequest = &KeyValueMethods::RequestDeleteRange;
  static constexpr auto kWait = &WaitForDeleteRange;
  static void Fill(const driver::StatementRun& run, Response* response) {
    response->set_deleted(run.summary.rows_affected);
  }
};

struct WriteMethod {
  using Request = v1::WriteRequest;
  using Response = v1::WriteResponse;
  using Rows = NoRows<Request, Response>;
  static constexpr Rpc kRpc = Rpc::kWrite;
  static constexpr std::string_view kName = "kv write";
  static constexpr auto kRequest = &KeyValueMethods::RequestWrite;
  static constexpr auto kWait = &WaitForWrite;
  static void Fill(const driver::StatementRun& run, Response* response) {
    ToProto(*run.key_value, response);
  }
};

template <typename Method>
class KeyValueCall final : public UnaryCall, public PendingRun {
 public:
  KeyValueCall(const RpcContext& context, const CallSource& source)
      : UnaryCall(context, Method::kRpc), source_(source) {
    (source_.services->key_value.*Method::kRequest)(&server_context_, &request_bytes_, &responder_,
                                                    source_.queue, source_.queue, StartTag());
  }

  void Tick(TimePoint now) override { CheckRun(now, deadline, may_write()); }

  void Drain(bool now) override {
    if (now) cancellation_.Cancel(DrainingStatus());
  }

 private:
  void WaitForNext() override { Method::kWait(context_, source_); }

  void OnStart() override {
    const absl::Status submitted = Submit();
    if (!submitted.ok()) Finish(submitted);
  }

  absl::Status Submit() {
    began_ = Clock::System().Now();
    absl::Status parsed = Take(&request_bytes_, &request_);
    if (!parsed.ok()) return parsed;
    absl::StatusOr<Database*> database = context_.databases->Find(request_.database());
    if (!database.ok()) return database.status();
    database_ = *database;
    absl::Status assigned = arguments_.Assign(request_);
    if (!assigned.ok()) return assigned;
    absl::Status limited =
        DeadlineFor(*database_, request_.has_timeout(), request_.timeout(), began_, &deadline);
    if (!limited.ok()) return limited;
    rows_.Start(request_, &response_);
    sql = Method::kName;
    key_value = arguments_.run();
    cancellation = &cancellation_;
    caller = CallerName();
    writer = rows_.writer();
    limits.max_bytes = answer_limits().message;
    Ref();
    BeginRun(*database_, deadline);
    if (key_value->reads()) {
      database_->Submit(this);
    } else {
      database_->SubmitWrite(this);
    }
    return absl::OkStatus();
  }

  // PendingRun.
  void OnRun() override {
    RecordStatement(context_, *database_, *this, began_);
    if (EndRun()) {
      if (status.ok()) Method::Fill(*this, &response_);
      Answer(status, response_);
    }
    Unref();
  }

  const CallSource source_;
  typename Method::Request request_;
  typename Method::Response response_;
  typename Method::Rows rows_;
  KeyValueArguments arguments_;
  Database* database_ = nullptr;
  TimePoint began_;
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
