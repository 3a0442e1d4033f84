#include "client/cli/gen_types.h"

#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "fmt/format.h"
#include "text/string_views.h"

namespace penstock::cli {
namespace {

// PostgreSQL's types that behave as their kind says. Other types that are text on the wire (inet,
// an enumeration, a range) have operators of their own.
constexpr std::pair<std::string_view, Kind> kNativeTypes[] = {
    {"boolean", Kind::kBoolean},
    {"smallint", Kind::kInteger},
    {"integer", Kind::kInteger},
    {"bigint", Kind::kInteger},
    {"real", Kind::kReal},
    {"double precision", Kind::kReal},
    {"numeric", Kind::kDecimal},
    {"text", Kind::kText},
    {"character varying", Kind::kText},
    {"varchar", Kind::kText},
    {"character", Kind::kText},
    {"char", Kind::kText},
    {"name", Kind::kText},
    {"citext", Kind::kText},
    {"clob", Kind::kText},
    {"bytea", Kind::kBlob},
    {"timestamp with time zone", Kind::kTimestamp},
    {"timestamp without time zone", Kind::kTimestamp},
    {"date", Kind::kDate},
    {"time with time zone", Kind::kTime},
    {"time without time zone", Kind::kTime},
    {"interval", Kind::kInterval},
    {"uuid", Kind::kUuid},
    {"json", Kind::kJson},
    {"jsonb", Kind::kJson},
};

// Returns the name of a type in lower case and without its length.
std::string PlainName(std::string_view native_type) {
  std::string name = absl::AsciiStrToLower(ToAbsl(native_type.substr(0, native_type.find('('))));
  while (name.ends_with(' ')) name.pop_back();
  return name;
}

Kind KindOfNative(std::string_view native_type) {
  const std::string name = PlainName(native_type);
  for (const auto& [known, kind] : kNativeTypes) {
    if (known == name) return kind;
  }
  return Kind::kUnspecified;
}

std::string_view NameOf(Kind kind) {
  switch (kind) {
    case Kind::kBoolean: return "bool";
    case Kind::kInteger: return "std::int64_t";
    case Kind::kReal: return "double";
    case Kind::kBlob: return "penstock::Bytes";
    case Kind::kDecimal: return "penstock::Decimal";
    case Kind::kTimestamp: return "absl::Time";
    case Kind::kDate: return "absl::CivilDay";
    case Kind::kTime: return "penstock::TimeOfDay";
    case Kind::kInterval: return "penstock::Interval";
    case Kind::kUuid: return "penstock::Uuid";
    case Kind::kJson: return "penstock::Json";
    case Kind::kText:
    case Kind::kArray:
    case Kind::kUnspecified: break;
  }
  return "std::string";
}

GenType OfArray(std::string_view native_type) {
  const std::string_view element = native_type.substr(0, native_type.find('['));
  const Kind kind = KindOfNative(element);
  return {fmt::format("std::vector<{}>", NameOf(kind)), kind == Kind::kUnspecified};
}

GenType OfValue(const GenColumn& column, sql::Dialect dialect) {
  if (column.kind == Kind::kArray) return OfArray(column.native_type);
  // On SQLite a text column is always text, whatever the name of its type is.
  const bool has_names =
      dialect == sql::Dialect::kPostgres || dialect == sql::Dialect::kCockroachDb;
  const bool is_unknown =
      column.kind == Kind::kUnspecified ||
      (has_names && column.kind == Kind::kText && KindOfNative(column.native_type) != Kind::kText);
  return {std::string(NameOf(column.kind)), is_unknown};
}

}  // namespace

GenType TypeOfColumn(const GenColumn& column, sql::Dialect dialect) {
  GenType type = OfValue(column, dialect);
  if (column.nullable) type.name = fmt::format("std::optional<{}>", type.name);
  return type;
}

}  // namespace penstock::cli
