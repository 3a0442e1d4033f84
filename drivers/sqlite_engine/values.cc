#include "drivers/sqlite_engine/values.h"

#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "drivers/api/error.h"
#include "drivers/api/text_forms.h"
#include "drivers/api/text_kind.h"
#include "drivers/sqlite_engine/error.h"
#include "drivers/sqlite_engine/exact.h"
#include "drivers/sqlite_engine/json.h"
#include "fmt/format.h"
#include "text/utf8.h"

namespace penstock::sqlite_engine {
namespace {

using driver::FormatTimestamp;
using driver::Kind;
using driver::MakeError;
using driver::MakeErrorWithHint;
using driver::ParseStoredTimestamp;
using driver::Reason;

char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

absl::Status BadText(Kind kind, std::string_view form) {
  return MakeError(Reason::kDataException,
                   fmt::format("the value is not a {} ({})", driver::KindName(kind), form));
}

absl::Status CheckText(const driver::Value& value) {
  if (const driver::TextKind* const kind = driver::FindTextKind(value.kind)) {
    return kind->is(value.text) ? absl::OkStatus() : BadText(value.kind, kind->form);
  }
  const bool utf8 = IsUtf8(value.text);
  if (value.kind == Kind::kJson) {
    return utf8 && IsJson(value.text) ? absl::OkStatus() : BadText(Kind::kJson, "a JSON document");
  }
  return utf8 ? absl::OkStatus()
              : MakeErrorWithHint(Reason::kDataException, "the text is not valid UTF-8",
                                  "send bytes as a blob");
}

int BindBytes(sqlite3_stmt* statement, int index, const driver::Value& value, Bytes bytes) {
  // A null pointer would bind NULL.
  const char* data = value.text.data() != nullptr ? value.text.data() : "";
  const sqlite3_destructor_type lifetime =
      bytes == Bytes::kBorrow ? SQLITE_STATIC : SQLITE_TRANSIENT;
  if (value.kind == Kind::kBlob) {
    return sqlite3_bind_blob64(statement, index, data, value.text.size(), lifetime);
  }
  return sqlite3_bind_text64(statement, index, data, value.text.size(), lifetime, SQLITE_UTF8);
}

absl::Status BindTimestamp(sqlite3_stmt* statement, int index, const driver::Value& value,
                           int* code) {
  const std::string text = FormatTimestamp(value.integer, value.nanos);
  if (text.empty()) {
    return MakeError(Reason::kDataException, "the year of a timestamp must be from 1 to 9999");
  }
  *code = sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_TRANSIENT,
                              SQLITE_UTF8);
  return absl::OkStatus();
}

bool FitsKind(Kind kind, std::string_view text) {
  if (kind == Kind::kJson) return IsJson(text);
  const driver::TextKind* const form = driver::FindTextKind(kind);
  if (form == nullptr || !form->is(text)) return false;
  // In another form it is a text, which is found again as such.
  return kind != Kind::kDecimal || driver::IsPlainDecimal(text);
}

absl::Status WriteText(sqlite3_stmt* statement, int index, Kind kind, driver::RowWriter* writer) {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement, index));
  const auto size = static_cast<size_t>(sqlite3_column_bytes(statement, index));
  if (bytes == nullptr) {
    return MakeError(Reason::kBackendResources, "SQLite ran out of memory reading a text");
  }
  const std::string_view text(bytes, size);
  if (!IsUtf8(text)) {
    driver::ErrorInfo info;
    info.column = sqlite3_column_name(statement, index);
    info.hint = "select CAST(column AS BLOB) to read its bytes";
    return MakeError(Reason::kDataException,
                     fmt::format("column '{}' holds text that is not valid UTF-8", info.column),
                     info);
  }
  int64_t seconds = 0;
  int32_t nanos = 0;
  if (kind == Kind::kTimestamp && ParseStoredTimestamp(text, &seconds, &nanos)) {
    writer->Timestamp(seconds, nanos);
  } else {
    writer->Bytes(FitsKind(kind, text) ? kind : Kind::kText, text);
  }
  return absl::OkStatus();
}

