#include "drivers/postgres/binary.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>

#include "drivers/api/text_forms.h"

namespace penstock::postgres {
namespace {

using driver::Kind;
using driver::Value;

// The server counts from 2000-01-01.
constexpr int64_t kEpochDays = 10'957;
constexpr int64_t kEpochSeconds = kEpochDays * 86'400;
// The years 1 to 9999, in seconds since 1970.
constexpr int64_t kYear1 = -62'135'596'800;
constexpr int64_t kYear10000 = 253'402'300'800;

template <typename T>
bool PutInteger(int64_t value, std::string* out) {
  if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) return false;
  PutBigEndian(uint32_t{sizeof(T)}, out);
  PutBigEndian(static_cast<std::make_unsigned_t<T>>(value), out);
  return true;
}

bool PutBytes(std::string_view bytes, std::string* out) {
  PutBigEndian(static_cast<uint32_t>(bytes.size()), out);
  out->append(bytes);
  return true;
}

bool PutDouble(double value, std::string* out) {
  PutBigEndian(uint32_t{8}, out);
  PutBigEndian(std::bit_cast<uint64_t>(value), out);
  return true;
}

bool PutSingle(double value, std::string* out) {
  const auto single = static_cast<float>(value);
  if (!std::isnan(value) && static_cast<double>(single) != value) return false;
  PutBigEndian(uint32_t{4}, out);
  PutBigEndian(std::bit_cast<uint32_t>(single), out);
  return true;
}

bool PutTimestamp(const Value& value, std::string* out) {
  if (value.nanos % 1000 != 0 || value.integer < kYear1 || value.integer >= kYear10000)
    return false;
  return PutInteger<int64_t>((value.integer - kEpochSeconds) * 1'000'000 + value.nanos / 1000, out);
}

bool PutDate(std::string_view text, std::string* out) {
  if (!driver::IsDate(text)) return false;
  const auto number = [text](size_t at, size_t count) {
    int value = 0;
    std::from_chars(text.data() + at, text.data() + at + count, value);
    return value;
  };
  const std::chrono::year_month_day date{std::chrono::year(number(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return PutInteger<int32_t>(days - kEpochDays, out);
}

bool PutUuid(std::string_view text, std::string* out) {
  if (!driver::IsUuid(text)) return false;
  PutBigEndian(uint32_t{16}, out);
  std::string digits(text);
  std::erase(digits, '-');
  for (size_t i = 0; i < digits.size(); i += 2) {
    unsigned byte = 0;
    std::from_chars(digits.data() + i, digits.data() + i + 2, byte, 16);
    out->push_back(static_cast<char>(byte));
  }
  return true;
}

// Digits by four, and where the point stands among them.
bool PutNumeric(std::string_view text, std::string* out) {
  constexpr size_t kMost = 1000;  // digits of either side: longer ones go as text
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const size_t point = std::min(text.find('.'), text.size());
  std::string whole(text.substr(0, point));
  std::string fraction(text.substr(std::min(point + 1, text.size())));
  const size_t scale = fraction.size();
  if (whole.size() > kMost || scale > kMost || whole.size() + scale == 0) return false;
  whole.insert(0, (4 - whole.size() % 4) % 4, '0');
  fraction.append((4 - scale % 4) % 4, '0');
  auto weight = static_cast<int64_t>(whole.size() / 4) - 1;
  std::string_view digits = whole.append(fraction);
  // Exponents, "NaN" and "Infinity" go as text.
  if (digits.find_first_not_of("0123456789") != std::string_view::npos) return false;
  for (; digits.starts_with("0000"); --weight) digits.remove_prefix(4);
  while (digits.ends_with("0000")) digits.remove_suffix(4);
  if (digits.empty()) weight = 0;
  PutBigEndian(static_cast<uint32_t>(8 + digits.size() / 2), out);
  PutBigEndian(static_cast<uint16_t>(digits.size() / 4), out);
  PutBigEndian(static_cast<uint16_t>(weight), out);
  PutBigEndian(static_cast<uint16_t>(negative && !digits.empty() ? 0x4000 : 0), out);
  PutBigEndian(static_cast<uint16_t>(scale), out);
  for (; !digits.empty(); digits.remove_prefix(4)) {
    uint16_t four = 0;
    std::from_chars(digits.data(), digits.data() + 4, four);
    PutBigEndian(four, out);
  }
  return true;
}

bool PutJson(std::string_view text, bool jsonb, std::string* out) {
  PutBigEndian(static_cast<uint32_t>(text.size() + (jsonb ? 1 : 0)), out);
  if (jsonb) out->push_back(1);  // the version of the form
  out->append(text);
  return true;
}

}  // namespace

bool PutBinary(const Value& value, const Type& type, std::string* out) {
  const auto is = [&value](Kind kind) { return value.kind == kind; };
  switch (type.base) {
    case oid::kBool:
      if (!is(Kind::kBoolean)) return false;
      PutBigEndian(uint32_t{1}, out);
      out->push_back(value.integer != 0 ? 1 : 0);
      return true;
    case oid::kInt8: return is(Kind::kInteger) && PutInteger<int64_t>(value.integer, out);
    case oid::kInt4: return is(Kind::kInteger) && PutInteger<int32_t>(value.integer, out);
    case oid::kInt2: return is(Kind::kInteger) && PutInteger<int16_t>(value.integer, out);
    case oid::kFloat8: return is(Kind::kReal) && PutDouble(value.real, out);
    case oid::kFloat4: return is(Kind::kReal) && PutSingle(value.real, out);
    case oid::kText:
    case oid::kVarchar:
    case oid::kBpchar: return is(Kind::kText) && PutBytes(value.text, out);
    case oid::kBytea: return is(Kind::kBlob) && PutBytes(value.text, out);
    case oid::kTimestamp:
    case oid::kTimestamptz: return is(Kind::kTimestamp) && PutTimestamp(value, out);
    case oid::kDate: return is(Kind::kDate) && PutDate(value.text, out);
    case oid::kUuid: return is(Kind::kUuid) && PutUuid(value.text, out);
    case oid::kNumeric: return is(Kind::kDecimal) && PutNumeric(value.text, out);
    case oid::kJson: return is(Kind::kJson) && PutJson(value.text, /*jsonb=*/false, out);
    case oid::kJsonb: return is(Kind::kJson) && PutJson(value.text, /*jsonb=*/true, out);
    default: return false;
  }
}

bool HasBinaryForm(const Type& type) {
  constexpr uint32_t kTypes[] = {
      oid::kBool, oid::kInt8,    oid::kInt4,    oid::kInt2,  oid::kFloat8,    oid::kFloat4,
      oid::kText, oid::kVarchar, oid::kBpchar,  oid::kBytea, oid::kTimestamp, oid::kTimestamptz,
      oid::kDate, oid::kUuid,    oid::kNumeric, oid::kJson,  oid::kJsonb};
  return std::find(std::begin(kTypes), std::end(kTypes), type.base) != std::end(kTypes);
}

}  // namespace penstock::postgres
