#include "drivers/postgres/catalogue.h"

#include <charconv>
#include <utility>

#include "fmt/format.h"
#include "fmt/ranges.h"
#include "text/utf8.h"

namespace penstock::postgres {
namespace {

using driver::Kind;

constexpr int kMaxDepth = 32;
// PostgreSQL's own names have 63 bytes at most, twice, and may be quoted.
constexpr size_t kMaxNameBytes = 1024;

bool ToOid(const std::string& text, uint32_t* number) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *number);
  return error == std::errc() && stop == end;
}

std::string NameOf(uint32_t oid, const std::string& name) {
  // format_type has "???" for a type that is not there any more.
  if (name.empty() || name == "???") return fmt::format("type {}", oid);
  return ToUtf8(name.substr(0, kMaxNameBytes));
}

}  // namespace

// An array is what its element calls its array: int2vector and others that look like arrays
// have forms of their own. UNION takes each type once, so that no circle is followed.
std::string CatalogueQuery(std::span<const uint32_t> oids) {
  return fmt::format(
      "WITH RECURSIVE needed(oid) AS ("
      "SELECT pg_catalog.unnest(ARRAY[{}]::pg_catalog.oid[]) UNION "
      "SELECT parts.oid FROM needed JOIN pg_catalog.pg_type t ON t.oid = needed.oid "
      "CROSS JOIN LATERAL (VALUES (t.typelem), (t.typbasetype)) AS parts(oid) "
      "WHERE parts.oid <> 0) "
      "SELECT needed.oid, pg_catalog.format_type(needed.oid, NULL), t.typtype, t.typdelim, "
      "CASE WHEN t.typtype = 'd' THEN t.typbasetype WHEN e.typarray = t.oid THEN t.typelem END "
      "FROM needed LEFT JOIN pg_catalog.pg_type t ON t.oid = needed.oid "
      "LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem",
      fmt::join(oids, ","));
}

bool CatalogueAnswer::Add(const std::vector<std::string>& row) {
  uint32_t number = 0;
  if (rows_.size() >= kMaxRows || row.size() != 5 || !ToOid(row[0], &number)) return false;
  Row read{.name = NameOf(number, row[1]), .seen = !row[2].empty(), .domain = row[2] == "d"};
  if (!row[3].empty()) read.delimiter = row[3].front();
  if (!row[4].empty() && !ToOid(row[4], &read.made_of)) return false;
  return rows_.emplace(number, std::move(read)).second;
}

TypePtr CatalogueAnswer::Resolve(uint32_t oid, TypeRegistry* registry, int depth) {
  if (TypePtr known = registry->Find(oid); known != nullptr) return known;
  const auto [at, added] = resolved_.emplace(oid, nullptr);
  const auto row = rows_.find(oid);
  // One that is there and has no type yet is on its way: it is made of itself.
  if (!added && at->second != nullptr) return at->second;
  const bool sound = added && depth < kMaxDepth && row != rows_.end();
  if (!sound) return Make(oid, {.name = NameOf(oid, "")}, nullptr);
  TypePtr made_of;
  if (row->second.made_of != 0) made_of = Resolve(row->second.made_of, registry, depth + 1);
  at->second = Make(oid, row->second, std::move(made_of));
  registry->Keep(at->second);
  return at->second;
}

TypePtr CatalogueAnswer::Make(uint32_t oid, const Row& row, TypePtr made_of) {
  auto type = std::make_shared<Type>();
  type->oid = oid;
  type->name = row.name;
  type->delimiter = row.delimiter;
  type->base = oid;
  type->provisional = !row.seen || (made_of != nullptr && made_of->provisional);
  if (type->provisional || made_of == nullptr) return type;
  type->kind = row.domain ? made_of->kind : Kind::kArray;
  type->element = row.domain ? made_of->element : made_of.get();
  if (row.domain) type->base = made_of->base;
  type->made_of = std::move(made_of);
  return type;
}

}  // namespace penstock::postgres
