#include "drivers/postgres/scalar.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <system_error>

#include "drivers/api/text_forms.h"
#include "drivers/postgres/timestamp.h"
#include "text/utf8.h"

namespace penstock::postgres {
namespace {

using driver::Kind;
using driver::Value;

template <typename T>
bool ToNumber(std::string_view text, T* value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *value);
  return error == std::errc() && stop == end;
}

// `single`: the shortest text of a float, which is not that of the same double.
bool ToReal(std::string_view text, bool single, double* value) {
  if (text == "NaN") {
    *value = std::numeric_limits<double>::quiet_NaN();
  } else if (text == "Infinity" || text == "-Infinity") {
    *value = text[0] == '-' ? -HUGE_VAL : HUGE_VAL;
  } else if (single) {
    float narrow = 0;
    if (!ToNumber(text, &narrow)) return false;
    *value = narrow;
  } else {
    return ToNumber(text, value);
  }
  return true;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool FromHex(std::string_view digits, std::string* bytes) {
  if (digits.size() % 2 != 0) return false;
  bytes->resize(digits.size() / 2);
  for (size_t i = 0; i < bytes->size(); ++i) {
    const int high = HexDigit(digits[2 * i]);
    const int low = HexDigit(digits[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    (*bytes)[i] = static_cast<char>(high * 16 + low);
  }
  return true;
}

// bytea_output = escape: "\\" is a backslash, "\ooo" a byte in octal digits.
bool FromEscapes(std::string_view text, std::string* bytes) {
  bytes->clear();
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  while (!text.empty()) {
    size_t length = 1;
    if (text[0] != '\\') {
      bytes->push_back(text[0]);
    } else if (text.size() >= 2 && text[1] == '\\') {
      bytes->push_back('\\');
      length = 2;
    } else if (text.size() >= 4 && text[1] <= '3' && octal(text[1]) && octal(text[2]) &&
               octal(text[3])) {
      bytes->push_back(
          static_cast<char>((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0')));
      length = 4;
    } else {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

// No text of escapes begins so, because its backslash would be doubled.
bool IsHex(std::string_view text) { return text.starts_with("\\x"); }

bool ToBytes(std::string_view text, std::string* bytes) {
  return IsHex(text) ? FromHex(text.substr(2), bytes) : FromEscapes(text, bytes);
}

bool ToTextOf(Kind kind, std::string_view text, Value* value) {
  // A server whose encoding is SQL_ASCII sends what it was given.
  value->kind = kind;
  value->text = text;
  return IsUtf8(text);
}

bool IsNumeric(std::string_view text) {
  return driver::IsDecimal(text) || text == "NaN" || text == "Infinity" || text == "-Infinity";
}

// "24:00:00" and offsets of seconds are the server's own.
bool IsClock(std::string_view text) {
  return text.size() >= 8 && text.find_first_not_of("0123456789:.+-") == std::string_view::npos;
}

bool ToTimestampOrText(const Type& type, std::string_view text, Value* value) {
  int64_t seconds = 0;
  int32_t nanos = 0;
  if (!ReadTimestamp(text, type.base == oid::kTimestamptz, &seconds, &nanos)) {
    return ToTextOf(Kind::kText, text, value);
  }
  value->kind = Kind::kTimestamp;
  value->integer = seconds;
  value->nanos = nanos;
  return true;
}

}  // namespace

bool ReadScalar(const Type& type, std::string_view text, std::string* kept, Value* value) {
  // Field by field: this is done for every value of every result.
  value->kind = type.kind;
  switch (type.kind) {
    case Kind::kBoolean: value->integer = text == "t" ? 1 : 0; return text == "t" || text == "f";
    case Kind::kInteger: return ToNumber(text, &value->integer);
    case Kind::kReal: return ToReal(text, type.base == oid::kFloat4, &value->real);
    case Kind::kBlob:
      if (!ToBytes(text, kept)) return false;
      value->text = *kept;
      return true;
    case Kind::kTimestamp: return ToTimestampOrText(type, text, value);
    case Kind::kDate:
      return ToTextOf(driver::IsDate(text) ? Kind::kDate : Kind::kText, text, value);
    case Kind::kInterval:
      return ToTextOf(driver::IsInterval(text) ? Kind::kInterval : Kind::kText, text, value);
    case Kind::kDecimal:
      if (!IsNumeric(text)) return false;
      if (driver::IsDecimal(text) && !driver::IsPlainDecimal(text)) {
        // CockroachDB's way to write a large or a small one.
        *kept = driver::PlainDecimal(text);
        text = *kept;
      }
      return ToTextOf(type.kind, text, value);
    case Kind::kUuid: return driver::IsUuid(text) && ToTextOf(type.kind, text, value);
    case Kind::kTime: return IsClock(text) && ToTextOf(type.kind, text, value);
    default: return ToTextOf(type.kind, text, value);
  }
}

size_t ContentBytes(const Type& type, std::string_view text) {
  return type.kind == Kind::kBlob && IsHex(text) ? (text.size() - 2) / 2 : text.size();
}

}  // namespace penstock::postgres
