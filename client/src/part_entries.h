// The entries of a scan that come by parts, whichever way these travel.
#ifndef PENSTOCK_CLIENT_SRC_PART_ENTRIES_H_
#define PENSTOCK_CLIENT_SRC_PART_ENTRIES_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "client/src/status.h"
#include "penstock/internal/v1/key_value.pb.h"
#include "penstock/key_value.h"

namespace penstock::internal {

// A subclass brings the parts. Not thread-safe, as Entries are not.
class PartEntries : public Entries {
 public:
  bool Next() final {
    if (closed_) error_ = EntriesClosed();
    entry_ = &v1::Entry::default_instance();
    while (exhausted()) {
      if (!ReadPart()) return false;
    }
    entry_ = &part_.entries(next_++);
    return true;
  }
  const std::string& Key() const final { return entry_->key(); }
  const std::string& Value() const final { return entry_->value(); }
  absl::Status Err() const final { return error_; }

  void Close() final {
    part_.Clear();
    next_ = 0;
    entry_ = &v1::Entry::default_instance();
    closed_ = closed_ || is_open();
    End();
  }

 protected:
  // Gives Take the next part. Returns false, after Fail if that is why, if there is none; the
  // current one stays then, because the caller may refer to it.
  virtual bool ReadPart() = 0;
  // False once the scan has ended, whatever the reason.
  virtual bool is_open() const = 0;
  // Ends the scan where it is.
  virtual void End() = 0;

  // All entries of the current part were taken.
  bool exhausted() const { return next_ == part_.entries_size(); }
  void Take(v1::ScanResponse* part) {
    part_.Swap(part);
    next_ = 0;
  }
  void Fail(absl::Status error) { error_ = std::move(error); }

 private:
  v1::ScanResponse part_;
  int next_ = 0;
  const v1::Entry* entry_ = &v1::Entry::default_instance();
  // True if Close was called before the end.
  bool closed_ = false;
  absl::Status error_;
};

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_PART_ENTRIES_H_
