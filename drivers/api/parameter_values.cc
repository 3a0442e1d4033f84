// The values of parameters, as a backend may show them in an error.
#include <algorithm>
#include <bitset>
#include <cstddef>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "drivers/api/hidden_values.h"
#include "drivers/api/text_forms.h"
#include "fmt/format.h"
#include "text/string_views.h"

namespace penstock::driver {
namespace {

using absl::ascii_tolower;

// Which two bytes follow each other in a text: most values of a large load do not even
// begin as something that is in it.
class Pairs {
 public:
  explicit Pairs(std::string_view text) {
    for (size_t i = 0; i < text.size(); ++i) {
      any_.set(static_cast<unsigned char>(ascii_tolower(text[i])));
      if (i > 0) pairs_.set(Index(text[i - 1], text[i]));
    }
  }
  bool MayHave(std::string_view value) const {
    if (value.empty()) return false;
    if (value.size() == 1) return any_.test(static_cast<unsigned char>(ascii_tolower(value[0])));
    return pairs_.test(Index(value[0], value[1]));
  }

 private:
  static size_t Index(char a, char b) {
    return static_cast<size_t>(static_cast<unsigned char>(ascii_tolower(a))) << 8 |
           static_cast<unsigned char>(ascii_tolower(b));
  }
  std::bitset<256> any_;
  std::bitset<size_t{256} << 8> pairs_;
};

std::string Hex(std::string_view bytes) { return "\\x" + absl::BytesToHexString(ToAbsl(bytes)); }

// The texts that stand for a value. That something is true or false gives nothing away.
template <typename Visit>
void VisitTexts(const Value& value, const Visit& visit) {
  switch (value.kind) {
    case Kind::kUnspecified:
    case Kind::kBoolean: return;
    case Kind::kInteger: return visit(fmt::format("{}", value.integer));
    case Kind::kReal: return visit(fmt::format("{}", value.real));
    case Kind::kTimestamp: {
      // The text has two forms: the one that is stored, and one without the T and the zone.
      std::string text = FormatTimestamp(value.integer, value.nanos);
      visit(text);
      std::replace(text.begin(), text.end(), 'T', ' ');
      return visit(text.substr(0, text.find_last_of("0123456789") + 1));
    }
    case Kind::kBlob: visit(value.text); return visit(Hex(value.text));
    case Kind::kArray:
      for (const Value& element : value.elements) VisitTexts(element, visit);
      return;
    default: return visit(value.text);
  }
}

bool HasLetterOrDigit(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return c < 0 || absl::ascii_isalnum(c); });
}

bool Contains(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(), [](char a, char b) {
           return ascii_tolower(a) == ascii_tolower(b);
         }) != text.end();
}

// Not as a part of a longer word.
bool HasWord(std::string_view sql, std::string_view word) {
  const auto same = [](char a, char b) { return ascii_tolower(a) == ascii_tolower(b); };
  const auto joins = [](std::string_view c) { return c == "_" || HasLetterOrDigit(c); };
  for (auto at = sql.begin();; ++at) {
    at = std::search(at, sql.end(), word.begin(), word.end(), same);
    if (at == sql.end()) return false;
    const auto begin = static_cast<size_t>(at - sql.begin());
    const size_t end = begin + word.size();
    const bool joined = (begin > 0 && joins(sql.substr(begin - 1, 1))) ||
                        (end < sql.size() && joins(sql.substr(end, 1)));
    if (!joined) return true;
  }
}

}  // namespace

template <typename Visit>
void ParameterValues::ForEach(const Visit& visit) const {
  const auto each = [&visit](std::span<const Value> values) {
    for (size_t i = 0; i < values.size(); ++i) {
      VisitTexts(values[i], [&visit, i](std::string_view text) { visit(text, i + 1); });
    }
  };
  each(args_);
  for (const std::vector<Value>& row : rows_) each(row);
}

std::vector<HiddenValue> ParameterValues::In(std::string_view text) const {
  const Pairs pairs(text);
  std::vector<HiddenValue> values;
  ForEach([&](std::string_view value, size_t number) {
    if (!pairs.MayHave(value)) return;
    // A long value may have been cut off, so its beginning is looked for as well.
    if (!Contains(text, value.substr(0, 20))) return;
    values.push_back({std::string(value), fmt::format("${}", number)});
  });
  return values;
}

std::string ParameterValues::HideParts(std::string text, std::string_view sql,
                                       std::span<const std::string_view> names) const {
  for (const auto& [open, close] : kQuotes) {
    for (size_t begin = text.find(open); begin != text.npos;) {
      begin += open.size();
      const size_t end = text.find(close, begin);
      if (end == text.npos) break;
      const std::string part = text.substr(begin, end - begin);
      size_t of = 0;
      if (HasLetterOrDigit(part) && std::find(names.begin(), names.end(), part) == names.end() &&
          !HasWord(sql, part)) {
        ForEach([&](std::string_view value, size_t number) {
          if (of == 0 && Contains(value, part)) of = number;
        });
      }
      const std::string shown = of == 0 ? part : fmt::format("${}", of);
      text.replace(begin, part.size(), shown);
      begin = text.find(open, begin + shown.size() + close.size());
    }
  }
  return text;
}

std::string ParameterValues::Hide(std::string_view text, std::string_view sql,
                                  std::span<const std::string_view> names, bool parts) const {
  if (text.empty() || (args_.empty() && rows_.empty())) return std::string(text);
  const std::vector<HiddenValue> values = In(text);
  std::string hidden = values.empty() ? std::string(text) : HideValues(text, values, names);
  return parts ? HideParts(std::move(hidden), sql, names) : hidden;
}

}  // namespace penstock::driver
