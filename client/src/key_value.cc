#include "client/src/key_value.h"

#include <utility>

#include "client/src/cancellation.h"
#include "client/src/convert.h"
#include "client/src/format.h"
#include "client/src/methods.h"
#include "client/src/status.h"
#include "client/src/unary.h"
#include "penstock/internal/v1/key_value.pb.h"

namespace penstock::internal {
namespace {

void ToProto(const Condition& from, v1::Condition* to) {
  to->set_key(from.key);
  switch (from.kind) {
    case Condition::Kind::kAbsent: to->mutable_absent(); break;
    case Condition::Kind::kPresent: to->mutable_present(); break;
    case Condition::Kind::kValueEquals: to->set_value_equals(from.value); break;
  }
}

void ToProto(const Mutation& from, v1::Mutation* to) {
  switch (from.kind) {
    case Mutation::Kind::kPut:
      to->mutable_put()->set_key(from.key);
      to->mutable_put()->set_value(from.value);
      break;
    case Mutation::Kind::kDelete: to->set_delete_key(from.key); break;
    case Mutation::Kind::kDeleteRange:
      to->mutable_delete_range()->set_start(from.key);
      to->mutable_delete_range()->set_end(from.value);
      break;
    case Mutation::Kind::kDeletePrefix: to->set_delete_prefix(from.key); break;
  }
}

using ScanStream = Stream<v1::ScanRequest, v1::ScanResponse>;

// The entries of one Scan call.
class StreamedEntries final : public Entries {
 public:
  StreamedEntries(const std::shared_ptr<Channel>& channel, const Connection& connection,
                  const Context& ctx)
      : call_(std::make_unique<ScanStream>(channel, connection, ctx, method::kScan,
                                           GiveUpTime(ctx))) {}

  // Waits for the first message, so that an invalid request is reported by Scan itself. `*again` is
  // explained at Settle.
  absl::Status Open(const v1::ScanRequest& request, Again* again) {
    call_->SendLast(request);  // A failure shows in the answer.
    return ReadPart(again) ? absl::OkStatus() : error_;
  }

  bool Next() override {
    Again again = Again::kNo;
    if (closed_) error_ = EntriesClosed();
    entry_ = &v1::Entry::default_instance();
    while (next_ == part_.entries_size()) {
      if (!ReadPart(&again)) return false;
    }
    entry_ = &part_.entries(next_++);
    return true;
  }
  const std::string& Key() const override { return entry_->key(); }
  const std::string& Value() const override { return entry_->value(); }
  absl::Status Err() const override { return error_; }

  void Close() override {
    part_.Clear();
    next_ = 0;
    entry_ = &v1::Entry::default_instance();
    closed_ = closed_ || call_ != nullptr;
    call_ = nullptr;
  }

 private:
  // Reads the next message; all entries of the current one must have been taken. If there is no
  // next message, the current one stays, because the caller may refer to it.
  bool ReadPart(Again* again) {
    if (call_ == nullptr) return false;
    if (call_->Receive(&part_)) {
      next_ = 0;
      return true;
    }
    if (!call_->EndedWell()) {
      const absl::Status end = call_->End();
      error_ = Settle(end, call_->HowFar(/*writes=*/false), again);
    }
    call_ = nullptr;
    return false;
  }

  // Null once the call has ended.
  std::unique_ptr<ScanStream> call_;
  v1::ScanResponse part_;
  int next_ = 0;
  const v1::Entry* entry_ = &v1::Entry::default_instance();
  // True if Close was called before the end.
  bool closed_ = false;
  absl::Status error_;
};

class DaemonKeyValue final : public KeyValue {
 public:
  DaemonKeyValue(std::shared_ptr<Channel> channel, std::string keyspace)
      : channel_(std::move(channel)), keyspace_(std::move(keyspace)) {}

  absl::StatusOr<std::optional<std::string>> Get(const Context& ctx,
                                                 std::string_view key) override {
    v1::GetRequest request;
    request.set_key(std::string(key));
    v1::GetResponse response;
    absl::Status status = Call(ctx, method::kGet, kReads, &request, &response);
    if (!status.ok()) return status;
    if (!response.found()) return std::optional<std::string>();
    return std::optional<std::string>(std::move(*response.mutable_value()));
  }

  absl::StatusOr<std::vector<std::optional<std::string>>> BatchGet(
      const Context& ctx, const std::vector<std::string>& keys) override {
    v1::BatchGetRequest request;
    for (const std::string& key : keys) request.add_keys(key);
    v1::BatchGetResponse response;
    absl::Status status = Call(ctx, method::kBatchGet, kReads, &request, &response);
    if (!status.ok()) return status;
    if (static_cast<size_t>(response.results_size()) != keys.size()) {
      return ProtocolError(Format("{} values for {} keys", response.results_size(), keys.size()));
    }
    std::vector<std::optional<std::string>> values;
    for (v1::BatchGetResponse::Result& result : *response.mutable_results()) {
      values.emplace_back();
      if (result.found()) values.back() = std::move(*result.mutable_value());
    }
    return values;
  }

