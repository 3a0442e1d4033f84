#include "drivers/pebble/table_value.h"

#include <sqlite3.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "drivers/api/error.h"
#include "drivers/api/text_forms.h"
#include "drivers/sqlite_engine/exact.h"
#include "drivers/sqlite_engine/values.h"
#include "fmt/format.h"
#include "text/utf8.h"

namespace penstock::pebble {
namespace {

using driver::Kind;
using driver::Reason;

// A double beyond which there is no whole number of 64 bits.
constexpr double kWholeEnd = 9223372036854775808.0;

absl::Status Misfit(std::string_view column, std::string_view what, std::string_view hint) {
  driver::ErrorInfo info;
  info.column = column;
  info.hint = hint;
  return driver::MakeError(Reason::kDataException, fmt::format("column '{}' {}", column, what),
                           info);
}

bool ToWhole(double real, int64_t* whole) {
  if (!(real >= -kWholeEnd && real < kWholeEnd) || real != std::trunc(real)) return false;
  *whole = static_cast<int64_t>(real);
  return true;
}

std::string RealText(double real) {
  // SQL writes a number that is too large in this way.
  if (std::isinf(real)) return real > 0 ? "9e999" : "-9e999";
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), real);
  std::string text(buffer, end);
  // So that it reads as a real where that makes a difference.
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string EncodeWhole(int64_t whole, Storage storage) {
  return storage == Storage::kNumeric ? std::to_string(whole)
                                      : RealText(static_cast<double>(whole));
}

std::string EncodeReal(double real, Storage storage) {
  int64_t whole = 0;
  if (storage == Storage::kNumeric && ToWhole(real, &whole)) return std::to_string(whole);
  return RealText(real);
}

// Returns what SQLite makes of it: a number without the blanks around it, or nothing.
std::string_view NumberIn(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  text = text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
  return driver::IsDecimal(text) ? text : std::string_view();
}

bool ParseWhole(std::string_view text, int64_t* whole) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *whole);
  return error == std::errc() && stop == end && !text.empty();
}

// SQLite's own conversion of a text to a real is not exact.
std::string EncodeNumber(std::string_view number, Storage storage) {
  int64_t whole = 0;
  if (ParseWhole(number, &whole)) return EncodeWhole(whole, storage);
  return EncodeReal(std::strtod(std::string(number).c_str(), nullptr), storage);
}

sqlite_engine::Stores StoresOf(Storage storage) {
  switch (storage) {
    case Storage::kText: return sqlite_engine::kAsText;
    case Storage::kBlob: return sqlite_engine::kVerbatim;
    case Storage::kNumeric: return sqlite_engine::kAsNumber;
    case Storage::kReal: return sqlite_engine::kAsReal;
  }
  return sqlite_engine::kAnywhere;
}

bool IsArgument(sqlite3_value* value, const driver::Value& argument) {
  switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER:
      return argument.kind == Kind::kInteger && argument.integer == sqlite3_value_int64(value);
    case SQLITE_FLOAT:
      return argument.kind == Kind::kReal && argument.real == sqlite3_value_double(value);
    case SQLITE_TEXT: return argument.text == BytesOf(value) && argument.kind != Kind::kBlob;
    default: return false;
  }
}

// A parameter comes here as it was bound. A literal or an expression is the caller's SQL, and
// what an affinity makes of that is SQLite's affair.
absl::Status CheckExact(sqlite3_value* value, Storage storage, std::string_view column,
                        std::span<const driver::Value> arguments) {
  const sqlite_engine::Stores stores = StoresOf(storage);
  for (const driver::Value& argument : arguments) {
    if (sqlite_engine::IsKeptAnywhere(argument) || !IsArgument(value, argument)) continue;
    if (sqlite_engine::ToBind(argument, stores).has_value()) continue;
    const sqlite_engine::Loss loss = sqlite_engine::LossOf(argument.kind);
    return Misfit(column, fmt::format("would {}", loss.what), loss.hint);
  }
  return absl::OkStatus();
}

