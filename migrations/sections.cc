#include "migrations/sections.h"

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "migrations/script_text.h"
#include "migrations/splitter.h"

namespace penstock::migrations {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

// The words of a line that is a marker, in small letters, the tool first.
struct Marker {
  std::string_view tool;
  std::vector<std::string> words;

  bool Is(std::string_view word) const { return !words.empty() && words[0] == word; }
  bool Has(std::string_view word) const {
    return std::find(words.begin(), words.end(), word) != words.end();
  }
};

std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  for (const char c : text) {
    const bool space = std::isspace(static_cast<unsigned char>(c)) != 0;
    if (!space && !inside) words.emplace_back();
    inside = !space;
    if (!space) {
      words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return words;
}

std::optional<Marker> MarkerOf(std::string_view line) {
  if (!line.starts_with("--")) return std::nullopt;
  std::vector<std::string> words = WordsOf(line.substr(2));
  if (words.empty()) return std::nullopt;
  Marker marker;
  if (words[0] == "+goose") marker.tool = "goose";
  if (words[0] == "+migrate") marker.tool = "sql-migrate";
  if (!marker.tool.empty()) {
    words.erase(words.begin());
  } else if (words[0] == "migrate:up" || words[0] == "migrate:down") {
    marker.tool = "dbmate";
    words[0] = words[0].substr(words[0].find(':') + 1);
  } else {
    return std::nullopt;
  }
  marker.words = std::move(words);
  return marker;
}

class Reader {
 public:
  explicit Reader(std::string_view file) : file_(file) {}

  absl::Status Take(std::string_view line, std::string_view end) {
    ++line_;
    const std::optional<Marker> marker = MarkerOf(line);
    if (marker.has_value()) {
      absl::Status status = TakeMarker(*marker);
      if (!status.ok()) return status;
    } else if (section_ != nullptr) {
      section_->text.append(blank_lines_, '\n');
      section_->text.append(line).append(end);
      blank_lines_ = 0;
      return absl::OkStatus();
    } else {
      before_.append(line).append(end);
    }
    // A line that is not the section's stands as an empty line in it.
    ++blank_lines_;
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<Sections>> End() {
    if (!sections_.up.has_value() && !sections_.down.has_value()) {
      // The name of a marker, in a file of something else.
      return std::nullopt;
    }
    // Comments of any form are fine, a licence for example.
    const absl::StatusOr<std::vector<SqlStatement>> stray = SplitSql(before_, Syntax{});
    if (!stray.ok() || !stray->empty()) {
      return Refuse(stray.ok() ? stray->front().line : 1,
                    "the SQL before the first marker belongs to no direction",
                    fmt::format("move it below the marker of {} to which it belongs", tool_));
    }
    for (std::optional<Section>* section : {&sections_.up, &sections_.down}) {
      if (section->has_value() && no_transaction_) (*section)->no_transaction = true;
    }
    return std::move(sections_);
  }

 private:
  absl::Status Refuse(int line, std::string_view what, std::string_view hint) const {
    return MakeErrorWithHint(Reason::kInvalidParameter,
                             fmt::format("{}, line {}: {}", file_, line, what), hint);
  }

  absl::Status TakeMarker(const Marker& marker) {
    if (tool_.empty()) tool_ = marker.tool;
    if (tool_ != marker.tool) {
      return Refuse(line_,
                    fmt::format("marker of {} in a file with markers of {}", marker.tool, tool_),
                    "keep the markers of one tool");
    }
    if (marker.Is("up")) return Begin(marker, &sections_.up);
    if (marker.Is("down")) return Begin(marker, &sections_.down);
    if (marker.Is("statementbegin") || marker.Is("statementend")) return absl::OkStatus();
    if (marker.Is("no") && marker.Has("transaction")) {
      no_transaction_ = true;
      return absl::OkStatus();
    }
    std::string said;
    for (const std::string& word : marker.words) said += (said.empty() ? "" : " ") + word;
    return Refuse(line_, fmt::format("unsupported marker '{}' of {}", said, tool_),
                  "replace it with the SQL that it stands for");
  }

  absl::Status Begin(const Marker& marker, std::optional<Section>* section) {
    if (section->has_value()) {
      return Refuse(line_, fmt::format("duplicate marker '{}'", marker.words[0]),
                    "write each direction once");
    }
    Section& begun = section->emplace();
    begun.no_transaction = marker.Has("notransaction") || marker.Has("transaction:false");
    section_ = &begun;
    blank_lines_ = static_cast<size_t>(line_ - 1);
    return absl::OkStatus();
  }

  const std::string_view file_;
  std::string_view tool_;
  int line_ = 0;
  std::string before_;  // the first marker
  Sections sections_;
  Section* section_ = nullptr;
  size_t blank_lines_ = 0;
  bool no_transaction_ = false;
};

}  // namespace

absl::StatusOr<std::optional<Sections>> ReadSections(std::string_view file, std::string_view text) {
  // Most files have none.
  if (text.find("-- +") == std::string_view::npos && text.find("--+") == std::string_view::npos &&
      text.find("migrate:") == std::string_view::npos) {
    return std::nullopt;
  }
  Reader reader(file);
  text = WithoutByteOrderMark(text);
  while (!text.empty()) {
    const size_t length = std::min(text.find_first_of("\r\n"), text.size());
    size_t end = length < text.size() ? 1 : 0;
    if (text.substr(length).starts_with("\r\n")) end = 2;
    absl::Status status = reader.Take(text.substr(0, length), text.substr(length, end));
    if (!status.ok()) return status;
    text.remove_prefix(length + end);
  }
  return reader.End();
}

}  // namespace penstock::migrations
