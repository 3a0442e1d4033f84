// Turns rows into messages.
#ifndef PENSTOCK_SERVER_RPC_DATABASE_RESULT_BUILDER_H_
#define PENSTOCK_SERVER_RPC_DATABASE_RESULT_BUILDER_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "drivers/api/driver.h"
#include "drivers/api/row_writer.h"
#include "penstock/v1/database.pb.h"
#include "server/auth/quota.h"

namespace penstock::server {

// Receives the rows of a run and forms QueryResponse messages of about
// `part_bytes` each from them. Reusable: a stream that runs a statement often
// keeps one and, with it, the memory of its messages. Not thread-safe.
class ResultBuilder final : public driver::RowWriter {
 public:
  // Begins a run. `known` columns, which the client has already, are not sent again.
  void Start(v1::Format format, size_t part_bytes, const driver::Columns& known = nullptr);

  // Moves the next finished part into `part`, oldest first; parts are held back until
  // they are full or Flush was called. `part` is best the message that the last part
  // was moved into, for its memory is used again.
  bool TakePart(v1::QueryResponse* part);
  // Tells whether TakePart would find a part.
  bool has_part() const { return !finished_.empty(); }

  // Makes the rows written so far a part, full or not. With a summary it is the last part, and
  // there is one even if it has no row.
  void Flush(const driver::Summary* summary);

  // The size of all rows since Start, taken or not.
  ResultSize size() const {
    return {.bytes = closed_bytes_ + part_size_, .rows = closed_rows_ + rows_};
  }

  // RowWriter.
  void Begin(const driver::Columns& columns) override;
  void Null() override;
  void Boolean(bool value) override;
  void Integer(int64_t value) override;
  void Real(double value) override;
  void Bytes(driver::Kind kind, std::string_view bytes) override;
  void Timestamp(int64_t seconds, int32_t nanos) override;
  void Array(std::span<const driver::Value> elements) override;
  void EndRow() override;
  // Counts all that is held and not taken.
  size_t bytes() const override { return held_bytes_ + part_size_; }

 private:
  struct Part {
    std::unique_ptr<v1::QueryResponse> message;
    size_t bytes;  // about
  };

  bool by_columns() const { return format_ == v1::FORMAT_COLUMNS; }
  v1::Value* AddRowValue(size_t bytes);
  // Returns the column of the next value, ready for values of `kind`, or null if it holds mixed
  // kinds and the value is to be added with AddMixed.
  v1::ColumnData* NextColumn(driver::Kind kind, size_t bytes);
  v1::Value* AddMixed();
  void MakeMixed(v1::ColumnData* column);
  void ClosePart();

  v1::Format format_ = v1::FORMAT_ROWS;
  size_t part_bytes_ = 0;
  driver::Columns known_;
  std::unique_ptr<v1::QueryResponse> part_ = std::make_unique<v1::QueryResponse>();
  std::unique_ptr<v1::QueryResponse> spare_;  // cleared, for the next part_
  std::deque<Part> finished_;
  v1::Row* row_ = nullptr;
  int column_ = 0;
  uint32_t rows_ = 0;       // in part_
  size_t part_size_ = 0;    // about, of part_
  size_t closed_rows_ = 0;  // in the parts before part_
  size_t closed_bytes_ = 0;
  size_t held_bytes_ = 0;   // about, of finished_
  size_t taken_bytes_ = 0;  // about, of the part that was taken last
  bool dirty_ = false;      // part_ holds something
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_DATABASE_RESULT_BUILDER_H_
