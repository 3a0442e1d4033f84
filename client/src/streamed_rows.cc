// Rows of a result that arrives in parts.
//
// Only one part is in memory at a time: Advance asks the source for the next one when the current
// one has been read, so a slow reader makes the daemon wait. The part with the summary is the last;
// the source is never asked again after it or after an error. The source is destroyed when the
// reader has seen the end of the rows, and not when the summary arrives: until then the rows of a
// transaction are open, so that a step between them fails whether or not all rows fit into one
// part.
#include "client/src/streamed_rows.h"

#include <utility>

#include "client/src/convert.h"
#include "client/src/pipes.h"

namespace penstock::internal {

absl::StatusOr<std::unique_ptr<Rows>> StreamedRows::Open(std::unique_ptr<ResultSource> source,
                                                         ColumnList known, AsyncSite site) {
  v1::QueryResponse part;
  if (absl::Status status = source->Read(&part); !status.ok()) return status;
  ColumnList columns = std::move(known);
  if (columns == nullptr || part.columns_size() > 0) {
    columns = std::make_shared<const std::vector<ColumnType>>(FromProto(part.columns()));
  }
  std::unique_ptr<StreamedRows> rows(
      new StreamedRows(std::move(columns), std::move(source), std::move(site)));
  if (absl::Status status = rows->Take(&part); !status.ok()) return status;
  return rows;
}

absl::Status StreamedRows::Take(v1::QueryResponse* part) {
  if (part->has_summary()) {
    rows_affected_ = part->summary().rows_affected();
    notices_ = FromProto(part->summary().notices(), part->summary().notices_dropped());
    received_ = true;
  }
  next_row_ = 0;
  return batch_.Reset(part, ColumnTypes().size());
}

absl::StatusOr<bool> StreamedRows::Advance() {
  while (next_row_ == batch_.row_count()) {
    if (received_) {
      source_.reset();
      return false;
    }
    part_.Clear();
    absl::Status status = source_->Read(&part_);
    if (status.ok()) status = Take(&part_);
    if (!status.ok()) {
      source_.reset();
      return status;
    }
  }
  row_ = next_row_++;
  return true;
}

Async<bool> StreamedRows::NextAsync() {
  const bool waits = source_ != nullptr && !received_ && next_row_ == batch_.row_count();
  return WhenAwaited(site_, waits ? source_->Awaited() : nullptr, [this]() -> absl::StatusOr<bool> {
    if (Next()) return true;
    if (!Err().ok()) return Err();
    return false;
  });
}

absl::StatusOr<Result> DropRows(ResultSource* source) {
  v1::QueryResponse part;
  do {
    if (absl::Status status = source->Read(&part); !status.ok()) return status;
  } while (!part.has_summary());
  return FromProto(part.summary());
}

}  // namespace penstock::internal
