// Writes rows as a table, as CSV or as JSON.
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

// Writes one result: Begin, then Row for each row, then End. If a result breaks off, End is not
// called, so that the output is visibly incomplete: a table lacks its count, a JSON array its
// bracket. Not thread-safe.
class Formatter {
 public:
  virtual ~Formatter() = default;

  // Takes the names of the columns.
  virtual void Begin(const std::vector<std::string>& columns) = 0;
  // Takes one value for each column. The values are not kept.
  virtual void Row(std::span<const Value> values) = 0;
  // Ends the output after the last row.
  virtual void End() = 0;
};

// Makes the formatter for `options.format`. It appends to `out`, which the caller owns and may
// empty between two calls. A table holds its first rows back until it knows their widths; the other
// formats hold nothing back.
std::unique_ptr<Formatter> MakeFormatter(const Options& options, std::string* out);

std::unique_ptr<Formatter> MakeTableFormatter(std::string* out);
std::unique_ptr<Formatter> MakeCsvFormatter(const std::optional<std::string>& null,
                                            std::string* out);
std::unique_ptr<Formatter> MakeJsonFormatter(std::string* out);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_FORMATTER_H_
