#include <memory>
#include <optional>

#include "client/cli/encode.h"
#include "client/cli/formatter.h"
#include "client/cli/value_text.h"

namespace penstock::cli {
namespace {

class CsvFormatter : public Formatter {
 public:
  CsvFormatter(const std::optional<std::string>& null, std::string* out)
      : given_null_(null), out_(out) {}

  void Begin(const std::vector<std::string>& columns) override {
    // In a result of one column NULL must not be an empty line, which readers skip.
    null_ = given_null_.value_or(columns.size() == 1 ? "\\N" : "");
    for (size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) out_->push_back(',');
      AppendCsvField(columns[i], columns[i].empty(), out_);
    }
    if (!columns.empty()) EndLine();
  }

  void Row(std::span<const Value> values) override {
    for (size_t i = 0; i < values.size(); ++i) {
      if (i > 0) out_->push_back(',');
      AppendValue(values[i]);
    }
    EndLine();
  }

  void End() override {}

 private:
  // NULL and blobs have no quotes; text that could be mistaken for one of them has.
  void AppendValue(const Value& value) {
    if (value.is_null()) {
      out_->append(null_);
      return;
    }
    const std::string text = PlainText(value);
    const bool reads_as_blob = value.kind() != Kind::kBlob && text.starts_with("\\x");
    // PostgreSQL's COPY takes a line of \. for the end of the data.
    const bool quoted = text.empty() || text == null_ || text == "\\." || reads_as_blob;
    AppendCsvField(text, quoted, out_);
  }

  void EndLine() { out_->append("\r\n"); }

  const std::optional<std::string> given_null_;
  std::string null_;
  std::string* const out_;
};

}  // namespace

std::unique_ptr<Formatter> MakeCsvFormatter(const std::optional<std::string>& null,
                                            std::string* out) {
  return std::make_unique<CsvFormatter>(null, out);
}

}  // namespace penstock::cli
