#include <utility>

#include "client/src/status.h"
#include "penstock/key_value.h"

namespace penstock {
namespace {

class MemoryEntries final : public Entries {
 public:
  MemoryEntries(std::vector<Entry> entries, absl::Status error)
      : entries_(std::move(entries)), error_(std::move(error)) {}

  bool Next() override {
    current_ = nullptr;
    if (closed_) shown_ = internal::EntriesClosed();
    if (closed_ || ended_) return false;
    ended_ = next_ == entries_.size();
    if (ended_) {
      shown_ = error_;
    } else {
      current_ = &entries_[next_++];
    }
    return !ended_;
  }
  const std::string& Key() const override { return Current().key; }
  const std::string& Value() const override { return Current().value; }
  absl::Status Err() const override { return shown_; }
  void Close() override {
    closed_ = !ended_;
    current_ = nullptr;
  }

 private:
  // Returns an empty entry if there is no current one.
  const Entry& Current() const {
    static const Entry none;
    return current_ != nullptr ? *current_ : none;
  }

  const std::vector<Entry> entries_;
  const absl::Status error_;
  absl::Status shown_;
  const Entry* current_ = nullptr;
  size_t next_ = 0;
  bool closed_ = false;
  bool ended_ = false;
};

}  // namespace

Async<bool> Entries::NextAsync() {
  auto next = [this]() -> absl::StatusOr<bool> {
    if (Next()) return true;
    if (!Err().ok()) return Err();
    return false;
  };
  return Async<bool>(std::make_shared<internal::ImmediateCall<bool, decltype(next)>>(next));
}

Async<std::optional<std::string>> KeyValue::GetAsync(const Context& ctx, std::string_view key) {
  return AsyncOf<std::optional<std::string>>(
      [this, ctx, key = std::string(key)] { return Get(ctx, key); });
}

Async<std::vector<std::optional<std::string>>> KeyValue::BatchGetAsync(
    const Context& ctx, std::vector<std::string> keys) {
  return AsyncOf<std::vector<std::optional<std::string>>>(
      [this, ctx, keys = std::move(keys)] { return BatchGet(ctx, keys); });
}

Async<void> KeyValue::PutAsync(const Context& ctx, std::string_view key, std::string_view value) {
  return AsyncOf<void>([this, ctx, key = std::string(key), value = std::string(value)] {
    return Put(ctx, key, value);
  });
}

Async<void> KeyValue::DeleteAsync(const Context& ctx, std::string_view key) {
  return AsyncOf<void>([this, ctx, key = std::string(key)] { return Delete(ctx, key); });
}

Async<int64_t> KeyValue::DeleteRangeAsync(const Context& ctx, KeyRange range) {
  return AsyncOf<int64_t>(
      [this, ctx, range = std::move(range)] { return DeleteRange(ctx, range); });
}

Async<int64_t> KeyValue::DeletePrefixAsync(const Context& ctx, std::string_view prefix) {
  return AsyncOf<int64_t>(
      [this, ctx, prefix = std::string(prefix)] { return DeletePrefix(ctx, prefix); });
}

Async<std::unique_ptr<Entries>> KeyValue::ScanAsync(const Context& ctx, ScanOptions options) {
  return AsyncOf<std::unique_ptr<Entries>>(
      [this, ctx, options = std::move(options)] { return Scan(ctx, options); });
}

Async<WriteResult> KeyValue::WriteAsync(const Context& ctx, std::vector<Condition> conditions,
                                        std::vector<Mutation> mutations) {
  return AsyncOf<WriteResult>(
      [this, ctx, conditions = std::move(conditions), mutations = std::move(mutations)] {
        return Write(ctx, conditions, mutations);
      });
}

std::unique_ptr<Entries> MakeEntries(std::vector<Entry> entries, absl::Status error) {
  return std::make_unique<MemoryEntries>(std::move(entries), std::move(error));
}

}  // namespace penstock
