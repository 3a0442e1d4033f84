// The operations of KeyValueService.
#ifndef PENSTOCK_SERVER_RPC_KEY_VALUE_OPERATIONS_H_
#define PENSTOCK_SERVER_RPC_KEY_VALUE_OPERATIONS_H_

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "penstock/v1/key_value.pb.h"
#include "server/rpc/base/call.h"
#include "server/rpc/base/call_run.h"
#include "server/rpc/base/operation.h"
#include "server/rpc/key_value/arguments.h"
#include "server/rpc/key_value/entry_writer.h"

namespace penstock::server {

// The common part of all of them: a request that names keys.
class KeysOperation : public Operation {
 protected:
  template <typename Request>
  absl::Status StartKeys(Rpc rpc, std::string_view name, Call& call, const Request& request,
                         driver::RowWriter* writer, CallRun* run) {
    absl::Status status = call.StartStatement(rpc, request, run);
    if (status.ok()) status = arguments_.Assign(request);
    if (status.ok()) {
      status = call.principal().CheckKeys(*arguments_.run(), run->database->name());
    }
    run->sql = name;
    run->key_value = arguments_.run();
    run->writer = writer;
    return status;
  }

 private:
  KeyValueArguments arguments_;
};

// An operation whose answer is one message. `Method` has its messages, its name, and the object
// that takes its rows (Rows) and writes the rest of the answer (Fill).
template <typename Method>
class KeyValueOperation final : public KeysOperation {
 public:
  using Request = typename Method::Request;
  static constexpr Rpc kRpc = Method::kRpc;

  absl::Status Start(Call& call, const Request& request, CallRun* run) {
    has_part_ = false;
    absl::Status started = StartKeys(kRpc, Method::kName, call, request, rows_.writer(), run);
    if (!started.ok()) return started;
    rows_.Start(request, &response_);
    run->limits.max_bytes = call.answer_limits().message;
    return started;
  }

  void EndBatch(const driver::StatementRun& run) override {
    Method::Fill(run, &response_);
    has_part_ = true;
  }
  ResultSize Written() const override { return rows_.size(); }
  bool TakePart(std::string* part) override {
    if (!std::exchange(has_part_, false)) return false;
    *part = response_.SerializeAsString();
    return true;
  }
  bool has_part() const override { return has_part_; }

 private:
  typename Method::Response response_;
  typename Method::Rows rows_;
  bool has_part_ = false;
};

// Stands for the rows of an operation that writes, which has none.
template <typename Request, typename Response>
class NoRows {
 public:
  void Start(const Request&, Response*) {}
  driver::RowWriter* writer() { return nullptr; }
  ResultSize size() const { return {}; }
};

class GetRows final : public EntryWriter {
 public:
  void Start(const v1::GetRequest&, v1::GetResponse* response) {
    response_ = response;
    Begin({});
  }
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
  void Start(const v1::BatchGetRequest& request, v1::BatchGetResponse* response);
  driver::RowWriter* writer() { return this; }

 private:
  void Clear() override;
  void OnKey(std::string_view key) override;
  void OnValue(std::string_view value) override;

  const v1::BatchGetRequest* request_ = nullptr;
  v1::BatchGetResponse* response_ = nullptr;
  // Maps a key to its places in the request.
  std::unordered_map<std::string_view, std::vector<int>> places_;
  const std::vector<int>* current_ = nullptr;
};

template <Rpc rpc, typename RequestT, typename ResponseT, typename RowsT>
struct KeyValueMethod {
  using Request = RequestT;
  using Response = ResponseT;
  using Rows = RowsT;
  static constexpr Rpc kRpc = rpc;
  static void Fill(const driver::StatementRun&, Response*) {}
};

struct GetMethod : KeyValueMethod<Rpc::kGet, v1::GetRequest, v1::GetResponse, GetRows> {
  static constexpr std::string_view kName = "kv get";
};

struct BatchGetMethod
    : KeyValueMethod<Rpc::kBatchGet, v1::BatchGetRequest, v1::BatchGetResponse, BatchGetRows> {
  static constexpr std::string_view kName = "kv batch get";
};

struct PutMethod : KeyValueMethod<Rpc::kPut, v1::PutRequest, v1::PutResponse,
                                  NoRows<v1::PutRequest, v1::PutResponse>> {
  static constexpr std::string_view kName = "kv put";
};

struct DeleteMethod : KeyValueMethod<Rpc::kDelete, v1::DeleteRequest, v1::DeleteResponse,
                                     NoRows<v1::DeleteRequest, v1::DeleteResponse>> {
  static constexpr std::string_view kName = "kv delete";
};

struct DeleteRangeMethod
    : KeyValueMethod<Rpc::kDeleteRange, v1::DeleteRangeRequest, v1::DeleteRangeResponse,
                     NoRows<v1::DeleteRangeRequest, v1::DeleteRangeResponse>> {
  static constexpr std::string_view kName = "kv delete range";
  static void Fill(const driver::StatementRun& run, Response* response) {
    response->set_deleted(run.summary.rows_affected);
  }
};

struct WriteMethod : KeyValueMethod<Rpc::kWrite, v1::WriteRequest, v1::WriteResponse,
                                    NoRows<v1::WriteRequest, v1::WriteResponse>> {
  static constexpr std::string_view kName = "kv write";
  static void Fill(const driver::StatementRun& run, Response* response) {
    ToProto(*run.key_value, response);
  }
};

// A range, the entries of which are sent as ScanResponse messages, one for each batch.
class ScanOperation final : public KeysOperation {
 public:
  using Request = v1::ScanRequest;
  static constexpr Rpc kRpc = Rpc::kScan;

  absl::Status Start(Call& call, const Request& request, CallRun* run);
  void EndBatch(const driver::StatementRun&) override { has_part_ = true; }
  ResultSize Written() const override { return rows_.size(); }
  bool TakePart(std::string* part) override;
  bool has_part() const override { return has_part_; }

 private:
  class Rows final : public EntryWriter {
   public:
    v1::ScanResponse* response() { return &response_; }

   private:
    void Clear() override { response_.clear_entries(); }
    void OnKey(std::string_view key) override {
      entry_ = response_.add_entries();
      entry_->set_key(key.data(), key.size());
    }
    void OnValue(std::string_view value) override { entry_->set_value(value.data(), value.size()); }

    v1::ScanResponse response_;
    v1::Entry* entry_ = nullptr;
  };

  Rows rows_;
  bool has_part_ = false;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_KEY_VALUE_OPERATIONS_H_
