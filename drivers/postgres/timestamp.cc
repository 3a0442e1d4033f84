#include "drivers/postgres/timestamp.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>

#include "drivers/api/text_forms.h"
#include "fmt/format.h"

namespace penstock::postgres {
namespace {

// The years 1 to 9999, in seconds since 1970.
constexpr int64_t kYear1 = -62'135'596'800;
constexpr int64_t kYear10000 = 253'402'300'800;
// The calendar begins anew after so many years.
constexpr int64_t kCycleYears = 400;
constexpr int64_t kCycleSeconds = int64_t{146'097} * 86'400;

bool ToNumber(std::string_view digits, int64_t* value) {
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, *value);
  return error == std::errc() && stop == end && *value >= 0;
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
    if (!ToNumber(digits.substr(0, 2), &part)) return false;
    digits.remove_prefix(std::min<size_t>(digits.size(), 2));
    if (digits.starts_with(':')) digits.remove_prefix(1);
  }
  *seconds = (parts[0] * 60 + parts[1]) * 60 + parts[2];
  if ((*text)[sign] == '-') *seconds = -*seconds;
  *text = text->substr(0, sign);
  return digits.empty();
}

// One of a year that the zone has put outside of 1 to 9999: read as the same day of another
// cycle.
bool ReadOfOtherYear(std::string_view text, bool before_christ, int64_t* seconds, int32_t* nanos) {
  const size_t end = text.find('-');
  int64_t year = 0;
  // No zone is further away than the year next to them.
  if (end == std::string_view::npos || end > 5 || !ToNumber(text.substr(0, end), &year)) {
    return false;
  }
  if (before_christ) year = 1 - year;
  const int64_t cycles = (year + kCycleYears) / kCycleYears - 6;
  const std::string same = fmt::format("{:04}{}", year - cycles * kCycleYears, text.substr(end));
  if (!driver::ParseTimestamp(same, seconds, nanos)) return false;
  *seconds += cycles * kCycleSeconds;
  return true;
}

}  // namespace

bool ReadTimestamp(std::string_view text, bool zoned, int64_t* seconds, int32_t* nanos) {
  constexpr std::string_view kBeforeChrist = " BC";
  const bool before_christ = text.ends_with(kBeforeChrist);
  if (before_christ) text.remove_suffix(kBeforeChrist.size());
  int64_t offset = 0;
  if (zoned && !TakeOffset(&text, &offset)) return false;
  if (before_christ || !driver::ParseTimestamp(text, seconds, nanos)) {
    if (!ReadOfOtherYear(text, before_christ, seconds, nanos)) return false;
  }
  *seconds -= offset;
  return *seconds >= kYear1 && *seconds < kYear10000;
}

}  // namespace penstock::postgres
