#include <utility>

#include "penstock/key_value.h"

namespace penstock {
namespace {

class MemoryEntries final : public Entries {
 public:
  MemoryEntries(std::vector<Entry> entries, absl::Status error)
      : entries_(std::move(entries)), error_(std::move(error)) {}

  bool Next() override {
    if (closed_ || next_ == entries_.size()) {
      ended_ = !closed_;
      return false;
    }
    ++next_;
    return true;
  }
  const std::string& Key() const override { return entries_[next_ - 1].key; }
  const std::string& Value() const override { return entries_[next_ - 1].value; }
  absl::Status Err() const override { return ended_ ? error_ : absl::OkStatus(); }
  void Close() override { closed_ = true; }

 private:
  const std::vector<Entry> entries_;
  const absl::Status error_;
  size_t next_ = 0;
  bool closed_ = false;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Entries> MakeEntries(std::vector<Entry> entries, absl::Status error) {
  return std::make_unique<MemoryEntries>(std::move(entries), std::move(error));
}

}  // namespace penstock
