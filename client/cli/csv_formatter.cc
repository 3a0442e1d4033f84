#include <memory>

#include "client/cli/encode.h"
#include "client/cli/formatter.h"
#include "client/cli/value_text.h"

namespace penstock::cli {
namespace {

class CsvFormatter : public Formatter {
 public:
  explicit CsvFormatter(std::string* out) : out_(out) {}

  void Begin(const std::vector<std::string>& columns) override {
    for (size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) out_->push_back(',');
      AppendCsvField(columns[i], out_);
    }
    if (!columns.empty()) EndLine();
  }

  void Row(std::span<const Value> values) override {
    for (size_t i = 0; i < values.size(); ++i) {
      if (i > 0) out_->push_back(',');
      if (!values[i].is_null()) AppendCsvField(PlainText(values[i]), out_);
    }
    EndLine();
  }

  void End() override {}

 private:
  void EndLine() { out_->append("\r\n"); }

  std::string* const out_;
};

}  // namespace

std::unique_ptr<Formatter> MakeCsvFormatter(std::string* out) {
  return std::make_unique<CsvFormatter>(out);
}

}  // namespace penstock::cli
