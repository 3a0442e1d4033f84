#include "drivers/api/text_forms.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "absl/strings/ascii.h"
#include "fmt/format.h"

namespace penstock::driver {
namespace {

// The limits of a timestamp, in seconds since 1970.
constexpr int64_t kYear1 = -62'135'596'800;
constexpr int64_t kYear10000 = 253'402'300'800;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes exactly `count` digits off the front.
bool TakeDigits(std::string_view* text, size_t count, int* value) {
  if (text->size() < count) return false;
  const std::string_view digits = text->substr(0, count);
  if (!std::all_of(digits.begin(), digits.end(), IsDigit)) return false;
  std::from_chars(digits.data(), digits.data() + count, *value);
  text->remove_prefix(count);
  return true;
}

bool Take(std::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

size_t TakeAllDigits(std::string_view* text) {
  const size_t count =
      static_cast<size_t>(std::find_if_not(text->begin(), text->end(), IsDigit) - text->begin());
  text->remove_prefix(count);
  return count;
}

bool TakeDate(std::string_view* text, std::chrono::year_month_day* date) {
  int year = 0;
  int month = 0;
  int day = 0;
  if (!TakeDigits(text, 4, &year) || !Take(text, '-') || !TakeDigits(text, 2, &month) ||
      !Take(text, '-') || !TakeDigits(text, 2, &day)) {
    return false;
  }
  *date = std::chrono::year(year) / month / day;
  return year >= 1 && date->ok();
}

// HH:MM:SS[.fraction]
bool TakeClock(std::string_view* text, int* second_of_day, int32_t* nanos) {
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!TakeDigits(text, 2, &hour) || !Take(text, ':') || !TakeDigits(text, 2, &minute) ||
      !Take(text, ':') || !TakeDigits(text, 2, &second)) {
    return false;
  }
  *nanos = 0;
  if (Take(text, '.')) {
    const std::string_view rest = *text;
    const size_t digits = TakeAllDigits(text);
    if (digits == 0 || digits > 9) return false;
    std::from_chars(rest.data(), rest.data() + digits, *nanos);
    for (size_t i = digits; i < 9; ++i) *nanos *= 10;
  }
  *second_of_day = (hour * 60 + minute) * 60 + second;
  return hour < 24 && minute < 60 && second < 60;
}

// Z, ±HH:MM or nothing.
bool TakeOffset(std::string_view* text, int* seconds) {
  *seconds = 0;
  if (text->empty() || Take(text, 'Z')) return true;
  const bool minus = text->front() == '-';
  if (!minus && text->front() != '+') return false;
  text->remove_prefix(1);
  int hours = 0;
  int minutes = 0;
  if (!TakeDigits(text, 2, &hours) || !Take(text, ':') || !TakeDigits(text, 2, &minutes)) {
    return false;
  }
  *seconds = (hours * 60 + minutes) * 60 * (minus ? -1 : 1);
  return hours < 24 && minutes < 60;
}

// Numbers, each with one of the units, in their order: "1Y2M". False: none.
bool TakeParts(std::string_view* text, std::string_view units) {
  bool found = false;
  for (const char unit : units) {
    std::string_view rest = *text;
    if (!Take(&rest, '-')) Take(&rest, '+');
    if (TakeAllDigits(&rest) == 0) break;
    if (Take(&rest, '.') && TakeAllDigits(&rest) == 0) break;
    if (!Take(&rest, unit)) continue;
    *text = rest;
    found = true;
  }
  return found;
}

}  // namespace

bool IsDate(std::string_view text) {
  std::chrono::year_month_day date;
  return TakeDate(&text, &date) && text.empty();
}

bool IsTime(std::string_view text) {
  int second_of_day = 0;
  int32_t nanos = 0;
  int offset = 0;
  return TakeClock(&text, &second_of_day, &nanos) && TakeOffset(&text, &offset) && text.empty();
}

bool IsInterval(std::string_view text) {
  if (!Take(&text, '-')) Take(&text, '+');
  if (!Take(&text, 'P')) return false;
  const bool has_date = TakeParts(&text, "YMWD");
  return text.empty() ? has_date : Take(&text, 'T') && TakeParts(&text, "HMS") && text.empty();
}

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !absl::ascii_isxdigit(text[i])) return false;
  }
  return true;
}

bool IsDecimal(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  size_t digits = TakeAllDigits(&text);
  if (Take(&text, '.')) digits += TakeAllDigits(&text);
  if (digits == 0) return false;
  if (Take(&text, 'e') || Take(&text, 'E')) {
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    if (TakeAllDigits(&text) == 0) return false;
  }
  return text.empty();
}

