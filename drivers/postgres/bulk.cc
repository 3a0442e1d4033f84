#include "drivers/postgres/bulk.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <charconv>
#include <limits>
#include <type_traits>

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

template <typename T>
void PutBigEndian(T value, std::string* out) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>(value >> shift & 0xff));
  }
}

template <typename T>
bool PutInteger(int64_t value, std::string* out) {
  if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) return false;
  PutBigEndian<uint32_t>(sizeof(T), out);
  PutBigEndian(static_cast<std::make_unsigned_t<T>>(value), out);
  return true;
}

bool PutBytes(std::string_view bytes, std::string* out) {
  PutBigEndian(static_cast<uint32_t>(bytes.size()), out);
  out->append(bytes);
  return true;
}

// A value in the server's binary form. False: its kind is not the type's own, or
// has no simple form.
bool PutBinary(const Value& value, const Type& type, std::string* out) {
  switch (type.base) {
    case oid::kInt8: return value.kind == Kind::kInteger && PutInteger<int64_t>(value.integer, out);
    case oid::kInt4: return value.kind == Kind::kInteger && PutInteger<int32_t>(value.integer, out);
    case oid::kInt2: return value.kind == Kind::kInteger && PutInteger<int16_t>(value.integer, out);
    case oid::kFloat8:
      if (value.kind != Kind::kReal) return false;
      PutBigEndian<uint32_t>(8, out);
      PutBigEndian(std::bit_cast<uint64_t>(value.real), out);
      return true;
    case oid::kText:
    case oid::kVarchar:
    case oid::kBpchar: return value.kind == Kind::kText && PutBytes(value.text, out);
    case oid::kBytea: return value.kind == Kind::kBlob && PutBytes(value.text, out);
    default: return false;
  }
}

bool EncodeBinary(size_t column, std::span<const std::vector<Value>> rows, const Type& type,
                  std::string* arena) {
  PutBigEndian<uint32_t>(1, arena);  // dimensions
  PutBigEndian<uint32_t>(1, arena);  // there may be NULLs
  PutBigEndian(type.oid, arena);
  PutBigEndian(static_cast<uint32_t>(rows.size()), arena);
  PutBigEndian<uint32_t>(1, arena);  // the index of the first
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
  Reader reader(sql);
  if (!reader.Keyword("insert") || !reader.Keyword("into") || !Names(&reader, '.')) {
    return std::nullopt;
  }
  if (reader.Char('(') && (!Names(&reader, ',') || !reader.Char(')'))) return std::nullopt;
  const size_t values = sql.size() - reader.left();
  if (!reader.Keyword("values") || !reader.Char('(')) return std::nullopt;
  std::string form = fmt::format("{} SELECT", sql.substr(0, values));
  int count = 0;
  do {
    if (!reader.Parameter(++count)) return std::nullopt;
    form += fmt::format("{} unnest(${})", count > 1 ? "," : "", count);
  } while (reader.Char(','));
  if (!reader.Char(')')) return std::nullopt;
  reader.Char(';');
  if (!reader.AtEnd()) return std::nullopt;
  return form;
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
