#include "client/src/key_value.h"

#include <utility>

#include "client/src/cancellation.h"
#include "client/src/convert.h"
#include "client/src/format.h"
#include "client/src/methods.h"
#include "client/src/part_entries.h"
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
class StreamedEntries final : public PartEntries {
 public:
  StreamedEntries(const std::shared_ptr<Channel>& channel, const Connection& connection,
                  const Context& ctx)
      : call_(std::make_unique<ScanStream>(channel, connection, ctx, method::kScan,
                                           GiveUpTime(ctx))) {}

  // Waits for the first message, so that an invalid request is reported by Scan itself. `*again` is
  // explained at Settle.
  absl::Status Open(const v1::ScanRequest& request, Again* again) {
    call_->SendLast(request);  // A failure shows in the answer.
    return Read(again) ? absl::OkStatus() : Err();
  }

 private:
  bool ReadPart() override {
    Again again = Again::kNo;
    return Read(&again);
  }
  bool is_open() const override { return call_ != nullptr; }
  void End() override { call_ = nullptr; }

  bool Read(Again* again) {
    if (call_ == nullptr) return false;
    if (call_->Receive(&received_)) {
      Take(&received_);
      return true;
    }
    if (!call_->EndedWell()) {
      const absl::Status end = call_->End();
      Fail(Settle(end, call_->HowFar(/*writes=*/false), again));
    }
    call_ = nullptr;
    return false;
  }

  // Null once the call has ended.
  std::unique_ptr<ScanStream> call_;
  v1::ScanResponse received_;
};

using Call = v1::PipelineRequest::Call;
using Answer = v1::PipelineResponse::Answer;

// How a call with one answer travels, by itself and over a Pipeline stream.
template <typename Request, typename Response>
struct Operation {
  const char* method;
  bool writes;
  Request* (Call::*request)();
  Response* (Answer::*response)();
};
constexpr Operation kGet = {method::kGet, false, &Call::mutable_get, &Answer::mutable_got};
constexpr Operation kBatchGet = {method::kBatchGet, false, &Call::mutable_batch_get,
                                 &Answer::mutable_batch_got};
constexpr Operation kPut = {method::kPut, true, &Call::mutable_put, &Answer::mutable_put};
constexpr Operation kDelete = {method::kDelete, true, &Call::mutable_delete_,
                               &Answer::mutable_deleted};
constexpr Operation kDeleteRange = {method::kDeleteRange, true, &Call::mutable_delete_range,
                                    &Answer::mutable_range_deleted};
constexpr Operation kWrite = {method::kWrite, true, &Call::mutable_write, &Answer::mutable_written};

// What an answer means to the caller.
absl::StatusOr<std::optional<std::string>> Found(v1::GetResponse* response) {
  if (!response->found()) return std::optional<std::string>();
  return std::optional<std::string>(std::move(*response->mutable_value()));
}

absl::StatusOr<std::vector<std::optional<std::string>>> FoundAll(v1::BatchGetResponse* response,
                                                                 size_t keys) {
  if (static_cast<size_t>(response->results_size()) != keys) {
    return ProtocolError(Format("{} values for {} keys", response->results_size(), keys));
  }
  std::vector<std::optional<std::string>> values;
  for (v1::BatchGetResponse::Result& result : *response->mutable_results()) {
    values.emplace_back();
    if (result.found()) values.back() = std::move(*result.mutable_value());
  }
  return values;
}

class DaemonKeyValue final : public KeyValue {
 public:
  DaemonKeyValue(std::shared_ptr<Channel> channel, std::shared_ptr<Pipes> pipes,
                 std::string keyspace)
      : channel_(std::move(channel)), pipes_(std::move(pipes)), keyspace_(std::move(keyspace)) {}

  absl::StatusOr<std::optional<std::string>> Get(const Context& ctx,
                                                 std::string_view key) override {
    Call call = GetCall(key);
    return Run<std::optional<std::string>>(ctx, kGet, &call, Found);
  }
  Async<std::optional<std::string>> GetAsync(const Context& ctx, std::string_view key) override {
    Call call = GetCall(key);
    return RunAsync<std::optional<std::string>>(ctx, kGet, &call, Found);
  }

