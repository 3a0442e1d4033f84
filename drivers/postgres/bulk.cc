#include "drivers/postgres/bulk.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "drivers/postgres/binary.h"
#include "fmt/format.h"

namespace penstock::postgres {
namespace {

using driver::Kind;
using driver::Value;

// Reads the one form that is known here; anything else, comments included, is
// not it.
class Reader {
 public:
  explicit Reader(std::string_view sql) : rest_(sql) {}

  bool Keyword(std::string_view keyword) {
    Skip();
    size_t size = 0;
    while (size < rest_.size() && IsWord(rest_[size])) ++size;
    const auto same = [](char a, char b) {
      return std::tolower(static_cast<unsigned char>(a)) == static_cast<unsigned char>(b);
    };
    if (!std::equal(rest_.begin(), rest_.begin() + static_cast<ptrdiff_t>(size), keyword.begin(),
                    keyword.end(), same)) {
      return false;
    }
    rest_.remove_prefix(size);
    return true;
  }

  bool Identifier() {
    Skip();
    size_t size = 0;
    if (rest_.starts_with('"')) {
      size = rest_.find('"', 1);
      if (size == std::string_view::npos) return false;
      ++size;
    } else {
      while (size < rest_.size() && IsWord(rest_[size])) ++size;
      if (size == 0 || std::isdigit(static_cast<unsigned char>(rest_[0])) != 0) return false;
    }
    rest_.remove_prefix(size);
    return true;
  }

  bool Char(char c) {
    Skip();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // "$<number>"
  bool Parameter(int number) {
    if (!Char('$')) return false;
    int found = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), found);
    if (error != std::errc() || found != number) return false;
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return true;
  }

  bool AtEnd() {
    Skip();
    return rest_.empty();
  }
  size_t left() const { return rest_.size(); }

 private:
  static bool IsWord(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0;
  }
  void Skip() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_[0])) != 0) {
      rest_.remove_prefix(1);
    }
  }

  std::string_view rest_;
};

bool Names(Reader* reader, char separator) {
  do {
    if (!reader->Identifier()) return false;
  } while (reader->Char(separator));
  return true;
}

// "INSERT INTO <table>(<columns>) VALUES($1, …)", of which `head` is what stands
// before VALUES.
struct Insert {
  std::string_view head;
  std::string_view table;
  std::string_view columns;  // empty: there is no list
  int parameters = 0;
};

std::optional<Insert> ReadInsert(std::string_view sql) {
  Reader reader(sql);
  const auto since = [&](size_t begin) {
    return sql.substr(begin, sql.size() - reader.left() - begin);
  };
  Insert insert;
  if (!reader.Keyword("insert") || !reader.Keyword("into")) return std::nullopt;
  size_t begin = sql.size() - reader.left();
  if (!Names(&reader, '.')) return std::nullopt;
  insert.table = since(begin);
  if (reader.Char('(')) {
    begin = sql.size() - reader.left();
    if (!Names(&reader, ',')) return std::nullopt;
    insert.columns = since(begin);
    if (!reader.Char(')')) return std::nullopt;
  }
  insert.head = since(0);
  if (!reader.Keyword("values") || !reader.Char('(')) return std::nullopt;
  do {
    if (!reader.Parameter(++insert.parameters)) return std::nullopt;
  } while (reader.Char(','));
  if (!reader.Char(')')) return std::nullopt;
  reader.Char(';');
  return reader.AtEnd() ? std::optional(insert) : std::nullopt;
}

bool EncodeBinary(size_t column, std::span<const std::vector<Value>> rows, const Type& type,
                  std::string* arena) {
  PutBigEndian(uint32_t{1}, arena);  // dimensions
  PutBigEndian(uint32_t{1}, arena);  // there may be NULLs
  PutBigEndian(type.oid, arena);
  PutBigEndian(static_cast<uint32_t>(rows.size()), arena);
  PutBigEndian(uint32_t{1}, arena);  // the index of the first
  for (const std::vector<Value>& row : rows) {
    if (row[column].is_null()) {
      PutBigEndian(~uint32_t{0}, arena);
    } else if (!PutBinary(row[column], type, arena)) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::optional<std::string> BulkForm(std::string_view sql) {
  const std::optional<Insert> insert = ReadInsert(sql);
  if (!insert.has_value()) return std::nullopt;
  std::string form = fmt::format("{} SELECT", insert->head);
  for (int i = 1; i <= insert->parameters; ++i) {
    form += fmt::format("{} unnest(${})", i > 1 ? "," : "", i);
  }
  return form;
}

std::optional<std::string> SeveralForm(std::string_view sql, size_t rows) {
  const std::optional<Insert> insert = ReadInsert(sql);
  if (!insert.has_value()) return std::nullopt;
  std::string form = fmt::format("{} VALUES ", insert->head);
  int parameter = 0;
  for (size_t row = 0; row < rows; ++row) {
    form += row > 0 ? ",(" : "(";
    for (int i = 0; i < insert->parameters; ++i) {
      form += fmt::format("{}${}", i > 0 ? "," : "", ++parameter);
    }
    form += ')';
  }
  return form;
}

std::optional<CopyForm> CopyFormOf(std::string_view sql) {
  const std::optional<Insert> insert = ReadInsert(sql);
  // Without a list of columns COPY takes all of them, and INSERT the first ones.
  if (!insert.has_value() || insert->columns.empty()) return std::nullopt;
  // The table's name goes into a string as well.
  if (insert->table.find_first_of("'\\") != std::string_view::npos) return std::nullopt;
  return CopyForm{
      .table = std::string(insert->table),
      .sql = fmt::format("COPY {}({}) FROM STDIN (FORMAT binary)", insert->table, insert->columns)};
}

std::vector<uint32_t> BulkTypes(std::span<const Type* const> parameters) {
  std::vector<uint32_t> types;
  for (const Type* type : parameters) {
    if (type->array == 0) return {};
    types.push_back(type->array);
  }
  return types;
}

absl::Status EncodeBulkColumn(size_t column, std::span<const std::vector<Value>> rows,
                              const Type& type, std::string* arena, Parameter* parameter) {
  *parameter = {.binary = true, .offset = arena->size()};
  if (!EncodeBinary(column, rows, type, arena)) {
    arena->resize(parameter->offset);
    parameter->binary = false;
    std::vector<Value> elements;
    for (const std::vector<Value>& row : rows) elements.push_back(row[column]);
    Value array;
    array.kind = Kind::kArray;
    array.elements = elements;
    const Type array_type{.oid = type.array,
                          .name = type.name,
                          .kind = Kind::kArray,
                          .element = &type,
                          .base = type.array};
    return EncodeParameter(static_cast<int>(column) + 1, array, array_type, arena, parameter);
  }
  parameter->size = arena->size() - parameter->offset;
  return absl::OkStatus();
}

}  // namespace penstock::postgres
