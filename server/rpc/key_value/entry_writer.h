// Writes the entries of a keyspace into messages.
#ifndef PENSTOCK_SERVER_RPC_KEY_VALUE_ENTRY_WRITER_H_
#define PENSTOCK_SERVER_RPC_KEY_VALUE_ENTRY_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "drivers/api/row_writer.h"
#include "server/auth/quota.h"

namespace penstock::server {

// Receives the rows of a key-value operation: a key, and a value unless keys
// only were asked for, both bytes. Any other value is ignored: on a backend of
// SQL somebody may have put one into the table by hand.
class EntryWriter : public driver::RowWriter {
 public:
  void Begin(const driver::Columns&) final {
    Clear();
    bytes_ = 0;
    size_ = {};
    in_key_ = true;
  }
  void Null() final { Bytes(driver::Kind::kBlob, {}); }
  void Boolean(bool) final { Null(); }
  void Integer(int64_t) final { Null(); }
  void Real(double) final { Null(); }
  void Bytes(driver::Kind, std::string_view bytes) final {
    bytes_ += bytes.size();
    in_key_ ? OnKey(bytes) : OnValue(bytes);
    in_key_ = false;
  }
  void Timestamp(int64_t, int32_t) final { Null(); }
  void Array(std::span<const driver::Value>) final { Null(); }
  void EndRow() final {
    in_key_ = true;
    bytes_ += kOverhead;
    ++size_.rows;
  }
  size_t bytes() const final { return bytes_; }

  // The written entries were taken away.
  void OnTaken() { size_.bytes += std::exchange(bytes_, 0); }
  // The size of all entries since Begin, taken or not.
  ResultSize size() const { return {.bytes = size_.bytes + bytes_, .rows = size_.rows}; }

 protected:
  ~EntryWriter() = default;
  // Forgets the written entries, because the operation begins, or begins again.
  virtual void Clear() = 0;
  virtual void OnKey(std::string_view key) = 0;
  virtual void OnValue(std::string_view value) = 0;

 private:
  // An entry takes so much in memory and on the wire beside its bytes.
  static constexpr size_t kOverhead = 16;

  size_t bytes_ = 0;
  // All rows, and the bytes of those that were taken away.
  ResultSize size_;
  bool in_key_ = true;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_KEY_VALUE_ENTRY_WRITER_H_