  absl::StatusOr<std::vector<std::optional<std::string>>> BatchGet(
      const Context& ctx, const std::vector<std::string>& keys) override {
    Call call = BatchGetCall(keys);
    return Run<std::vector<std::optional<std::string>>>(
        ctx, kBatchGet, &call,
        [&](v1::BatchGetResponse* response) { return FoundAll(response, keys.size()); });
  }
  Async<std::vector<std::optional<std::string>>> BatchGetAsync(
      const Context& ctx, std::vector<std::string> keys) override {
    Call call = BatchGetCall(keys);
    return RunAsync<std::vector<std::optional<std::string>>>(
        ctx, kBatchGet, &call, [count = keys.size()](v1::BatchGetResponse* response) {
          return FoundAll(response, count);
        });
  }

  absl::Status Put(const Context& ctx, std::string_view key, std::string_view value) override {
    Call call = PutCall(key, value);
    return Run<void>(ctx, kPut, &call, [](auto*) { return absl::OkStatus(); });
  }
  Async<void> PutAsync(const Context& ctx, std::string_view key, std::string_view value) override {
    Call call = PutCall(key, value);
    return RunAsync<void>(ctx, kPut, &call, [](auto*) { return absl::OkStatus(); });
  }

  absl::Status Delete(const Context& ctx, std::string_view key) override {
    Call call;
    call.mutable_delete_()->set_key(std::string(key));
    return Run<void>(ctx, kDelete, &call, [](auto*) { return absl::OkStatus(); });
  }
  Async<void> DeleteAsync(const Context& ctx, std::string_view key) override {
    Call call;
    call.mutable_delete_()->set_key(std::string(key));
    return RunAsync<void>(ctx, kDelete, &call, [](auto*) { return absl::OkStatus(); });
  }

  absl::StatusOr<int64_t> DeleteRange(const Context& ctx, const KeyRange& range) override {
    Call call;
    internal::ToProto(range, call.mutable_delete_range()->mutable_range());
    return Run<int64_t>(ctx, kDeleteRange, &call, Deleted);
  }
  Async<int64_t> DeleteRangeAsync(const Context& ctx, KeyRange range) override {
    Call call;
    internal::ToProto(range, call.mutable_delete_range()->mutable_range());
    return RunAsync<int64_t>(ctx, kDeleteRange, &call, Deleted);
  }

  absl::StatusOr<int64_t> DeletePrefix(const Context& ctx, std::string_view prefix) override {
    Call call;
    call.mutable_delete_range()->set_prefix(std::string(prefix));
    return Run<int64_t>(ctx, kDeleteRange, &call, Deleted);
  }
  Async<int64_t> DeletePrefixAsync(const Context& ctx, std::string_view prefix) override {
    Call call;
    call.mutable_delete_range()->set_prefix(std::string(prefix));
    return RunAsync<int64_t>(ctx, kDeleteRange, &call, Deleted);
  }