void DecodeNumber(std::string_view text, Storage storage, sqlite3_context* result) {
  int64_t whole = 0;
  if (storage == Storage::kNumeric && ParseWhole(text, &whole)) {
    sqlite3_result_int64(result, whole);
  } else if (driver::IsDecimal(text)) {
    sqlite3_result_double(result, std::strtod(std::string(text).c_str(), nullptr));
  } else if (IsUtf8(text)) {
    sqlite3_result_text64(result, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  } else {
    // Somebody else has written it, as bytes.
    sqlite3_result_blob64(result, text.data(), text.size(), SQLITE_TRANSIENT);
  }
}

}  // namespace

absl::StatusOr<Storage> StorageOf(std::string_view declared_type) {
  switch (sqlite_engine::KindOfDeclaredType(declared_type)) {
    case Kind::kText: return Storage::kText;
    case Kind::kBlob: return Storage::kBlob;
    case Kind::kReal: return Storage::kReal;
    case Kind::kUnspecified: break;
    default: return Storage::kNumeric;
  }
  return driver::MakeErrorWithHint(
      Reason::kUnsupported, fmt::format("unknown type '{}'", declared_type),
      "declare TEXT, BLOB, INTEGER, REAL, BOOLEAN, TIMESTAMP, JSON or another of SQLite's kinds");
}

std::string_view BytesOf(sqlite3_value* value) {
  const int type = sqlite3_value_type(value);
  // SQLite makes a number's text where the number is.
  const void* bytes = type == SQLITE_BLOB ? sqlite3_value_blob(value) : sqlite3_value_text(value);
  const auto size = static_cast<size_t>(sqlite3_value_bytes(value));
  return bytes == nullptr ? std::string_view()
                          : std::string_view(static_cast<const char*>(bytes), size);
}

absl::StatusOr<std::string> Encode(sqlite3_value* value, Storage storage, std::string_view column,
                                   std::span<const driver::Value> arguments) {
  const int type = sqlite3_value_type(value);
  absl::Status exact = CheckExact(value, storage, column, arguments);
  if (!exact.ok()) return exact;
  if (storage == Storage::kBlob) {
    if (type == SQLITE_TEXT || type == SQLITE_BLOB) return std::string(BytesOf(value));
    return Misfit(column, "holds bytes and cannot store a number",
                  "store CAST(… AS BLOB), or declare the column INTEGER or REAL");
  }
  if (type == SQLITE_BLOB && !(storage == Storage::kText && IsUtf8(BytesOf(value)))) {
    return Misfit(column, "cannot store these bytes", "declare the column BLOB");
  }
  if (storage != Storage::kText) {
    if (type == SQLITE_INTEGER) return EncodeWhole(sqlite3_value_int64(value), storage);
    if (type == SQLITE_FLOAT) return EncodeReal(sqlite3_value_double(value), storage);
    // A text may be a number, as it may be with an affinity.
    const std::string_view number = NumberIn(BytesOf(value));
    if (!number.empty()) return EncodeNumber(number, storage);
  }
  const std::string_view text = BytesOf(value);
  if (!IsUtf8(text)) {
    return Misfit(column, "cannot store text that is not valid UTF-8", "declare the column BLOB");
  }
  return std::string(text);
}

void Decode(const rocksdb::Slice& stored, Storage storage, sqlite3_context* result) {
  // A null pointer would be NULL.
  const rocksdb::Slice bytes = stored.empty() ? rocksdb::Slice() : stored;
  switch (storage) {
    case Storage::kText:
      sqlite3_result_text64(result, bytes.data(), bytes.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
      break;
    case Storage::kBlob:
      sqlite3_result_blob64(result, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
      break;
    case Storage::kNumeric:
    case Storage::kReal: DecodeNumber(bytes.ToStringView(), storage, result); break;
  }
}

}  // namespace penstock::pebble
