#include "tests/differential/sqlite_value.h"

#include <bit>
#include <cmath>
#include <cstdlib>
#include <string>
#include <string_view>

#include "fmt/format.h"

namespace penstock::differential {
namespace {

using v1::Value;

int BindValue(sqlite3_stmt* statement, int index, const Value& value) {
  switch (value.kind_case()) {
    case Value::kInteger: return sqlite3_bind_int64(statement, index, value.integer());
    case Value::kReal: return sqlite3_bind_double(statement, index, value.real());
    case Value::kText:
      return sqlite3_bind_text64(statement, index, value.text().data(), value.text().size(),
                                 SQLITE_TRANSIENT, SQLITE_UTF8);
    case Value::kBlob:
      return sqlite3_bind_blob64(statement, index, value.blob().data(), value.blob().size(),
                                 SQLITE_TRANSIENT);
    default: return sqlite3_bind_null(statement, index);
  }
}

bool SameBits(double a, double b) {
  return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b);
}

// A number in text form stands for the stored one.
bool SameNumber(const Value& own, const std::string& text) {
  if (own.kind_case() == Value::kInteger) return text == fmt::format("{}", own.integer());
  if (own.kind_case() != Value::kReal) return false;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  return end == text.c_str() + text.size() && SameBits(value, own.real());
}

// What SQLite's own functions make of a text: seconds since the epoch. Nothing: no time.
bool ToSeconds(const std::string& text, int64_t* seconds) {
  sqlite3* db = nullptr;
  sqlite3_stmt* statement = nullptr;
  bool found = false;
  if (sqlite3_open(":memory:", &db) == SQLITE_OK &&
      sqlite3_prepare_v2(db, "SELECT CAST(strftime('%s', ?1) AS INTEGER)", -1, &statement,
                         nullptr) == SQLITE_OK) {
    sqlite3_bind_text(statement, 1, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
    found = sqlite3_step(statement) == SQLITE_ROW &&
            sqlite3_column_type(statement, 0) == SQLITE_INTEGER;
    *seconds = sqlite3_column_int64(statement, 0);
  }
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return found;
}

// The text is this point in time. The fraction is read here, as SQLite's functions round it.
bool SameTimestamp(std::string text, const google::protobuf::Timestamp& timestamp) {
  int32_t nanos = 0;
  const size_t point = text.find('.');
  if (point != std::string::npos) {
    size_t end = text.find_first_not_of("0123456789", point + 1);
    if (end == std::string::npos) end = text.size();
    std::string digits = text.substr(point + 1, end - point - 1);
    digits.resize(9, '0');
    nanos = static_cast<int32_t>(std::strtol(digits.c_str(), nullptr, 10));
    text.erase(point, end - point);
  }
  int64_t seconds = 0;
  return ToSeconds(text, &seconds) && seconds == timestamp.seconds() && nanos == timestamp.nanos();
}

bool SameText(const std::string& own, const Value& value) {
  switch (value.kind_case()) {
    case Value::kDecimal: return own == value.decimal();
    case Value::kTimestamp: return SameTimestamp(own, value.timestamp());
    case Value::kDate: return own == value.date();
    case Value::kTime: return own == value.time();
    case Value::kInterval: return own == value.interval();
    case Value::kUuid: return own == value.uuid();
    case Value::kJson: return own == value.json();
    default: return false;
  }
}

v1::Kind KindOf(const Value& value) {
  // The fields of Value are in the order of Kind, after null.
  return static_cast<v1::Kind>(value.kind_case() - Value::kNull);
}

// What is stored has to travel as its column's kind.
bool MustBeDeclared(const Value& own, v1::Kind declared) {
  if (own.kind_case() == Value::kReal) {
    return declared == v1::KIND_DECIMAL && std::isfinite(own.real());
  }
  if (own.kind_case() != Value::kInteger) return false;
  const bool bit = own.integer() == 0 || own.integer() == 1;
  return declared == v1::KIND_DECIMAL || (declared == v1::KIND_BOOLEAN && bit);
}

}  // namespace

void BindSqliteValues(sqlite3_stmt* statement, const testing::Values& args) {
  const int count = sqlite3_bind_parameter_count(statement);
  for (int i = 1; i <= count; ++i) {
    const char* name = sqlite3_bind_parameter_name(statement, i);
    const long number = name == nullptr ? i : std::strtol(name + 1, nullptr, 10);
    if (number < 1 || static_cast<size_t>(number) > args.size()) continue;
    BindValue(statement, i, args[static_cast<size_t>(number) - 1]);
  }
}

v1::Row ReadSqliteRow(sqlite3_stmt* statement) {
  v1::Row row;
  const int columns = sqlite3_column_count(statement);
  for (int i = 0; i < columns; ++i) {
    Value* value = row.add_values();
    switch (sqlite3_column_type(statement, i)) {
      case SQLITE_INTEGER: value->set_integer(sqlite3_column_int64(statement, i)); break;
      case SQLITE_FLOAT: value->set_real(sqlite3_column_double(statement, i)); break;
      case SQLITE_TEXT: {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
        value->set_text(text, static_cast<size_t>(sqlite3_column_bytes(statement, i)));
        break;
      }
      case SQLITE_BLOB: {
        const void* bytes = sqlite3_column_blob(statement, i);
        value->set_blob(bytes, static_cast<size_t>(sqlite3_column_bytes(statement, i)));
        break;
      }
      default: value->set_null(google::protobuf::NULL_VALUE);
    }
  }
  return row;
}

bool SameSqliteValue(const Value& own, const Value& gateways, v1::Kind declared) {
  if (own.kind_case() == gateways.kind_case()) {
    if (MustBeDeclared(own, declared)) return false;
    switch (own.kind_case()) {
      case Value::kInteger: return own.integer() == gateways.integer();
      case Value::kReal: return SameBits(own.real(), gateways.real());
      case Value::kText: return own.text() == gateways.text();
      case Value::kBlob: return own.blob() == gateways.blob();
      default: return true;
    }
  }
  if (KindOf(gateways) != declared) return false;
  if (own.kind_case() == Value::kText) return SameText(own.text(), gateways);
  switch (gateways.kind_case()) {
    case Value::kBoolean:
      return own.kind_case() == Value::kInteger && own.integer() == (gateways.boolean() ? 1 : 0);
    case Value::kDecimal: return SameNumber(own, gateways.decimal());
    case Value::kJson: return SameNumber(own, gateways.json());
    default: return false;
  }
}

}  // namespace penstock::differential
