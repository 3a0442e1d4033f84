// The text of a cursor is the base64 form of: a version, the number of values, and for each value
// its kind followed by eight bytes, or by the length and the bytes of a text.
#include <algorithm>
#include <bit>

#include "absl/strings/escaping.h"
#include "client/src/format.h"
#include "client/src/refusal.h"
#include "penstock/sql/page.h"
#include "text/string_views.h"

namespace penstock::sql {
namespace {

constexpr char kVersion = '1';
constexpr size_t kNumberBytes = 8;

void PutNumber(uint64_t number, std::string* out) {
  for (size_t i = 0; i < kNumberBytes; ++i) *out += static_cast<char>(number >> (8 * i) & 0xff);
}

bool TakeNumber(std::string_view* from, uint64_t* number) {
  if (from->size() < kNumberBytes) return false;
  *number = 0;
  for (size_t i = 0; i < kNumberBytes; ++i) {
    *number |= uint64_t{static_cast<unsigned char>((*from)[i])} << (8 * i);
  }
  from->remove_prefix(kNumberBytes);
  return true;
}

// Appends the kind and then eight bytes, or a text after its length.
void PutValue(const Value& value, std::string* out) {
  *out += static_cast<char>(value.kind());
  switch (value.kind()) {
    case Kind::kUnspecified:
    case Kind::kArray: break;
    case Kind::kBoolean: PutNumber(value.boolean(), out); break;
    case Kind::kInteger: PutNumber(static_cast<uint64_t>(value.integer()), out); break;
    case Kind::kReal: PutNumber(std::bit_cast<uint64_t>(value.real()), out); break;
    case Kind::kTimestamp:
      PutNumber(static_cast<uint64_t>(value.timestamp().seconds), out);
      PutNumber(static_cast<uint64_t>(value.timestamp().nanos), out);
      break;
    default: PutNumber(value.text().size(), out); *out += value.text();
  }
}

Value TextOf(Kind kind, std::string text) {
  switch (kind) {
    case Kind::kBlob: return Value(Bytes{std::move(text)});
    case Kind::kDecimal: return Value::Decimal(std::move(text));
    case Kind::kDate: return Value::Date(std::move(text));
    case Kind::kTime: return Value::Time(std::move(text));
    case Kind::kInterval: return Value::Interval(std::move(text));
    case Kind::kUuid: return Value::Uuid(std::move(text));
    default: return Value(std::move(text));
  }
}

bool TakeValue(std::string_view* from, Value* value) {
  const Kind kind = static_cast<Kind>(from->front());
  from->remove_prefix(1);
  if (kind == Kind::kUnspecified) return true;
  if (kind > Kind::kUuid) return false;
  uint64_t number = 0;
  if (!TakeNumber(from, &number)) return false;
  switch (kind) {
    case Kind::kBoolean: *value = Value(number != 0); return number <= 1;
    case Kind::kInteger: *value = Value(static_cast<int64_t>(number)); return true;
    case Kind::kReal: *value = Value(std::bit_cast<double>(number)); return true;
    case Kind::kTimestamp: {
      uint64_t nanos = 0;
      if (!TakeNumber(from, &nanos) || nanos >= 1'000'000'000) return false;
      *value = Value(Timestamp{static_cast<int64_t>(number), static_cast<int32_t>(nanos)});
      return true;
    }
    default:
      if (number > from->size()) return false;
      *value = TextOf(kind, std::string(from->substr(0, number)));
      from->remove_prefix(number);
      return true;
  }
}

absl::Status Invalid(std::string_view message) {
  return penstock::internal::InvalidParameter(message);
}

}  // namespace

std::string Cursor::Encode() const {
  std::string bytes(1, kVersion);
  PutNumber(keys_.size(), &bytes);
  for (const Value& key : keys_) PutValue(key, &bytes);
  return absl::WebSafeBase64Escape(bytes);
}

absl::StatusOr<Cursor> Cursor::Decode(std::string_view text) {
  std::string bytes;
  absl::Status invalid =
      Invalid("the text of the cursor is invalid; use a text that Encode has returned");
  if (!absl::WebSafeBase64Unescape(ToAbsl(text), &bytes) || bytes.empty() || bytes[0] != kVersion) {
    return invalid;
  }
  std::vector<Value> keys;
  std::string_view rest = std::string_view(bytes).substr(1);
  uint64_t count = 0;
  if (!TakeNumber(&rest, &count)) return invalid;
  while (!rest.empty()) {
    if (!TakeValue(&rest, &keys.emplace_back())) return invalid;
  }
  if (keys.size() != count) return invalid;
  Cursor cursor(std::move(keys));
  // Accepts only the one text that Encode makes for these values.
  if (cursor.Encode() != text) return invalid;
  return cursor;
}

absl::StatusOr<std::vector<Order>> SortKeys::Parse(std::string_view text) const {
  std::vector<Order> order;
  std::vector<std::string_view> seen;
  while (!text.empty()) {
    std::string_view name = text.substr(0, text.find(','));
    text.remove_prefix(std::min(name.size() + 1, text.size()));
    const bool reversed = name.starts_with('-');
    if (reversed) name.remove_prefix(1);
    const auto key = std::find_if(keys_.begin(), keys_.end(),
                                  [&](const auto& known) { return known.first == name; });
    if (key == keys_.end()) {
      std::string names;
      for (const auto& known : keys_) names += (names.empty() ? "" : ", ") + known.first;
      return Invalid(
          penstock::internal::Format("cannot sort by \"{}\"; use one of {}", name, names));
    }
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      return Invalid(penstock::internal::Format("duplicate sort key \"{}\"", key->first));
    }
    seen.push_back(key->first);
    order.push_back(reversed ? key->second.Reversed() : key->second);
  }
  return order;
}

}  // namespace penstock::sql
