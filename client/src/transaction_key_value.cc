// Key-value operations inside a transaction.
#include <unordered_map>
#include <utility>

#include "client/src/convert.h"
#include "client/src/key_value.h"
#include "client/src/status.h"
#include "client/src/streamed_rows.h"
#include "client/src/transaction_stream.h"

namespace penstock::internal {
namespace {

using Answer = v1::TransactionResponse;

// Entries from a result whose rows have a key and possibly a value.
class ResultEntries final : public Entries {
 public:
  explicit ResultEntries(std::unique_ptr<ResultSource> source) : source_(std::move(source)) {}

  bool Next() override {
    row_ = nullptr;
    if (closed_) error_ = EntriesClosed();
    while (next_ == part_.rows_size()) {
      if (source_ == nullptr || !ReadPart()) return false;
    }
    row_ = &part_.rows(next_++);
    return true;
  }
  const std::string& Key() const override { return Column(0); }
  const std::string& Value() const override { return Column(1); }
  absl::Status Err() const override { return error_; }
  void Close() override {
    closed_ = closed_ || source_ != nullptr;
    source_.reset();
    part_.Clear();
    next_ = 0;
    row_ = nullptr;
  }

 private:
  // Returns an empty text if there is no current entry.
  const std::string& Column(int column) const {
    static const std::string none;
    return row_ != nullptr && column < row_->values_size() ? row_->values(column).blob() : none;
  }

  bool ReadPart() {
    if (part_.has_summary()) {
      source_.reset();
      return false;
    }
    part_.Clear();
    next_ = 0;
    error_ = source_->Read(&part_);
    if (!error_.ok()) source_.reset();
    for (const v1::Row& row : part_.rows()) {
      if (row.values_size() == 0) error_ = ProtocolError("an entry without a key");
    }
    if (!error_.ok()) part_.clear_rows();
    return error_.ok();
  }

  // Null at the end of the entries.
  std::unique_ptr<ResultSource> source_;
  v1::QueryResponse part_;
  int next_ = 0;
  const v1::Row* row_ = nullptr;
  // True if Close was called before the end.
  bool closed_ = false;
  absl::Status error_;
};

class TransactionKeyValue final : public KeyValue {
 public:
  TransactionKeyValue(std::shared_ptr<TransactionStream> stream, std::string keyspace)
      : stream_(std::move(stream)), keyspace_(std::move(keyspace)) {}

  absl::StatusOr<std::optional<std::string>> Get(const Context& ctx,
                                                 std::string_view key) override {
    absl::StatusOr<std::vector<std::optional<std::string>>> values =
        BatchGet(ctx, {std::string(key)});
    if (!values.ok()) return values.status();
    return std::move(values->front());
  }

  absl::StatusOr<std::vector<std::optional<std::string>>> BatchGet(
      const Context& ctx, const std::vector<std::string>& keys) override {
    v1::TransactionRequest request;
    for (const std::string& key : keys) request.mutable_get()->add_keys(key);
    SetUp(ctx, request.mutable_get());
    absl::StatusOr<std::unique_ptr<ResultSource>> source = stream_->Query(ctx, request);
    if (!source.ok()) return source.status();
    std::unordered_map<std::string, std::string> found;
    ResultEntries entries(*std::move(source));
    while (entries.Next()) found.emplace(entries.Key(), entries.Value());
    if (!entries.Err().ok()) return entries.Err();
    std::vector<std::optional<std::string>> values(keys.size());
    for (size_t i = 0; i < keys.size(); ++i) {
      const auto entry = found.find(keys[i]);
      if (entry != found.end()) values[i] = entry->second;
    }
    return values;
  }

  absl::Status Put(const Context& ctx, std::string_view key, std::string_view value) override {
    return Write(ctx, {}, {Mutation::Put(key, value)}).status();
  }

  absl::Status Delete(const Context& ctx, std::string_view key) override {
    return Write(ctx, {}, {Mutation::Delete(key)}).status();
  }

  absl::StatusOr<int64_t> DeleteRange(const Context& ctx, const KeyRange& range) override {
    v1::TransactionRequest request;
    ToProto(range, request.mutable_delete_range()->mutable_range());
    return DeleteKeys(ctx, &request);
  }

  absl::StatusOr<int64_t> DeletePrefix(const Context& ctx, std::string_view prefix) override {
    v1::TransactionRequest request;
    request.mutable_delete_range()->set_prefix(std::string(prefix));
    return DeleteKeys(ctx, &request);
  }

  absl::StatusOr<std::unique_ptr<Entries>> Scan(const Context& ctx,
                                                const ScanOptions& options) override {
    v1::TransactionRequest request;
    absl::Status status = ToProto(options, request.mutable_scan());
    if (!status.ok()) return status;
    SetUp(ctx, request.mutable_scan());
    absl::StatusOr<std::unique_ptr<ResultSource>> source = stream_->Query(ctx, request);
    if (!source.ok()) return source.status();
    return std::make_unique<ResultEntries>(*std::move(source));
  }

  absl::StatusOr<WriteResult> Write(const Context& ctx, const std::vector<Condition>& conditions,
                                    const std::vector<Mutation>& mutations) override {
    v1::TransactionRequest request;
    ToProto(conditions, mutations, request.mutable_write());
    SetUp(ctx, request.mutable_write());
    const absl::StatusOr<Answer> answer = stream_->Step(ctx, request, Answer::kWritten);
    if (!answer.ok()) return answer.status();
    return FromProto(answer->written());
  }

 private:
  template <typename Request>
  void SetUp(const Context& ctx, Request* request) const {
    request->set_keyspace(keyspace_);
    SetTimeout(ctx, request);
  }

  absl::StatusOr<int64_t> DeleteKeys(const Context& ctx, v1::TransactionRequest* request) const {
    SetUp(ctx, request->mutable_delete_range());
    const absl::StatusOr<Answer> answer = stream_->Step(ctx, *request, Answer::kDeleted);
    if (!answer.ok()) return answer.status();
    return answer->deleted().deleted();
  }

  const std::shared_ptr<TransactionStream> stream_;
  const std::string keyspace_;
};

}  // namespace

std::unique_ptr<KeyValue> MakeKeyValue(std::shared_ptr<TransactionStream> stream,
                                       std::string keyspace) {
  return std::make_unique<TransactionKeyValue>(std::move(stream), std::move(keyspace));
}

}  // namespace penstock::internal