// A real that no decimal made is none: bound as a decimal it would be another number.
void WriteReal(double value, Kind kind, driver::RowWriter* writer) {
  if ((kind == Kind::kDecimal || kind == Kind::kJson) && std::isfinite(value)) {
    const std::string text = RealText(value);
    if (KeepsDecimal(text)) {
      return writer->Bytes(kind, kind == Kind::kDecimal ? driver::PlainDecimal(text) : text);
    }
  }
  writer->Real(value);
}

void WriteInteger(int64_t value, Kind kind, driver::RowWriter* writer) {
  if (kind == Kind::kBoolean && (value == 0 || value == 1)) {
    writer->Boolean(value == 1);
  } else if (kind == Kind::kDecimal || kind == Kind::kJson) {
    const fmt::format_int text(value);
    writer->Bytes(kind, std::string_view(text.data(), text.size()));
  } else {
    writer->Integer(value);
  }
}

}  // namespace

driver::Kind KindOfDeclaredType(std::string_view declared_type) {
  std::string type(declared_type.substr(0, declared_type.find('(')));
  std::transform(type.begin(), type.end(), type.begin(), Upper);
  while (type.ends_with(' ')) type.pop_back();
  const auto has = [&](std::string_view part) { return type.find(part) != std::string::npos; };
  if (type.starts_with("BOOL")) return Kind::kBoolean;
  if (type == "INTERVAL") return Kind::kInterval;
  if (type == "DATE") return Kind::kDate;
  if (type == "TIME") return Kind::kTime;
  if (type == "UUID" || type == "GUID") return Kind::kUuid;
  if (type == "JSON" || type == "JSONB") return Kind::kJson;
  if (type.starts_with("TIMESTAMP") || type == "DATETIME") return Kind::kTimestamp;
  if (type.starts_with("DECIMAL") || type.starts_with("NUMERIC")) return Kind::kDecimal;
  if (has("INT") || type == "BIGSERIAL" || type == "SERIAL") return Kind::kInteger;
  if (has("CHAR") || has("CLOB") || has("TEXT")) return Kind::kText;
  if (has("BLOB") || type == "BYTEA") return Kind::kBlob;
  if (has("REAL") || has("FLOA") || has("DOUB")) return Kind::kReal;
  return Kind::kUnspecified;
}

absl::Status Bind(sqlite3_stmt* statement, int index, const driver::Value& value, Bytes bytes) {
  absl::Status checked;
  int code = SQLITE_OK;
  switch (value.kind) {
    case Kind::kUnspecified: code = sqlite3_bind_null(statement, index); break;
    case Kind::kBoolean:
    case Kind::kInteger: code = sqlite3_bind_int64(statement, index, value.integer); break;
    case Kind::kReal:
      if (std::isnan(value.real)) {
        return MakeErrorWithHint(Reason::kDataException, "SQLite cannot store NaN",
                                 "send NULL instead");
      }
      code = sqlite3_bind_double(statement, index, value.real);
      break;
    case Kind::kTimestamp: checked = BindTimestamp(statement, index, value, &code); break;
    case Kind::kArray:
      return MakeErrorWithHint(Reason::kUnsupported, "SQLite lacks the capability `arrays`",
                               "send the elements as a json value and use json_each");
    case Kind::kBlob: code = BindBytes(statement, index, value, bytes); break;
    default:
      checked = CheckText(value);
      if (checked.ok()) code = BindBytes(statement, index, value, bytes);
      break;
  }
  if (!checked.ok()) return checked;
  return code == SQLITE_OK ? absl::OkStatus() : LastError(sqlite3_db_handle(statement));
}

absl::Status WriteColumn(sqlite3_stmt* statement, int index, driver::Kind kind,
                         driver::RowWriter* writer) {
  switch (sqlite3_column_type(statement, index)) {
    case SQLITE_INTEGER: WriteInteger(sqlite3_column_int64(statement, index), kind, writer); break;
    case SQLITE_FLOAT: WriteReal(sqlite3_column_double(statement, index), kind, writer); break;
    case SQLITE_TEXT: return WriteText(statement, index, kind, writer);
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, index));
      const auto size = static_cast<size_t>(sqlite3_column_bytes(statement, index));
      writer->Bytes(Kind::kBlob, std::string_view(bytes, size));
      break;
    }
    default: writer->Null();
  }
  return absl::OkStatus();
}

}  // namespace penstock::sqlite_engine