  absl::Status Put(const Context& ctx, std::string_view key, std::string_view value) override {
    v1::PutRequest request;
    request.set_key(std::string(key));
    request.set_value(std::string(value));
    v1::PutResponse response;
    return Call(ctx, method::kPut, kWrites, &request, &response);
  }

  absl::Status Delete(const Context& ctx, std::string_view key) override {
    v1::DeleteRequest request;
    request.set_key(std::string(key));
    v1::DeleteResponse response;
    return Call(ctx, method::kDelete, kWrites, &request, &response);
  }

  absl::StatusOr<int64_t> DeleteRange(const Context& ctx, const KeyRange& range) override {
    v1::DeleteRangeRequest request;
    internal::ToProto(range, request.mutable_range());
    return DeleteKeys(ctx, &request);
  }

  absl::StatusOr<int64_t> DeletePrefix(const Context& ctx, std::string_view prefix) override {
    v1::DeleteRangeRequest request;
    request.set_prefix(std::string(prefix));
    return DeleteKeys(ctx, &request);
  }

  absl::StatusOr<std::unique_ptr<Entries>> Scan(const Context& ctx,
                                                const ScanOptions& options) override {
    v1::ScanRequest request;
    absl::Status status = internal::ToProto(options, &request);
    if (status.ok()) status = Prepare(ctx, &request);
    if (!status.ok()) return status;
    return channel_->Call(ctx,
                          [&](const std::shared_ptr<Connection>& connection,
                              Again* again) -> absl::StatusOr<std::unique_ptr<Entries>> {
                            SetTimeout(ctx, &request);
                            auto entries =
                                std::make_unique<StreamedEntries>(channel_, *connection, ctx);
                            absl::Status opened = entries->Open(request, again);
                            if (!opened.ok()) return opened;
                            return entries;
                          });
  }

  absl::StatusOr<WriteResult> Write(const Context& ctx, const std::vector<Condition>& conditions,
                                    const std::vector<Mutation>& mutations) override {
    v1::WriteRequest request;
    internal::ToProto(conditions, mutations, &request);
    v1::WriteResponse response;
    absl::Status status = Call(ctx, method::kWrite, kWrites, &request, &response);
    if (!status.ok()) return status;
    return internal::FromProto(response);
  }

 private:
  // Sets the fields that every request has, and checks that the call may begin.
  template <typename Request>
  absl::Status Prepare(const Context& ctx, Request* request) const {
    absl::Status status = channel_->CheckWithoutSettings(ctx);
    if (!status.ok()) return status;
    request->set_database(channel_->config.database);
    request->set_keyspace(keyspace_);
    SetTimeout(ctx, request);
    return channel_->CheckSize(*request);
  }

  static constexpr bool kReads = false;
  static constexpr bool kWrites = true;

  template <typename Request, typename Response>
  absl::Status Call(const Context& ctx, const char* method, bool writes, Request* request,
                    Response* response) const {
    absl::Status status = Prepare(ctx, request);
    if (!status.ok()) return status;
    return channel_->Call(ctx, [&](const std::shared_ptr<Connection>& connection, Again* again) {
      SetTimeout(ctx, request);
      return TryUnary(channel_, *connection, ctx, GiveUpTime(ctx), writes, method, *request,
                      response, again);
    });
  }

  absl::StatusOr<int64_t> DeleteKeys(const Context& ctx, v1::DeleteRangeRequest* request) const {
    v1::DeleteRangeResponse response;
    absl::Status status = Call(ctx, method::kDeleteRange, kWrites, request, &response);
    if (!status.ok()) return status;
    return response.deleted();
  }

  const std::shared_ptr<Channel> channel_;
  const std::string keyspace_;
};

}  // namespace

void ToProto(const KeyRange& from, v1::KeyRange* to) {
  to->set_start(from.start);
  to->set_end(from.end);
}

absl::Status ToProto(const ScanOptions& from, v1::ScanRequest* to) {
  if (!from.prefix.empty() && from.range != KeyRange()) {
    return InvalidParameter("the scan has both a prefix and a range; use one of them");
  }
  if (!from.prefix.empty()) to->set_prefix(from.prefix);
  if (from.range != KeyRange()) ToProto(from.range, to->mutable_range());
  to->set_reverse(from.reverse);
  to->set_limit(from.limit);
  to->set_keys_only(from.keys_only);
  to->set_continue_after(from.continue_after);
  return absl::OkStatus();
}

void ToProto(const std::vector<Condition>& conditions, const std::vector<Mutation>& mutations,
             v1::WriteRequest* to) {
  for (const Condition& condition : conditions) ToProto(condition, to->add_conditions());
  for (const Mutation& mutation : mutations) ToProto(mutation, to->add_mutations());
}

WriteResult FromProto(const v1::WriteResponse& from) {
  if (from.applied()) return {};
  return {.applied = false, .failed_condition = static_cast<size_t>(from.failed_condition()) - 1};
}

std::unique_ptr<KeyValue> MakeKeyValue(std::shared_ptr<Channel> channel, std::string keyspace) {
  return std::make_unique<DaemonKeyValue>(std::move(channel), std::move(keyspace));
}

}  // namespace penstock::internal
