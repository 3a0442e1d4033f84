#include "drivers/postgres/decode.h"

#include <string>

#include "drivers/api/error.h"
#include "drivers/api/text.h"
#include "drivers/postgres/array.h"
#include "drivers/postgres/scalar.h"
#include "fmt/format.h"

namespace penstock::postgres {
namespace {

using driver::Kind;
using driver::Value;

absl::Status Unreadable(const Type& type, std::string_view text) {
  if (driver::IsUtf8(text)) {
    return driver::MakeErrorWithHint(
        driver::Reason::kDataException,
        fmt::format("the server has sent a value of type {} in a form that cannot be read",
                    type.name),
        "read it as text: write a cast, ::text");
  }
  return driver::MakeErrorWithHint(
      driver::Reason::kDataException,
      fmt::format("a value of type {} is not valid UTF-8", type.name),
      "the database's encoding is SQL_ASCII; convert the value with convert_from, or read it as "
      "bytea");
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

}  // namespace

absl::Status WriteValue(const Type& type, std::string_view text, driver::RowWriter* writer) {
  Value value;
  if (type.kind == Kind::kArray) {
    ArrayStore store;
    if (!ReadArray(type, text, &store, &value)) return Unreadable(type, text);
    Write(value, writer);
    return absl::OkStatus();
  }
  std::string kept;
  if (!ReadScalar(type, text, &kept, &value)) return Unreadable(type, text);
  Write(value, writer);
  return absl::OkStatus();
}

}  // namespace penstock::postgres