  absl::StatusOr<std::unique_ptr<Entries>> Scan(const Context& ctx,
                                                const ScanOptions& options) override {
    Call call;
    v1::ScanRequest& request = *call.mutable_scan();
    absl::Status status = internal::ToProto(options, &request);
    if (status.ok()) status = Prepare(ctx, &request);
    if (!status.ok()) return status;
    if (auto first = pipes_->TryRun(ctx, /*writes=*/false, &call)) {
      if (!first->ok()) return first->status();
      return EntriesOf(pipes_, **std::move(first));
    }
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
  Async<std::unique_ptr<Entries>> ScanAsync(const Context& ctx, ScanOptions options) override {
    Call call;
    if (absl::Status status = internal::ToProto(options, call.mutable_scan()); !status.ok()) {
      return pipes_->FailAsync<std::unique_ptr<Entries>>(std::move(status));
    }
    Complete(ctx, call.mutable_scan());
    return pipes_->RunAsync<std::unique_ptr<Entries>>(
        ctx, MakeRequest(ctx, /*writes=*/false, &call),
        [](std::shared_ptr<Pipes> at, PipeFirst first,
           const AsyncExecutor& executor) -> absl::StatusOr<std::unique_ptr<Entries>> {
          return EntriesOf(std::move(at), std::move(first), executor);
        });
  }

  absl::StatusOr<WriteResult> Write(const Context& ctx, const std::vector<Condition>& conditions,
                                    const std::vector<Mutation>& mutations) override {
    Call call;
    internal::ToProto(conditions, mutations, call.mutable_write());
    return Run<WriteResult>(ctx, kWrite, &call, Written);
  }
  Async<WriteResult> WriteAsync(const Context& ctx, std::vector<Condition> conditions,
                                std::vector<Mutation> mutations) override {
    Call call;
    internal::ToProto(conditions, mutations, call.mutable_write());
    return RunAsync<WriteResult>(ctx, kWrite, &call, Written);
  }

 private:
  static Call GetCall(std::string_view key) {
    Call call;
    call.mutable_get()->set_key(std::string(key));
    return call;
  }
  static Call BatchGetCall(const std::vector<std::string>& keys) {
    Call call;
    for (const std::string& key : keys) call.mutable_batch_get()->add_keys(key);
    return call;
  }
  static Call PutCall(std::string_view key, std::string_view value) {
    Call call;
    call.mutable_put()->set_key(std::string(key));
    call.mutable_put()->set_value(std::string(value));
    return call;
  }
  static absl::StatusOr<int64_t> Deleted(v1::DeleteRangeResponse* response) {
    return response->deleted();
  }
  static absl::StatusOr<WriteResult> Written(v1::WriteResponse* response) {
    return internal::FromProto(*response);
  }

  // Sets the fields that every request has.
  template <typename Request>
  void Complete(const Context& ctx, Request* request) const {
    request->set_database(channel_->config.database);
    request->set_keyspace(keyspace_);
    SetTimeout(ctx, request);
  }
  // Does so and checks that the call may begin.
  template <typename Request>
  absl::Status Prepare(const Context& ctx, Request* request) const {
    absl::Status status = channel_->CheckWithoutSettings(ctx);
    if (!status.ok()) return status;
    Complete(ctx, request);
    return channel_->CheckSize(*request);
  }

  // Makes the request of an asynchronous call.
  absl::StatusOr<PipeRequest> MakeRequest(const Context& ctx, bool writes, Call* call) const {
    absl::Status status = Channel::RefuseSettings(ctx);
    if (!status.ok()) return status;
    return MakePipeRequest(*channel_, ctx, writes, call);
  }

  // Runs a call whose request is filled in. `decode` makes the result of the response.
  template <typename T, typename Request, typename Response, typename Decode>
  AsyncResult<T> Run(const Context& ctx, const Operation<Request, Response>& operation, Call* call,
                     Decode decode) const {
    Request& request = *(call->*operation.request)();
    absl::Status status = Prepare(ctx, &request);
    if (!status.ok()) return status;
    if (auto first = pipes_->TryRun(ctx, operation.writes, call)) {
      if (!first->ok()) return first->status();
      return decode(((*first)->answer.*operation.response)());
    }
    Response response;
    status = channel_->Call(ctx, [&](const std::shared_ptr<Connection>& connection, Again* again) {
      SetTimeout(ctx, &request);
      return TryUnary(channel_, *connection, ctx, GiveUpTime(ctx), operation.writes,
                      operation.method, request, &response, again);
    });
    if (!status.ok()) return status;
    return decode(&response);
  }

  template <typename T, typename Request, typename Response, typename Decode>
  Async<T> RunAsync(const Context& ctx, const Operation<Request, Response>& operation, Call* call,
                    Decode decode) const {
    Complete(ctx, (call->*operation.request)());
    return pipes_->RunAsync<T>(
        ctx, MakeRequest(ctx, operation.writes, call),
        [decode, response = operation.response](const std::shared_ptr<Pipes>&, PipeFirst first,
                                                const AsyncExecutor&) {
          return AsyncResult<T>(decode((first.answer.*response)()));
        });
  }

  const std::shared_ptr<Channel> channel_;
  const std::shared_ptr<Pipes> pipes_;
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

std::unique_ptr<KeyValue> MakeKeyValue(std::shared_ptr<Channel> channel,
                                       std::shared_ptr<Pipes> pipes, std::string keyspace) {
  return std::make_unique<DaemonKeyValue>(std::move(channel), std::move(pipes),
                                          std::move(keyspace));
}

}  // namespace penstock::internal
