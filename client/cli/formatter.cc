#include "client/cli/formatter.h"

namespace penstock::cli {

std::unique_ptr<Formatter> MakeFormatter(const Options& options, std::string* out) {
  switch (options.format) {
    case OutputFormat::kCsv: return MakeCsvFormatter(options.csv_null, out);
    case OutputFormat::kJson: return MakeJsonFormatter(out);
    case OutputFormat::kTable: break;
  }
  return MakeTableFormatter(out);
}

}  // namespace penstock::cli
