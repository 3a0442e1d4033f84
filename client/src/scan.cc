#include "penstock/scan.h"

#include <charconv>
#include <cmath>

#include "client/src/format.h"
#include "client/src/refusal.h"

namespace penstock {

ValueView ValueView::Of(const Value& value) {
  ValueView view{.kind = value.kind()};
  switch (value.kind()) {
    case Kind::kUnspecified: break;
    case Kind::kBoolean: view.integer = value.boolean(); break;
    case Kind::kInteger: view.integer = value.integer(); break;
    case Kind::kReal: view.real = value.real(); break;
    case Kind::kTimestamp:
      view.integer = value.timestamp().seconds;
      view.nanos = value.timestamp().nanos;
      break;
    case Kind::kArray: view.elements = &value.elements(); break;
    default: view.text = value.text();
  }
  return view;
}

Value ValueView::Copy() const {
  switch (kind) {
    case Kind::kUnspecified: return Value();
    case Kind::kBoolean: return Value(integer != 0);
    case Kind::kInteger: return Value(integer);
    case Kind::kReal: return Value(real);
    case Kind::kText: return Value(text);
    case Kind::kBlob: return Value(Bytes{std::string(text)});
    case Kind::kDecimal: return Value::Decimal(std::string(text));
    case Kind::kTimestamp: return Value(Timestamp{integer, nanos});
    case Kind::kDate: return Value::Date(std::string(text));
    case Kind::kTime: return Value::Time(std::string(text));
    case Kind::kInterval: return Value::Interval(std::string(text));
    case Kind::kUuid: return Value::Uuid(std::string(text));
    case Kind::kJson: return Value::Json(std::string(text));
    case Kind::kArray: return Value::Array(*elements);
  }
  return Value();
}

namespace internal {
namespace {

absl::Status Refuse(const ValueView& from, std::string_view target, std::string_view why = "") {
  return RefuseRead(from, target, why);
}

// Finds the double that is exactly `value`. Returns false if there is none.
bool ToExactReal(int64_t value, double* to) {
  *to = static_cast<double>(value);
  // The greatest int64 rounds up to 2^63, which does not convert back.
  return *to < 0x1p63 && static_cast<int64_t>(*to) == value;
}

// Parses a text that consists of digits only.
template <typename T>
bool ParseDigits(std::string_view digits, T* to) {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), *to);
  return error == std::errc() && end == digits.data() + digits.size() && digits[0] != '-';
}

// Parses YYYY-MM-DD.
bool ParseDay(std::string_view text, std::chrono::year_month_day* to) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  if (text.size() != 10 || text[4] != '-' || text[7] != '-' ||
      !ParseDigits(text.substr(0, 4), &year) || !ParseDigits(text.substr(5, 2), &month) ||
      !ParseDigits(text.substr(8, 2), &day)) {
    return false;
  }
  *to = std::chrono::year_month_day(std::chrono::year(year), std::chrono::month(month),
                                    std::chrono::day(day));
  return to->ok();
}

// Parses a point and one to nine digits as nanoseconds: ".5". An empty text is zero.
bool ParseFraction(std::string_view text, int32_t* nanos) {
  *nanos = 0;
  if (text.empty()) return true;
  constexpr size_t kDigits = 9;
  std::string digits(text.substr(1));
  if (text[0] != '.' || digits.empty() || digits.size() > kDigits) return false;
  digits.resize(kDigits, '0');
  return ParseDigits(std::string_view(digits), nanos);
}

// Parses YYYY-MM-DD HH:MM:SS[.fraction] as a time in UTC.
bool ParseTimestamp(std::string_view text, Timestamp* to) {
  std::chrono::year_month_day day;
  int64_t hour = 0;
  int64_t minute = 0;
  int64_t second = 0;
  if (text.size() < 19 || !ParseDay(text.substr(0, 10), &day) || text[10] != ' ' ||
      text[13] != ':' || text[16] != ':' || !ParseDigits(text.substr(11, 2), &hour) ||
      !ParseDigits(text.substr(14, 2), &minute) || !ParseDigits(text.substr(17, 2), &second) ||
      hour > 23 || minute > 59 || second > 59 || !ParseFraction(text.substr(19), &to->nanos)) {
    return false;
  }
  const std::chrono::sys_seconds midnight{std::chrono::sys_days(day)};
  to->seconds = midnight.time_since_epoch().count() + hour * 3600 + minute * 60 + second;
  return true;
}

// Removes a number and its unit, such as "5M", from the beginning, if there is one.
bool TakePart(std::string_view* text, char unit, int64_t* count) {
  *count = 0;
  const size_t end = text->find(unit);
  if (end == std::string_view::npos) return true;
  if (end == 0) return false;
  const bool negative = text->front() == '-';
  if (!ParseDigits(text->substr(negative ? 1 : 0, end - (negative ? 1 : 0)), count)) return false;
  if (negative) *count = -*count;
  text->remove_prefix(end + 1);
  return true;
}

