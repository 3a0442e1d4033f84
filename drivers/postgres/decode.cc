#include "drivers/postgres/decode.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "drivers/api/error.h"
#include "drivers/api/text.h"
#include "fmt/format.h"

namespace penstock::postgres {
namespace {

using driver::Kind;
using driver::Value;

absl::Status Unreadable(const Type& type) {
  return driver::MakeError(
      driver::Reason::kDataException,
      fmt::format("the server has sent a value of type {} in a form that cannot be read; is "
                  "bytea_output or DateStyle changed?",
                  type.name));
}

bool ToInteger(std::string_view text, int64_t* value) {
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
  } else {
    const char* end = text.data() + text.size();
    if (single) {
      float narrow = 0;
      const auto [stop, error] = std::from_chars(text.data(), end, narrow);
      *value = narrow;
      return error == std::errc() && stop == end;
    }
    const auto [stop, error] = std::from_chars(text.data(), end, *value);
    return error == std::errc() && stop == end;
  }
  return true;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool ToBytes(std::string_view text, std::string* bytes) {
  if (!text.starts_with("\\x") || text.size() % 2 != 0) return false;
  bytes->resize((text.size() - 2) / 2);
  for (size_t i = 0; i < bytes->size(); ++i) {
    const int high = HexDigit(text[2 + 2 * i]);
    const int low = HexDigit(text[3 + 2 * i]);
    if (high < 0 || low < 0) return false;
    (*bytes)[i] = static_cast<char>(high * 16 + low);
  }
  return true;
}

// Takes "+05", "-03:30" or "+00:19:32" off the end.
bool TakeOffset(std::string_view* text, int64_t* seconds) {
  const size_t sign = text->find_last_of("+-");
  // A minus before the clock belongs to the date.
  if (sign == std::string_view::npos || sign < 11) return false;
  std::string_view digits = text->substr(sign + 1);
  int64_t parts[3] = {0, 0, 0};
  for (int64_t& part : parts) {
    if (digits.empty()) break;
    if (!ToInteger(digits.substr(0, 2), &part)) return false;
    digits.remove_prefix(std::min<size_t>(digits.size(), 2));
    if (digits.starts_with(':')) digits.remove_prefix(1);
  }
  *seconds = (parts[0] * 60 + parts[1]) * 60 + parts[2];
  if ((*text)[sign] == '-') *seconds = -*seconds;
  *text = text->substr(0, sign);
  return digits.empty();
}

// "2024-02-29 12:00:00.5+00", or without an offset: then it is UTC.
bool ToTimestamp(std::string_view text, bool zoned, int64_t* seconds, int32_t* nanos) {
  int64_t offset = 0;
  if (zoned && !TakeOffset(&text, &offset)) return false;
  // Infinity, before Christ, or a year of five digits: not to be had as a number.
  if (!driver::ParseTimestamp(text, seconds, nanos)) return false;
  *seconds -= offset;
  return !driver::FormatTimestamp(*seconds, *nanos).empty();
}

// One value of an array; what it refers to stays in `kept`.
std::optional<Value> ToElement(const Type& type, std::string_view text,
                               std::deque<std::string>* kept) {
  switch (type.kind) {
    case Kind::kBoolean:
      return text == "t" || text == "f" ? std::optional(Value::Boolean(text == "t")) : std::nullopt;
    case Kind::kInteger: {
      int64_t value = 0;
      return ToInteger(text, &value) ? std::optional(Value::Integer(value)) : std::nullopt;
    }
    case Kind::kReal: {
      double value = 0;
      return ToReal(text, type.base == oid::kFloat4, &value) ? std::optional(Value::Real(value))
                                                             : std::nullopt;
    }
    case Kind::kBlob:
      if (!ToBytes(text, &kept->emplace_back())) return std::nullopt;
      return Value::Blob(kept->back());
    case Kind::kTimestamp: {
      int64_t seconds = 0;
      int32_t nanos = 0;
      if (ToTimestamp(text, type.base == oid::kTimestamptz, &seconds, &nanos)) {
        return Value::Timestamp(seconds, nanos);
      }
      return Value::Text(kept->emplace_back(text));
    }
    case Kind::kDate:
      return Value::Of(driver::IsDate(text) ? Kind::kDate : Kind::kText, kept->emplace_back(text));
    default: return Value::Of(type.kind, kept->emplace_back(text));
  }
}

// Reads {1,NULL,"a \"b\""} and {{1,2},{3,4}}.
class ArrayReader {
 public:
  ArrayReader(const Type& element, std::string_view text) : element_(element), rest_(text) {}

  bool Read(std::vector<Value>* elements) { return ReadList(elements) && rest_.empty(); }

