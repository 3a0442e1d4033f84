// Turns rows into messages.
//
// Rows are written as the bytes of the message at once: an object for each row and value, which
// would only be made to be serialized, costs more than everything else that is done with a small
// result. Columns are gathered as objects, of which there is one for many values.
#ifndef PENSTOCK_SERVER_RPC_DATABASE_RESULT_BUILDER_H_
#define PENSTOCK_SERVER_RPC_DATABASE_RESULT_BUILDER_H_

#include <cstddef>
#include <string>
#include <vector>

#include "drivers/api/driver.h"
#include "drivers/api/row_writer.h"
#include "penstock/v1/database.pb.h"
#include "server/auth/quota.h"

namespace penstock::server {

// Receives the rows of a run and forms serialized QueryResponse messages of about `part_bytes` each
// from them. Reusable. Not thread-safe.
class ResultBuilder final : public driver::RowWriter {
 public:
  // Begins a run. `known` columns, which the client has already, are not sent again.
  void Start(v1::Format format, size_t part_bytes, const driver::Columns& known = nullptr);

  // Moves the next finished part into `part`, oldest first; parts are held back until they are full
  // or Flush was called. Returns false if there is none.
  bool TakePart(std::string* part);
  // Tells whether TakePart would find a part.
  bool has_part() const { return taken_ < finished_.size(); }

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
    std::string message;
    size_t bytes;  // about, in memory
  };

  bool by_columns() const { return format_ == v1::FORMAT_COLUMNS; }
  // Appends a value of the row whose encoding has so many bytes, up to which `write` appends it.
  template <typename Write>
  void AddToRow(size_t memory, size_t size, const Write& write);
  void AddMessage(const driver::Value& value, size_t memory);
  // Returns the next column.
  v1::ColumnData* NextColumn();
  // Returns the column of the next value, ready for values of `kind`, or null if it holds mixed
  // kinds and the value is to be added with AddMixed.
  v1::ColumnData* NextColumn(driver::Kind kind, size_t memory);
  v1::Value* AddMixed();
  void MakeMixed(v1::ColumnData* column);
  void ClosePart();

  v1::Format format_ = v1::FORMAT_ROWS;
  size_t part_bytes_ = 0;
  driver::Columns known_;
  std::string part_;
  std::string row_;            // the values of the row so far
  v1::QueryResponse columns_;  // `data` and `row_count` of part_, which are added at its end
  std::vector<Part> finished_;
  size_t taken_ = 0;  // of finished_
  int column_ = 0;
  uint32_t rows_ = 0;       // in part_
  size_t part_size_ = 0;    // about, of part_
  size_t closed_rows_ = 0;  // in the parts before part_
  size_t closed_bytes_ = 0;
  size_t held_bytes_ = 0;  // about, of finished_
  bool dirty_ = false;     // part_ holds something
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_DATABASE_RESULT_BUILDER_H_
