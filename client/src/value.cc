#include "penstock/value.h"

#include <charconv>
#include <cstdlib>
#include <ostream>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "client/src/format.h"
#include "client/src/refusal.h"
#include "text/kind_names.h"

namespace penstock {

std::string_view KindName(Kind kind) { return NameOfKind(static_cast<size_t>(kind)); }

// Not inline, because programs have very many places where values are made and destroyed.
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;

Value::Value(Kind kind, std::string text) : kind_(kind), content_(std::move(text)) {}

Value::Value(int64_t v, bool fits) {
  if (!fits) {
    content_ = Invalid{
        "an unsigned integer above 9223372036854775807 does not fit; "
        "use Value::Decimal"};
    return;
  }
  kind_ = Kind::kInteger;
  content_ = v;
}

Value::Value(const char* v) {
  if (v == nullptr) return;
  kind_ = Kind::kText;
  content_ = std::string(v);
}

Timestamp Timestamp::Micros(absl::Time time) {
  constexpr int64_t kInMicro = 1'000;
  const int64_t seconds = absl::ToUnixSeconds(time);
  if (time == absl::InfiniteFuture() || time == absl::InfinitePast()) return {seconds, 0};
  const int64_t nanos = absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds));
  return {seconds, static_cast<int32_t>(nanos - nanos % kInMicro)};
}

Timestamp Timestamp::Now() { return Micros(absl::Now()); }

Value::Value(absl::Time v) {
  if (v == absl::InfiniteFuture() || v == absl::InfinitePast()) {
    content_ = Invalid{"an infinite time does not fit"};
    return;
  }
  const int64_t seconds = absl::ToUnixSeconds(v);
  const absl::Duration rest = v - absl::FromUnixSeconds(seconds);
  if (absl::Trunc(rest, absl::Nanoseconds(1)) != rest) {
    content_ = Invalid{"a time finer than a nanosecond does not fit; truncate it"};
    return;
  }
  kind_ = Kind::kTimestamp;
  content_ = Timestamp{seconds, static_cast<int32_t>(absl::ToInt64Nanoseconds(rest))};
}

Value Value::Unfit(const char* why) {
  Value value;
  value.content_ = Invalid{why};
  return value;
}

Value Value::FromBytes(std::span<const std::byte> bytes) {
  return Value(Bytes{std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())});
}

Value Value::Array(std::vector<Value> elements) {
  Value value;
  value.kind_ = Kind::kArray;
  value.content_ = std::move(elements);
  return value;
}

absl::Status Value::status() const {
  if (const Invalid* invalid = std::get_if<Invalid>(&content_)) {
    return internal::InvalidParameter(invalid->why);
  }
  if (kind_ == Kind::kArray) {
    for (const Value& element : elements()) {
      if (absl::Status status = element.status(); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

std::string Value::DebugString() const {
  if (const Invalid* invalid = std::get_if<Invalid>(&content_)) {
    return internal::Format("invalid ({})", invalid->why);
  }
  const auto quoted = [this] { return '"' + absl::CHexEscape(text()) + '"'; };
  switch (kind_) {
    case Kind::kUnspecified: return "NULL";
    case Kind::kBoolean: return boolean() ? "true" : "false";
    case Kind::kInteger: return std::to_string(integer());
    case Kind::kReal: {
      char digits[32];
      return std::string(digits, std::to_chars(digits, digits + sizeof(digits), real()).ptr);
    }
    case Kind::kText: return quoted();
    case Kind::kBlob: return "x'" + absl::BytesToHexString(text()) + '\'';
    case Kind::kTimestamp:
      return absl::StrFormat("timestamp %d.%09d", timestamp().seconds, timestamp().nanos);
    case Kind::kArray: {
      std::string out = "[";
      for (const Value& element : elements()) {
        if (out.size() > 1) out += ", ";
        out += element.DebugString();
      }
      return out + ']';
    }
    default: return internal::Format("{} {}", KindName(kind_), quoted());
  }
}

namespace internal {

Value UnnamedEnumerator() {
  return Value::Unfit("an enumerator without a name in EnumNames does not fit");
}

Value ToValue(std::chrono::year_month_day day) {
  const int year = static_cast<int>(day.year());
  if (!day.ok()) return Value::Unfit("a day that is not in the calendar does not fit");
  if (year < 1 || year > 9999) {
    return Value::Unfit("a day beyond the years 1 to 9999 does not fit");
  }
  return Value::Date(absl::StrFormat("%04d-%02d-%02d", year, static_cast<unsigned>(day.month()),
                                     static_cast<unsigned>(day.day())));
}

Value ToValue(absl::CivilDay day) {
  // The range is checked first, because std::chrono cannot represent every year of absl.
  const bool known = day.year() >= 1 && day.year() <= 9999;
  return ToValue(
      std::chrono::year_month_day(std::chrono::year(known ? static_cast<int>(day.year()) : 0),
                                  std::chrono::month(static_cast<unsigned>(day.month())),
                                  std::chrono::day(static_cast<unsigned>(day.day()))));
}

Value ToValue(absl::CivilSecond second) {
  return Value(absl::FromCivil(second, absl::UTCTimeZone()));
}

Value ToValue(std::chrono::sys_seconds time) {
  return Value(Timestamp{time.time_since_epoch().count(), 0});
}

Value ToValue(std::chrono::nanoseconds duration) { return ToValue(absl::FromChrono(duration)); }

Value ToValue(absl::Duration duration) {
  if (duration == absl::InfiniteDuration() || duration == -absl::InfiniteDuration()) {
    return Value::Unfit("an infinite duration does not fit");
  }
  absl::Duration rest;
  const int64_t seconds = absl::IDivDuration(duration, absl::Seconds(1), &rest);
  if (absl::Trunc(rest, absl::Nanoseconds(1)) != rest) {
    return Value::Unfit("a duration finer than a nanosecond does not fit; truncate it");
  }
  const int64_t nanos = std::abs(absl::ToInt64Nanoseconds(rest));
  // Computed without a sign, because the lowest 64-bit integer has no positive counterpart.
  const uint64_t whole = seconds < 0 ? -static_cast<uint64_t>(seconds) : seconds;
  std::string text = Format("PT{}{}", duration < absl::ZeroDuration() ? "-" : "", whole);
  if (nanos != 0) {
    text += absl::StrFormat(".%09d", nanos);
    while (text.back() == '0') text.pop_back();
  }
  return Value::Interval(text + 'S');
}

}  // namespace internal

std::ostream& operator<<(std::ostream& out, const Value& value) {
  return out << value.DebugString();
}

}  // namespace penstock
