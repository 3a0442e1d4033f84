#include "tests/differential/postgres_value.h"

#include <bit>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include "drivers/api/text_forms.h"
#include "fmt/format.h"

namespace penstock::differential {
namespace {

template <typename Number>
bool Parse(std::string_view text, Number* number) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *number);
  return error == std::errc() && stop == end;
}

bool SameReal(std::string_view own, double gateways) {
  const auto same = [&](double value) {
    return std::bit_cast<uint64_t>(value) == std::bit_cast<uint64_t>(gateways) ||
           (value != value && gateways != gateways);
  };
  double wide = 0;
  float narrow = 0;
  return (Parse(own, &wide) && same(wide)) || (Parse(own, &narrow) && same(double{narrow}));
}

std::string Hex(std::string_view bytes) {
  std::string text = "\\x";
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

// The bytes that the form of bytea_output = 'escape' stands for; false: it is not of that form.
bool ReadEscaped(std::string_view text, std::string* bytes) {
  while (!text.empty()) {
    size_t taken = 1;
    int code = static_cast<unsigned char>(text[0]);
    if (text.starts_with("\\\\")) {
      taken = 2;
    } else if (text[0] == '\\') {
      const std::string_view digits = text.substr(1, 3);
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), code, 8);
      if (error != std::errc() || end != digits.data() + 3) return false;
      taken = 4;
    }
    *bytes += static_cast<char>(code);
    text.remove_prefix(taken);
  }
  return true;
}

bool SameBytes(std::string_view own, std::string_view gateways) {
  std::string bytes;
  return own == Hex(gateways) || (ReadEscaped(own, &bytes) && bytes == gateways);
}

// "+02", "-03:30": what the server's zone is ahead of UTC, cut off the text's end.
int64_t TakeOffset(std::string_view* own) {
  const size_t sign = own->find_last_of("+-");
  // The last one of a date is before the hours.
  if (sign == std::string_view::npos || own->find(':') > sign) return 0;
  int64_t offset = 0;
  int64_t unit = 3600;
  for (size_t at = sign + 1; at + 2 <= own->size() && unit > 0; at += 3, unit /= 60) {
    int64_t part = 0;
    if (!Parse(own->substr(at, 2), &part)) return 0;
    offset += part * unit;
  }
  if ((*own)[sign] == '-') offset = -offset;
  *own = own->substr(0, sign);
  return offset;
}

bool SameTimestamp(std::string_view own, const google::protobuf::Timestamp& gateways) {
  const int64_t offset = TakeOffset(&own);
  int64_t seconds = 0;
  int32_t nanos = 0;
  return driver::ParseTimestamp(own, &seconds, &nanos) && seconds - offset == gateways.seconds() &&
         nanos == gateways.nanos();
}

// Reads a printed array beside a list.
class ArrayReader {
 public:
  ArrayReader(std::string_view text, char delimiter) : rest_(text), delimiter_(delimiter) {}

  bool Same(const v1::ValueList& list) { return SameList(list) && rest_.empty(); }

 private:
  bool Take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool SameList(const v1::ValueList& list) {
    if (!Take('{')) return false;
    for (int i = 0; i < list.values_size(); ++i) {
      if (i > 0 && !Take(delimiter_)) return false;
      if (!SameElement(list.values(i))) return false;
    }
    return Take('}');
  }

  bool SameElement(const v1::Value& element) {
    // Of a domain over arrays they are printed in quotes, as texts are.
    if (element.has_array() && rest_.starts_with('{')) return SameList(element.array());
    v1::Value own;
    const bool quoted = Take('"');
    std::string* text = own.mutable_text();
    while (!rest_.empty() &&
           (quoted ? rest_[0] != '"' : rest_[0] != '}' && rest_[0] != delimiter_)) {
      if (rest_[0] == '\\') rest_.remove_prefix(1);
      if (rest_.empty()) return false;
      *text += rest_[0];
      rest_.remove_prefix(1);
    }
    if (quoted && !Take('"')) return false;
    if (!quoted && *text == "NULL") own.set_null(google::protobuf::NULL_VALUE);
    return SamePostgresValue(own, element);
  }

  std::string_view rest_;
  const char delimiter_;
};

}  // namespace

bool SamePostgresValue(const v1::Value& own, const v1::Value& gateways) {
  if (own.has_null() || gateways.has_null()) return own.has_null() && gateways.has_null();
  const std::string& text = own.text();
  switch (gateways.kind_case()) {
    case v1::Value::kBoolean: return text == (gateways.boolean() ? "t" : "f");
    case v1::Value::kInteger: return text == fmt::format("{}", gateways.integer());
    case v1::Value::kReal: return SameReal(text, gateways.real());
    case v1::Value::kText: return text == gateways.text();
    case v1::Value::kBlob: return SameBytes(text, gateways.blob());
    case v1::Value::kDecimal: return text == gateways.decimal();
    case v1::Value::kTimestamp: return SameTimestamp(text, gateways.timestamp());
    case v1::Value::kDate: return text == gateways.date();
    case v1::Value::kTime: return text == gateways.time();
    case v1::Value::kInterval: return text == gateways.interval();
    case v1::Value::kUuid: return text == gateways.uuid();
    case v1::Value::kJson: return text == gateways.json();
    // box alone has another delimiter.
    case v1::Value::kArray:
      return ArrayReader(text, ',').Same(gateways.array()) ||
             ArrayReader(text, ';').Same(gateways.array());
    default: return false;
  }
}

}  // namespace penstock::differential
