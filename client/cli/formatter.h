// How rows are written: as a table, as CSV or as JSON.
#ifndef PENSTOCK_CLIENT_CLI_FORMATTER_H_
#define PENSTOCK_CLIENT_CLI_FORMATTER_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "client/cli/options.h"
#include "penstock/value.h"

namespace penstock::cli {

// Writes one result: Begin, then Row for each row, then End. Where a result
// breaks off, End is left out, and what was written is visibly not whole: a
// table lacks its count, a JSON array its bracket. Not thread-safe.
class Formatter {
 public:
  virtual ~Formatter() = default;

  // The names of the columns.
  virtual void Begin(const std::vector<std::string>& columns) = 0;
  // As many values as there are columns. They are not kept.
  virtual void Row(std::span<const Value> values) = 0;
  // All rows have been written.
  virtual void End() = 0;
};

// The formatter of `options.format`; it appends to `out`, which it does not own and which may be
// emptied between two calls. A table holds its first rows back until it knows
// their widths; the other formats hold nothing back.
std::unique_ptr<Formatter> MakeFormatter(const Options& options, std::string* out);

std::unique_ptr<Formatter> MakeTableFormatter(std::string* out);
std::unique_ptr<Formatter> MakeCsvFormatter(const std::optional<std::string>& null,
                                            std::string* out);
std::unique_ptr<Formatter> MakeJsonFormatter(std::string* out);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_FORMATTER_H_
