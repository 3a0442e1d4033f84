// Rows that arrive while they are read.
#ifndef PENSTOCK_CLIENT_SRC_STREAMED_ROWS_H_
#define PENSTOCK_CLIENT_SRC_STREAMED_ROWS_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/src/batch.h"
#include "client/src/rows_base.h"
#include "penstock/async.h"
#include "penstock/internal/v1/database.pb.h"

namespace penstock::internal {

class PipeLoop;
class PipeResult;

// Where reading that does not block completes.
struct AsyncSite {
  // Null if no call can be awaited, so that reading may block all the same.
  std::shared_ptr<PipeLoop> loop = nullptr;
  // That of the call that has begun the reading.
  AsyncExecutor executor = nullptr;
};

// Provides the parts of one result. Destroying it before the end of the result gives up the rest.
class ResultSource {
 public:
  virtual ~ResultSource() = default;

  // Waits for the next part. Must not be called after an error or after the part that has the
  // summary; by then the source has released its stream.
  virtual absl::Status Read(v1::QueryResponse* part) = 0;
  // Returns the call that Read would wait for; null if Read would not wait, or has no such call.
  virtual std::shared_ptr<PipeResult> Awaited() const { return nullptr; }
};

class StreamedRows final : public RowsBase {
 public:
  // Reads the first part. `known` has the columns of a prepared statement; it is null if the first
  // part brings them.
  static absl::StatusOr<std::unique_ptr<Rows>> Open(std::unique_ptr<ResultSource> source,
                                                    ColumnList known = nullptr,
                                                    AsyncSite site = {});

  Async<bool> NextAsync() override;
  int64_t RowsAffected() const override { return rows_affected_; }
  Notices BackendNotices() const override { return notices_; }

 protected:
  absl::StatusOr<bool> Advance() override;
  ValueView Cell(size_t column) const override { return batch_.Cell(row_, column); }
  void Abandon() override { source_.reset(); }

 private:
  StreamedRows(ColumnList columns, std::unique_ptr<ResultSource> source, AsyncSite site)
      : RowsBase(std::move(columns)), source_(std::move(source)), site_(std::move(site)) {}

  absl::Status Take(v1::QueryResponse* part);

  // Null at the end of the rows. Until then the rows are open, even if all have been received.
  std::unique_ptr<ResultSource> source_;
  const AsyncSite site_;
  // True once the summary was received.
  bool received_ = false;
  Batch batch_;
  v1::QueryResponse part_;
  // The current row in batch_, and the row that Advance goes to next.
  size_t row_ = 0;
  size_t next_row_ = 0;
  int64_t rows_affected_ = 0;
  Notices notices_;
};

// Reads a result to its end and drops its rows.
absl::StatusOr<Result> DropRows(ResultSource* source);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_STREAMED_ROWS_H_
