// sqllogictest's format: https://sqlite.org/sqllogictest/doc/trunk/about.wiki
#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

#include "tests/differential/script.h"

namespace penstock::differential {
namespace {

using Outcome = Expectation::Outcome;
using Sort = Expectation::Sort;

std::vector<std::string> Words(const std::string& line) {
  std::istringstream stream(line.substr(0, line.find('#')));
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

class LogicReader {
 public:
  LogicReader(std::string_view text, std::string_view name) : rest_(text), name_(name) {}

  Script Read() {
    while (!halted_ && NextLine()) {
      if (line_.empty() || line_[0] == '#') continue;
      ReadRecord(Words(line_));
    }
    return std::move(script_);
  }

 private:
  // The next line is `line_`, without what ends it.
  bool NextLine() {
    if (rest_.empty()) return false;
    const size_t end = rest_.find('\n');
    line_ = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    if (line_.ends_with('\r')) line_.pop_back();
    ++number_;
    return true;
  }

  void ReadRecord(const std::vector<std::string>& words) {
    if (words.empty()) return;
    const std::string& kind = words[0];
    const std::string what = words.size() > 1 ? words[1] : "";
    if (kind == "skipif" || kind == "onlyif") {
      skip_ = skip_ || (what == name_) == (kind == "skipif");
      return;
    }
    // Conditions are of the next record alone.
    const bool skip = std::exchange(skip_, false);
    if (kind == "statement") {
      Record record = ReadStatement(what);
      Add(std::move(record), skip);
    } else if (kind == "query") {
      Record record = ReadQuery(words);
      Add(std::move(record), skip);
    } else if (kind == "halt") {
      halted_ = !skip;
    } else if (kind != "hash-threshold") {
      // Of other programs' dialects of the format: loops, includes, …
      ++script_.left_out["records of the unknown kind '" + kind + "'"];
      while (NextLine() && !line_.empty()) {
      }
    }
  }

  void Add(Record record, bool skip) {
    if (skip) {
      ++script_.left_out["records of other backends"];
    } else {
      script_.records.push_back(std::move(record));
    }
  }

  // The lines up to an empty one or "----"; true: it was the latter.
  bool ReadSqlLines(Record* record) {
    record->line = number_ + 1;
    while (NextLine() && !line_.empty()) {
      if (line_ == "----") return true;
      record->sql += (record->sql.empty() ? "" : "\n") + line_;
    }
    return false;
  }

  std::vector<std::string> ReadResults() {
    std::vector<std::string> lines;
    while (NextLine() && !line_.empty()) lines.push_back(line_);
    return lines;
  }

  Record ReadStatement(const std::string& outcome) {
    Record record;
    record.expected.outcome = outcome == "error" ? Outcome::kError : Outcome::kSuccess;
    // What some dialects have behind "----" is the text of an error.
    if (ReadSqlLines(&record)) ReadResults();
    return record;
  }

  // query <types> [nosort|rowsort|valuesort] [label], or query error
  Record ReadQuery(const std::vector<std::string>& words) {
    Record record;
    Expectation& expected = record.expected;
    const bool fails = words.size() > 1 && words[1] == "error";
    expected.outcome = fails ? Outcome::kError : Outcome::kRows;
    if (!fails && words.size() > 1) expected.types = words[1];
    if (words.size() > 2 && words[2] == "rowsort") expected.sort = Sort::kRows;
    if (words.size() > 2 && words[2] == "valuesort") expected.sort = Sort::kValues;
    const bool has_results = ReadSqlLines(&record);
    if (has_results) expected.lines = ReadResults();
    // Without "----" the file does not say what the rows are.
    if (!has_results && !fails) expected.outcome = Outcome::kNone;
    return record;
  }

  std::string_view rest_;
  const std::string_view name_;
  std::string line_;
  int number_ = 0;
  bool skip_ = false;
  bool halted_ = false;
  Script script_;
};

}  // namespace

Script ReadLogic(std::string_view text, std::string_view name) {
  return LogicReader(text, name).Read();
}

}  // namespace penstock::differential
