#include <algorithm>
#include <memory>
#include <utility>

#include "client/cli/encode.h"
#include "client/cli/formatter.h"
#include "client/cli/value_text.h"
#include "client/cli/width.h"
#include "fmt/format.h"

namespace penstock::cli {
namespace {

// The number of rows that determine the widths. Later rows are written at once; a cell that is
// wider than its column moves the rest of its line to the right.
constexpr size_t kMeasuredRows = 1000;
// Fewer rows are measured if they are large.
constexpr size_t kMeasuredBytes = 4 * 1024 * 1024;

struct Cell {
  std::string text;
  bool align_right = false;
};

class TableFormatter : public Formatter {
 public:
  explicit TableFormatter(std::string* out) : out_(out) {}

  void Begin(const std::vector<std::string>& columns) override {
    for (const std::string& name : columns) {
      widths_.push_back(DisplayWidth(names_.emplace_back(Printable(name))));
    }
  }

  void Row(std::span<const Value> values) override {
    ++row_count_;
    std::vector<Cell> row;
    for (const Value& value : values) row.push_back({CellText(value), IsNumber(value)});
    if (measured_) return AppendRow(row);

    for (size_t i = 0; i < row.size(); ++i) {
      widths_[i] = std::max(widths_[i], DisplayWidth(row[i].text));
      held_bytes_ += row[i].text.size();
    }
    held_.push_back(std::move(row));
    if (held_.size() >= kMeasuredRows || held_bytes_ >= kMeasuredBytes) FinishMeasuring();
  }

  void End() override {
    if (!measured_) FinishMeasuring();
    fmt::format_to(std::back_inserter(*out_), "({} row{})\n", row_count_,
                   row_count_ == 1 ? "" : "s");
  }

 private:
  // Writes the header and the rows that were held back.
  void FinishMeasuring() {
    measured_ = true;
    if (names_.empty()) return;
    AppendHeader();
    for (const std::vector<Cell>& row : held_) AppendRow(row);
    held_ = {};
  }

  void AppendHeader() {
    std::vector<Cell> header;
    for (const std::string& name : names_) header.push_back({name, false});
    AppendRow(header);
    for (size_t i = 0; i < widths_.size(); ++i) {
      if (i > 0) out_->push_back('+');
      out_->append(widths_[i] + 2, '-');
    }
    out_->push_back('\n');
  }

  void AppendRow(const std::vector<Cell>& row) {
    for (size_t i = 0; i < row.size(); ++i) {
      const auto& [text, align_right] = row[i];
      const size_t width = DisplayWidth(text);
      const size_t padding = widths_[i] > width ? widths_[i] - width : 0;
      const bool last = i + 1 == row.size();
      out_->append(i == 0 ? " " : " | ");
      if (align_right) out_->append(padding, ' ');
      out_->append(text);
      if (!align_right && !last) out_->append(padding, ' ');
    }
    out_->push_back('\n');
  }

  std::string* const out_;
  // The names of the columns, escaped for printing.
  std::vector<std::string> names_;
  std::vector<size_t> widths_;
  std::vector<std::vector<Cell>> held_;
  size_t held_bytes_ = 0;
  bool measured_ = false;
  int64_t row_count_ = 0;
};

}  // namespace

std::unique_ptr<Formatter> MakeTableFormatter(std::string* out) {
  return std::make_unique<TableFormatter>(out);
}

}  // namespace penstock::cli
