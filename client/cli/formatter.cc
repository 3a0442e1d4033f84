#include "client/cli/formatter.h"

namespace penstock::cli {

std::unique_ptr<Formatter> MakeFormatter(OutputFormat format, std::string* out) {
  switch (format) {
    case OutputFormat::kCsv: return MakeCsvFormatter(out);
    case OutputFormat::kJson: return MakeJsonFormatter(out);
    case OutputFormat::kTable: break;
  }
  return MakeTableFormatter(out);
}

}  // namespace penstock::cli
