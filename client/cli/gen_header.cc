#include "client/cli/gen_header.h"

#include <algorithm>
#include <iterator>

#include "client/cli/gen_names.h"
#include "client/cli/gen_types.h"
#include "fmt/format.h"

namespace penstock::cli {
namespace {

// The members of Table that a column of the same name would hide.
constexpr std::string_view kOfTable[] = {"Alias", "As", "Reference"};

// Returns a name for use in a comment. It cannot end the line, or continue it with a backslash.
std::string InComment(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c > ' ' && c < 0x7f && c != '\\' && c != '"';
  });
  return plain && !text.empty() ? std::string(text) : ToLiteral(text);
}

// Does the same for a type, which may have spaces.
std::string TypeInComment(std::string_view text) {
  const bool words = std::all_of(text.begin(), text.end(),
                                 [](unsigned char c) { return c >= ' ' && c < 0x7f && c != '\\'; });
  return words ? std::string(text) : ToLiteral(text);
}

class Writer {
 public:
  Writer(const GenSchema& schema, sql::Dialect dialect, std::string_view name_space)
      : schema_(schema), dialect_(dialect), name_space_(name_space), names_({}) {}

  GenHeader Write() {
    Begin();
    // Takes the names of types first, because programs use these most.
    std::vector<std::string> types;
    for (const GenTable& table : schema_.tables) {
      types.push_back(names_.Take(ToTypeName(WithSchema(table))));
    }
    for (size_t i = 0; i < types.size(); ++i) Table(schema_.tables[i], types[i]);
    Line("");
    Line("}}  // namespace {}", name_space_);
    return std::move(header_);
  }

 private:
  template <typename... T>
  void Line(fmt::format_string<T...> pattern, T&&... values) {
    fmt::format_to(std::back_inserter(header_.text), pattern, std::forward<T>(values)...);
    header_.text += '\n';
  }
  template <typename... T>
  void Note(fmt::format_string<T...> pattern, T&&... values) {
    header_.notes.push_back(fmt::format(pattern, std::forward<T>(values)...));
  }

  static std::string WithSchema(const GenTable& table) {
    return table.schema.empty() ? table.name : table.schema + "_" + table.name;
  }

  void Begin() {
    Line("// Written by `penstock gen`; changes are lost. The tables of a database of {} for",
         sql::DialectName(dialect_));
    Line("// penstock/sql.h, the query builder.");
    Line("// clang-format off");
    Line("#pragma once");
    Line("");
    for (const char* include : {"<cstdint>", "<optional>", "<string>", "<vector>"}) {
      Line("#include {}", include);
    }
    Line("");
    for (const char* include : {"absl/time/civil_time.h", "absl/time/time.h", "penstock/sql.h"}) {
      Line("#include \"{}\"", include);
    }
    Line("");
    Line("namespace {} {{", name_space_);
  }

  void Table(const GenTable& table, const std::string& type) {
    const std::string name = ToLiteral(table.name);
    const std::string variable = names_.Take(ToIdentifier(WithSchema(table)));
    if (variable != WithSchema(table)) {
      Note("the table {} is {} in C++", InComment(table.FullName()), variable);
    }
    Line("");
    Line("// {} {}.{}", table.is_view ? "View" : "Table", InComment(table.FullName()), Key(table));
    Line("template <penstock::sql::Name As = {}>", name);
    Line("struct {0} : penstock::sql::Table<{0}<As>, {1}, As{2}> {{", type, name,
         table.schema.empty() ? "" : ", " + ToLiteral(table.schema));
    Scope members({std::begin(kOfTable), std::end(kOfTable)});
    members.Take(type);
    for (const GenColumn& column : table.columns) Column(table, type, column, &members);
    Line("}};");
    Line("inline constexpr {}<> {};", type, variable);
  }

  static std::string Key(const GenTable& table) {
    std::string key;
    for (const GenColumn& column : table.columns) {
      if (!column.in_primary_key) continue;
      key += (key.empty() ? " Primary key: " : ", ") + InComment(column.name);
    }
    return key.empty() ? key : key + ".";
  }

  void Column(const GenTable& table, const std::string& type, const GenColumn& column,
              Scope* members) {
    const std::string member = members->Take(ToIdentifier(column.name));
    if (member != column.name) {
      Note("the column {} of {} is {} in C++", InComment(column.name), InComment(table.FullName()),
           member);
    }
    const GenType of = TypeOfColumn(column, dialect_);
    const std::string native =
        column.native_type.empty() ? "an expression" : TypeInComment(column.native_type);
    if (of.is_unknown) {
      Note("the column {} of {} is text in C++, because there is no C++ type for {}",
           InComment(column.name), InComment(table.FullName()), native);
    }
    Line("  penstock::sql::Col<{}, {}, {}> {};  // {}{}{}{}", type, of.name, ToLiteral(column.name),
         member, native, of.is_unknown ? ", as text" : "",
         column.in_primary_key ? ", primary key" : "", column.generated ? ", computed" : "");
  }

  const GenSchema& schema_;
  const sql::Dialect dialect_;
  const std::string_view name_space_;
  Scope names_;
  GenHeader header_;
};

}  // namespace

GenHeader WriteGenHeader(const GenSchema& schema, sql::Dialect dialect,
                         std::string_view name_space) {
  return Writer(schema, dialect, name_space).Write();
}

}  // namespace penstock::cli