// Parses PT[nH][nM][n[.fraction]S].
bool ParseTimeInterval(std::string_view text, std::chrono::nanoseconds* to) {
  if (!text.starts_with("PT") || text.size() < 4) return false;
  text.remove_prefix(2);
  int64_t hours = 0;
  int64_t minutes = 0;
  if (!TakePart(&text, 'H', &hours) || !TakePart(&text, 'M', &minutes)) return false;
  int64_t seconds = 0;
  int32_t nanos = 0;
  bool negative = false;
  if (!text.empty()) {
    if (text.back() != 'S') return false;
    text.remove_suffix(1);
    negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    const size_t point = std::min(text.find('.'), text.size());
    if (point == 0 || !ParseDigits(text.substr(0, point), &seconds) ||
        !ParseFraction(text.substr(point), &nanos)) {
      return false;
    }
  }
  const int64_t sign = negative ? -1 : 1;
  int64_t total = 0;
  int64_t part = 0;
  if (__builtin_mul_overflow(hours, int64_t{3'600'000'000'000}, &total) ||
      __builtin_mul_overflow(minutes, int64_t{60'000'000'000}, &part) ||
      __builtin_add_overflow(total, part, &total) ||
      __builtin_mul_overflow(sign * seconds, int64_t{1'000'000'000}, &part) ||
      __builtin_add_overflow(total, part, &total) ||
      __builtin_add_overflow(total, sign * nanos, &total)) {
    return false;
  }
  *to = std::chrono::nanoseconds(total);
  return true;
}

// `target` is the variable's type in the error message.
absl::Status ReadTime(const ValueView& from, std::string_view target, Timestamp* to) {
  Timestamp parsed;
  if (from.kind == Kind::kTimestamp) {
    parsed = {from.integer, from.nanos};
  } else if (from.kind != Kind::kText) {
    return Refuse(from, target);
  } else if (!ParseTimestamp(from.text, &parsed)) {
    return Refuse(from, target, "it does not have the form YYYY-MM-DD HH:MM:SS[.fraction]");
  }
  *to = parsed;
  return absl::OkStatus();
}

// Copies the text of a value that is of this kind, or text.
absl::Status ReadTextual(const ValueView& from, Kind kind, std::string_view target,
                         std::string* to) {
  if (from.kind != kind && from.kind != Kind::kText) return Refuse(from, target);
  to->assign(from.text);
  return absl::OkStatus();
}

}  // namespace

absl::Status RefuseRead(const ValueView& from, std::string_view target, std::string_view why) {
  if (from.kind == Kind::kUnspecified) {
    return InvalidParameter(internal::Format(
        "NULL cannot be read as {}; use std::optional<{}> or Value", target, target));
  }
  return InvalidParameter(internal::Format("{} cannot be read as {}{}{}", KindName(from.kind),
                                           target, why.empty() ? "" : ": ", why));
}

absl::Status ReadInteger(const ValueView& from, int64_t min, int64_t max, std::string (*target)(),
                         int64_t* to) {
  if (from.kind != Kind::kInteger) return Refuse(from, target());
  if (from.integer < min || from.integer > max) return Refuse(from, target(), "it is out of range");
  *to = from.integer;
  return absl::OkStatus();
}

absl::Status Read(const ValueView& from, bool* to) {
  if (from.kind == Kind::kInteger) {
    if (from.integer != 0 && from.integer != 1) {
      return Refuse(from, "bool", "it is neither 0 nor 1");
    }
  } else if (from.kind != Kind::kBoolean) {
    return Refuse(from, "bool");
  }
  *to = from.integer != 0;
  return absl::OkStatus();
}

absl::Status Read(const ValueView& from, double* to) {
  if (from.kind == Kind::kReal) {
    *to = from.real;
    return absl::OkStatus();
  }
  if (from.kind == Kind::kDecimal) {
    return Refuse(from, "double", "it might be rounded; use std::string");
  }
  if (from.kind != Kind::kInteger) return Refuse(from, "double");
  double exact = 0;
  if (!ToExactReal(from.integer, &exact)) return Refuse(from, "double", "it would be rounded");
  *to = exact;
  return absl::OkStatus();
}

absl::Status Read(const ValueView& from, float* to) {
  if (from.kind != Kind::kReal && from.kind != Kind::kInteger) return Refuse(from, "float");
  double wide = 0;
  if (!Read(from, &wide).ok()) return Refuse(from, "float", "it would be rounded");
  // The conversion of a finite double outside of the range of float is undefined.
  const bool fits = std::isnan(wide) || std::isinf(wide) ||
                    (std::fabs(wide) <= std::numeric_limits<float>::max() &&
                     static_cast<double>(static_cast<float>(wide)) == wide);
  if (!fits) return Refuse(from, "float", "it would be rounded; use double");
  *to = static_cast<float>(wide);
  return absl::OkStatus();
}

absl::Status Read(const ValueView& from, std::string* to) {
  switch (from.kind) {
    case Kind::kText:
    case Kind::kDecimal:
    case Kind::kDate:
    case Kind::kTime:
    case Kind::kInterval:
    case Kind::kUuid:
    case Kind::kJson: to->assign(from.text); return absl::OkStatus();
    case Kind::kBlob: return Refuse(from, "std::string", "use penstock::Bytes");
    default: return Refuse(from, "std::string");
  }
}

absl::Status Read(const ValueView& from, Bytes* to) {
  if (from.kind != Kind::kBlob) return Refuse(from, "penstock::Bytes");
  to->data.assign(from.text);
  return absl::OkStatus();
}

absl::Status Read(const ValueView& from, Timestamp* to) {
  return ReadTime(from, "penstock::Timestamp", to);
}

absl::Status Read(const ValueView& from, absl::Time* to) {
  Timestamp time;
  if (absl::Status read = ReadTime(from, "absl::Time", &time); !read.ok()) return read;
  *to = absl::FromUnixSeconds(time.seconds) + absl::Nanoseconds(time.nanos);
  return absl::OkStatus();
}

absl::Status Read(const ValueView& from, absl::CivilSecond* to) {
  constexpr std::string_view kTarget = "absl::CivilSecond";
  Timestamp time;
  if (absl::Status read = ReadTime(from, kTarget, &time); !read.ok()) return read;
  if (time.nanos != 0) return Refuse(from, kTarget, "it would be rounded");
  *to = absl::ToCivilSecond(absl::FromUnixSeconds(time.seconds), absl::UTCTimeZone());
  return absl::OkStatus();
}

absl::Status Read(const ValueView& from, std::chrono::year_month_day* to) {
  std::chrono::year_month_day day;
  if (from.kind != Kind::kDate && from.kind != Kind::kText) return Refuse(from, "a day");
  if (!ParseDay(from.text, &day)) {
    return Refuse(from, "a day", "it does not have the form YYYY-MM-DD");
  }
  *to = day;
  return absl::OkStatus();
}

absl::Status Read(const ValueView& from, absl::CivilDay* to) {
  std::chrono::year_month_day day;
  if (absl::Status read = Read(from, &day); !read.ok()) return read;
  *to = absl::CivilDay(static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                       static_cast<unsigned>(day.day()));
  return absl::OkStatus();
}

absl::Status RefuseSize(const ValueView& from, std::size_t size, std::size_t places) {
  return InvalidParameter(Format("{} of {} {} cannot be read into {}", KindName(from.kind), size,
                                 from.kind == Kind::kBlob ? "bytes" : "elements", places));
}

absl::Status Read(const ValueView& from, std::vector<std::byte>* to) {
  if (from.kind != Kind::kBlob) return Refuse(from, "bytes");
  const auto bytes = std::as_bytes(std::span(from.text));
  to->assign(bytes.begin(), bytes.end());
  return absl::OkStatus();
}

absl::Status Read(const ValueView& from, absl::Duration* to) {
  std::chrono::nanoseconds exact{};
  absl::Status read = ReadDuration(from, &exact);
  if (read.ok()) *to = absl::FromChrono(exact);
  return read;
}

absl::Status ReadDuration(const ValueView& from, std::chrono::nanoseconds* to) {
  constexpr std::string_view kTarget = "std::chrono::duration";
  std::chrono::nanoseconds parsed{};
  if (from.kind != Kind::kInterval && from.kind != Kind::kText) return Refuse(from, kTarget);
  if (!ParseTimeInterval(from.text, &parsed)) {
    return Refuse(from, kTarget,
                  "it has years, months or days, whose length is not fixed, or is out of range; "
                  "use penstock::Interval");
  }
  *to = parsed;
  return absl::OkStatus();
}

absl::Status Read(const ValueView& from, std::string_view* to) {
  switch (from.kind) {
    case Kind::kText:
    case Kind::kBlob:
    case Kind::kDecimal:
    case Kind::kDate:
    case Kind::kTime:
    case Kind::kInterval:
    case Kind::kUuid:
    case Kind::kJson: *to = from.text; return absl::OkStatus();
    default: return Refuse(from, "std::string_view");
  }
}

absl::Status Read(const ValueView& from, Decimal* to) {
  if (from.kind == Kind::kInteger) {
    to->text = std::to_string(from.integer);
    return absl::OkStatus();
  }
  if (from.kind == Kind::kReal) {
    return Refuse(from, "penstock::Decimal", "it may have been rounded; use double");
  }
  if (from.kind != Kind::kDecimal) return Refuse(from, "penstock::Decimal");
  to->text.assign(from.text);
  return absl::OkStatus();
}

absl::Status Read(const ValueView& from, TimeOfDay* to) {
  return ReadTextual(from, Kind::kTime, "penstock::TimeOfDay", &to->text);
}

absl::Status Read(const ValueView& from, Interval* to) {
  return ReadTextual(from, Kind::kInterval, "penstock::Interval", &to->text);
}

absl::Status Read(const ValueView& from, Uuid* to) {
  return ReadTextual(from, Kind::kUuid, "penstock::Uuid", &to->text);
}

absl::Status Read(const ValueView& from, Json* to) {
  return ReadTextual(from, Kind::kJson, "penstock::Json", &to->text);
}

absl::Status Read(const ValueView& from, Value* to) {
  *to = from.Copy();
  return absl::OkStatus();
}

}  // namespace internal
}  // namespace penstock
