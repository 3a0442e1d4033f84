#include "drivers/postgres/decode.h"

#include <string>

#include "drivers/api/error.h"
#include "drivers/postgres/array.h"
#include "drivers/postgres/scalar.h"
#include "fmt/format.h"
#include "text/utf8.h"

namespace penstock::postgres {
namespace {

using driver::Kind;
using driver::Value;

absl::Status Unreadable(const Type& type, std::string_view text) {
  if (IsUtf8(text)) {
    return driver::MakeErrorWithHint(
        driver::Reason::kDataException,
        fmt::format("the server sent a value of type {} in a form that cannot be read", type.name),
        "cast it to text (::text)");
  }
  return driver::MakeErrorWithHint(driver::Reason::kDataException,
                                   fmt::format("a value of type {} is not valid UTF-8", type.name),
                                   "convert the value with convert_from, or read it as bytea; the "
                                   "database's encoding is SQL_ASCII");
}

void Write(const Value& value, driver::RowWriter* writer) {
  switch (value.kind) {
    case Kind::kBoolean: writer->Boolean(value.integer != 0); break;
    case Kind::kInteger: writer->Integer(value.integer); break;
    case Kind::kReal: writer->Real(value.real); break;
    case Kind::kTimestamp: writer->Timestamp(value.integer, value.nanos); break;
    case Kind::kArray: writer->Array(value.elements); break;
    default: writer->Bytes(value.kind, value.text); break;
  }
}

absl::Status WriteArray(const Type& type, std::string_view text, driver::RowWriter* writer) {
  ArrayStore store;
  Value value;
  if (!ReadArray(type, text, &store, &value)) return Unreadable(type, text);
  Write(value, writer);
  return absl::OkStatus();
}

absl::Status WriteKept(const Type& type, std::string_view text, driver::RowWriter* writer) {
  std::string bytes;
  Value value;
  if (!ReadScalar(type, text, &bytes, &value)) return Unreadable(type, text);
  Write(value, writer);
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteValue(const Type& type, std::string_view text, driver::RowWriter* writer) {
  // Apart, because what is most frequent needs nowhere to keep anything.
  if (type.kind == Kind::kArray) return WriteArray(type, text, writer);
  if (type.kind == Kind::kBlob || type.kind == Kind::kDecimal) return WriteKept(type, text, writer);
  Value value;
  if (!ReadScalar(type, text, nullptr, &value)) return Unreadable(type, text);
  Write(value, writer);
  return absl::OkStatus();
}

}  // namespace penstock::postgres