bool IsPlainDecimal(std::string_view text) {
  if (text.find_first_not_of("0123456789.-") != std::string_view::npos) return false;
  const bool negative = Take(&text, '-');
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  if (whole.empty() || (whole.size() > 1 && whole.front() == '0') || text.back() == '.')
    return false;
  return !negative || text.find_first_not_of("0.") != std::string_view::npos;
}

std::string PlainDecimal(std::string_view text) {
  if (IsPlainDecimal(text)) return std::string(text);
  constexpr int64_t kMostWhole = 131'072;
  constexpr int64_t kMostScale = 16'383;
  const std::string_view given = text;
  const bool negative = Take(&text, '-');
  if (!negative) Take(&text, '+');
  const size_t mark = std::min(text.find_first_of("eE"), text.size());
  int64_t exponent = 0;
  if (mark < text.size()) {
    std::string_view power = text.substr(mark + 1);
    if (power.starts_with('+')) power.remove_prefix(1);
    const auto [stop, error] = std::from_chars(power.data(), power.data() + power.size(), exponent);
    if (error != std::errc() || exponent > kMostWhole || exponent < -kMostWhole) {
      return std::string(given);
    }
  }
  const std::string_view mantissa = text.substr(0, mark);
  const size_t point = std::min(mantissa.find('.'), mantissa.size());
  std::string digits(mantissa.substr(0, point));
  if (point < mantissa.size()) digits += mantissa.substr(point + 1);
  // The place of the point among the digits.
  int64_t place = static_cast<int64_t>(point) + exponent;
  const auto size = static_cast<int64_t>(digits.size());
  if (place > kMostWhole || size - place > kMostScale) return std::string(given);
  if (place <= 0) {
    digits.insert(0, static_cast<size_t>(1 - place), '0');
    place = 1;
  } else if (place > size) {
    digits.append(static_cast<size_t>(place - size), '0');
  }
  std::string whole = digits.substr(0, static_cast<size_t>(place));
  const std::string fraction = digits.substr(static_cast<size_t>(place));
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
  const bool zero = digits.find_first_not_of('0') == std::string::npos;
  std::string plain = negative && !zero ? "-" : "";
  plain += whole;
  if (!fraction.empty()) plain += "." + fraction;
  return plain;
}

bool ParseTimestamp(std::string_view text, int64_t* seconds, int32_t* nanos) {
  std::chrono::year_month_day date;
  int second_of_day = 0;
  int offset = 0;
  if (!TakeDate(&text, &date)) return false;
  if (!Take(&text, ' ') && !Take(&text, 'T')) return false;
  if (!TakeClock(&text, &second_of_day, nanos) || !TakeOffset(&text, &offset)) return false;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  *seconds = days * 86'400 + second_of_day - offset;
  return text.empty() && *seconds >= kYear1 && *seconds < kYear10000;
}

bool ParseStoredTimestamp(std::string_view text, int64_t* seconds, int32_t* nanos) {
  constexpr size_t kWhole = sizeof("YYYY-MM-DD HH:MM:SS") - 1;
  if (text.size() < kWhole || text[sizeof("YYYY-MM-DD") - 1] != ' ') return false;
  std::string_view fraction = text.substr(kWhole);
  if (Take(&fraction, '.')) {
    const bool shortest = !fraction.ends_with("000") && !fraction.empty();
    if (fraction.size() % 3 != 0 || !shortest) return false;
    TakeAllDigits(&fraction);
  }
  return fraction.empty() && ParseTimestamp(text, seconds, nanos);
}

std::string FormatTimestamp(int64_t seconds, int32_t nanos) {
  if (seconds < kYear1 || seconds >= kYear10000) return {};
  const auto days = std::chrono::floor<std::chrono::days>(
      std::chrono::sys_seconds(std::chrono::seconds(seconds)));
  const std::chrono::year_month_day date(days);
  const auto second_of_day = static_cast<int>(seconds - days.time_since_epoch().count() * 86'400);
  std::string text =
      fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
  if (nanos == 0) return text;
  if (nanos % 1'000'000 == 0) return text + fmt::format(".{:03}", nanos / 1'000'000);
  if (nanos % 1'000 == 0) return text + fmt::format(".{:06}", nanos / 1'000);
  return text + fmt::format(".{:09}", nanos);
}

}  // namespace penstock::driver