 private:
  bool Take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool ReadList(std::vector<Value>* elements) {
    // PostgreSQL's own limit is six.
    if (!Take('{') || ++depth_ > 16) return false;
    while (!Take('}')) {
      if (!elements->empty() && !Take(element_.delimiter)) return false;
      if (!ReadOne(elements)) return false;
    }
    --depth_;
    return true;
  }

  bool ReadOne(std::vector<Value>* elements) {
    if (rest_.starts_with('{')) {
      std::vector<Value>& inner = lists_.emplace_back();
      if (!ReadList(&inner)) return false;
      Value value;
      value.kind = Kind::kArray;
      value.elements = inner;
      elements->push_back(value);
      return true;
    }
    std::string text;
    const bool quoted = rest_.starts_with('"');
    if (!(quoted ? ReadQuoted(&text) : ReadBare(&text))) return false;
    if (!quoted && text == "NULL") {
      elements->push_back(Value::Null());
      return true;
    }
    const std::optional<Value> value = ToElement(element_, text, &kept_);
    if (value.has_value()) elements->push_back(*value);
    return value.has_value();
  }

  bool ReadQuoted(std::string* text) {
    rest_.remove_prefix(1);
    while (!rest_.empty() && rest_.front() != '"') {
      if (rest_.front() == '\\') rest_.remove_prefix(1);
      if (rest_.empty()) return false;
      *text += rest_.front();
      rest_.remove_prefix(1);
    }
    return Take('"');
  }

  bool ReadBare(std::string* text) {
    while (!rest_.empty() && rest_.front() != '}' && rest_.front() != element_.delimiter) {
      if (rest_.front() == '\\') rest_.remove_prefix(1);
      if (rest_.empty()) return false;
      *text += rest_.front();
      rest_.remove_prefix(1);
    }
    return !text->empty();
  }

  const Type& element_;
  std::string_view rest_;
  int depth_ = 0;
  // What the values refer to; a deque leaves what it has where it is.
  std::deque<std::string> kept_;
  std::deque<std::vector<Value>> lists_;
};

absl::Status WriteText(const Type& type, Kind kind, std::string_view text,
                       driver::RowWriter* writer) {
  // A server whose encoding is SQL_ASCII sends what it was given.
  if (!driver::IsUtf8(text)) {
    return driver::MakeErrorWithHint(
        driver::Reason::kDataException,
        fmt::format("a value of type {} is not valid UTF-8", type.name),
        "the database's encoding is SQL_ASCII; convert the value with convert_from, or read it as "
        "bytea");
  }
  writer->Bytes(kind, text);
  return absl::OkStatus();
}

absl::Status WriteArray(const Type& type, std::string_view text, driver::RowWriter* writer) {
  // "[2:3]={…}": bounds of its own have no place in a list.
  if (text.starts_with('[')) return WriteText(type, Kind::kText, text, writer);
  if (!driver::IsUtf8(text)) return WriteText(type, Kind::kText, text, writer);
  std::vector<Value> elements;
  ArrayReader reader(*type.element, text);
  if (!reader.Read(&elements)) return Unreadable(type);
  writer->Array(elements);
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteValue(const Type& type, std::string_view text, driver::RowWriter* writer) {
  switch (type.kind) {
    case Kind::kInteger: {
      int64_t value = 0;
      if (!ToInteger(text, &value)) return Unreadable(type);
      writer->Integer(value);
      return absl::OkStatus();
    }
    case Kind::kReal: {
      double value = 0;
      if (!ToReal(text, type.base == oid::kFloat4, &value)) return Unreadable(type);
      writer->Real(value);
      return absl::OkStatus();
    }
    case Kind::kBoolean:
      if (text != "t" && text != "f") return Unreadable(type);
      writer->Boolean(text == "t");
      return absl::OkStatus();
    case Kind::kBlob: {
      std::string bytes;
      if (!ToBytes(text, &bytes)) return Unreadable(type);
      writer->Bytes(Kind::kBlob, bytes);
      return absl::OkStatus();
    }
    case Kind::kTimestamp: {
      int64_t seconds = 0;
      int32_t nanos = 0;
      if (!ToTimestamp(text, type.base == oid::kTimestamptz, &seconds, &nanos)) {
        return WriteText(type, Kind::kText, text, writer);
      }
      writer->Timestamp(seconds, nanos);
      return absl::OkStatus();
    }
    case Kind::kDate:
      return WriteText(type, driver::IsDate(text) ? Kind::kDate : Kind::kText, text, writer);
    case Kind::kArray: return WriteArray(type, text, writer);
    default: return WriteText(type, type.kind, text, writer);
  }
}

}  // namespace penstock::postgres
