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

std::unique_ptr<Entries> MakeEntries(std::vector<Entry> entries, absl::Status error) {
  return std::make_unique<MemoryEntries>(std::move(entries), std::move(error));
}

}  // namespace penstock
