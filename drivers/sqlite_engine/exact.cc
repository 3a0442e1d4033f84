#include "drivers/sqlite_engine/exact.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <iterator>

#include "drivers/api/text_forms.h"
#include "drivers/sqlite_engine/json.h"

namespace penstock::sqlite_engine {
namespace {

using driver::IsDecimal;
using driver::Kind;
using driver::Value;

constexpr Stores kNumeric = kAsNumber | kAsReal;

// Any decimal of so many significant digits is the shortest of some double, within the
// exponents that KeepsDecimal allows.
constexpr size_t kDigits = 15;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Removes the white space that SQLite skips around a number.
std::string_view TrimSpace(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

// SQLite would take the text for a number. The first character decides it for nearly
// every text.
bool LooksLikeNumber(std::string_view text) {
  if (text.empty()) return false;
  const char c = text.front();
  const bool may =
      IsDigit(c) || c == '-' || c == '+' || c == '.' || c == ' ' || (c >= '\t' && c <= '\r');
  return may && IsDecimal(TrimSpace(text));
}

// The number that a JSON document consists of; empty: it is no number.
std::string_view JsonNumber(std::string_view text) {
  const std::string_view number = TrimJson(text);
  return IsDecimal(number) && IsJson(text) ? number : std::string_view();
}

std::optional<int64_t> ParseWhole(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int64_t whole = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, whole);
  if (error != std::errc() || stop != end) return std::nullopt;
  return whole;
}

double ParseReal(std::string_view text) { return std::strtod(std::string(text).c_str(), nullptr); }

bool FitsReal(int64_t whole) {
  constexpr int64_t kExact = int64_t{1} << 53;
  if (whole >= -kExact && whole <= kExact) return true;
  // A double may be 2^63, which no integer is.
  const auto real = static_cast<double>(whole);
  return real < 9223372036854775808.0 && static_cast<int64_t>(real) == whole;
}

// No other text without an exponent stands for its number: -0, 1.50 and 007 are not so, nor
// is a whole number that SQLite has as a real.
bool IsCanonical(std::string_view text) {
  const size_t point = text.find('.');
  if (point == std::string_view::npos && !ParseWhole(text).has_value()) return false;
  if (text == "-0" || (point != std::string_view::npos && text.back() == '0')) return false;
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  const std::string_view whole = digits.substr(0, digits.find('.'));
  return !whole.empty() && std::all_of(whole.begin(), whole.end(), IsDigit) &&
         (whole.size() == 1 || whole.front() != '0') && IsDigit(text.back()) &&
         text.find_first_of("eE") == std::string_view::npos;
}

// SQLite's own conversion of a text divides in extended precision and rounds twice, which
// is right for certain up to three digits behind the point only: '860.100797' becomes
// 860.1007970000001.
bool SqliteReadsRight(std::string_view text) {
  constexpr size_t kMaxScale = 3;
  if (ParseWhole(text).has_value()) return true;
  const size_t point = text.find('.');
  return point != std::string_view::npos && text.size() - point - 1 <= kMaxScale &&
         text.find_first_of("eE") == std::string_view::npos;
}

// A text that is the number `number`, in columns that make it one and perhaps in others.
std::optional<Value> NumberToBind(const Value& value, std::string_view number, Stores stores) {
  const std::optional<int64_t> whole = ParseWhole(number);
  const bool fits =
      whole.has_value() ? (stores & kAsReal) == 0 || FitsReal(*whole) : KeepsDecimal(number);
  if (!fits) return std::nullopt;
  if ((stores & (kVerbatim | kAsText)) == 0) {
    return whole.has_value() ? Value::Integer(*whole) : Value::Real(ParseReal(number));
  }
  // The other columns keep a text only, and these are left to SQLite.
  if (!SqliteReadsRight(number)) return std::nullopt;
  return value;
}

std::optional<Value> TextToBind(const Value& value, Stores stores) {
  if ((stores & kNumeric) == 0 || !LooksLikeNumber(value.text)) return value;
  std::string_view number = value.text;
  // So SQLite writes a whole number of a REAL column.
  if ((stores & kAsNumber) == 0 && number.ends_with(".0")) number.remove_suffix(2);
  if (!IsCanonical(number)) return std::nullopt;
  const std::optional<Value> kept = NumberToBind(value, number, stores);
  // If possible it remains a text for whatever else it is used for.
  return kept.has_value() && SqliteReadsRight(number) ? value : kept;
}

// A decimal or JSON that is the number `number`.
std::optional<Value> DecimalToBind(const Value& value, std::string_view number, Stores stores) {
  if ((stores & kNumeric) != 0) return NumberToBind(value, number, stores);
  if (stores != kNowhere) return value;
  // It is a number where it is compared and reckoned with, as far as SQLite has such.
  const std::optional<Value> kept = NumberToBind(value, number, kAsNumber);
  return kept.has_value() ? kept : value;
}

// SQLite's text of the real, which has 15 digits, is the real's.
bool HasExactText(double real) {
  // Nearly all have few places, and are the nearest real to a decimal of 15 digits.
  constexpr double kScale = 1e4;
  const double scaled = real * kScale;
  if (std::abs(scaled) < 1e15 && scaled == std::trunc(scaled) && scaled / kScale == real) {
    return true;
  }
  return std::isfinite(real) && KeepsDecimal(RealText(real));
}

}  // namespace

bool IsKeptAnywhere(const Value& value) {
  switch (value.kind) {
    case Kind::kInteger: return FitsReal(value.integer);
    case Kind::kReal: return HasExactText(value.real) || std::isnan(value.real);
    case Kind::kText: return TextToBind(value, kAnywhere).has_value();
    case Kind::kDecimal: return !IsDecimal(value.text);
    case Kind::kJson: return JsonNumber(value.text).empty();
    default: return true;
  }
}

std::optional<Value> ToBind(const Value& value, Stores stores) {
  switch (value.kind) {
    case Kind::kInteger:
      if ((stores & kAsReal) != 0 && !FitsReal(value.integer)) return std::nullopt;
      return value;
    case Kind::kReal:
      if ((stores & kAsText) != 0 && !HasExactText(value.real)) return std::nullopt;
      return value;
    case Kind::kText: return TextToBind(value, stores);
    case Kind::kDecimal:
      return IsDecimal(value.text) ? DecimalToBind(value, value.text, stores) : value;
    case Kind::kJson: {
      const std::string_view number = JsonNumber(value.text);
      return number.empty() ? value : DecimalToBind(value, number, stores);
    }
    default: return value;
  }
}

Loss LossOf(Kind kind) {
  switch (kind) {
    case Kind::kInteger:
      return {"round this integer to a real", "declare the column INTEGER or NUMERIC"};
    case Kind::kReal:
      return {"keep only 15 digits of this real",
              "declare the column REAL, or send the digits as text"};
    case Kind::kText:
      return {"store this text as a number, which changes its form",
              "declare the column TEXT, or send a number"};
    default:
      return {"round this number: SQLite keeps 15 significant digits",
              "send it as text and store it in a column declared TEXT"};
  }
}

bool KeepsDecimal(std::string_view text) {
  // The usual case.
  if (text.size() <= kDigits && text.find_first_of("eE") == std::string_view::npos) return true;
  if (ParseWhole(text).has_value()) return true;
  constexpr double kLargest = 1e300;
  constexpr double kSmallest = 1e-290;
  const std::string_view mantissa = text.substr(0, text.find_first_of("eE"));
  std::string digits;
  std::copy_if(mantissa.begin(), mantissa.end(), std::back_inserter(digits), IsDigit);
  digits.erase(0, digits.find_first_not_of('0'));
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.empty()) return true;  // zero
  const double magnitude = std::abs(ParseReal(text));
  return digits.size() <= kDigits && magnitude < kLargest && magnitude > kSmallest;
}

std::string RealText(double value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), value);
  return std::string(buffer, end);
}

}  // namespace penstock::sqlite_engine
