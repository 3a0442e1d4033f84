// Scan: streams the entries of a range.
#include <utility>

#include "server/rpc/base/calls.h"
#include "server/rpc/base/result_call.h"
#include "server/rpc/base/service.h"
#include "server/rpc/key_value/arguments.h"
#include "server/rpc/key_value/entry_writer.h"

namespace penstock::server {
namespace {

class ScanRows final : public EntryWriter {
 public:
  const v1::ScanResponse& response() const { return response_; }
  // Forgets the message, which was sent.
  void Next() {
    response_.clear_entries();
    OnTaken();
  }

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

class ScanCall final : public ResultCall {
 public:
  ScanCall(const RpcContext& context, const CallSource& source)
      : ResultCall(context, source, Rpc::kScan, WaitForScan) {
    Listen(&source.services->key_value, &KeyValueMethods::RequestScan);
  }

 private:
  absl::Status Prepare() override {
    absl::Status status = TakeStatement(&request_bytes_, &request_, &run_);
    if (status.ok()) status = arguments_.Assign(request_);
    if (status.ok()) {
      status = principal().CheckKeys(*arguments_.run(), run_.database->name());
    }
    run_.sql = "kv scan";
    run_.key_value = arguments_.run();
    run_.writer = &rows_;
    return status;
  }

  void EndBatch() override { has_part_ = true; }
  ResultSize Written() const override { return rows_.size(); }

  // A batch is one message.
  Part NextPart() override {
    if (std::exchange(has_part_, false)) {
      return {.message = &rows_.response(), .last = run_.cursor == nullptr};
    }
    rows_.Next();
    return {};
  }

  v1::ScanRequest request_;
  KeyValueArguments arguments_;
  ScanRows rows_;
  bool has_part_ = false;
};

}  // namespace

void WaitForScan(const RpcContext& context, const CallSource& source) {
  new ScanCall(context, source);  // owns itself
}

}  // namespace penstock::server
