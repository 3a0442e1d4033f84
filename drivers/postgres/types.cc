#include "drivers/postgres/types.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

#include "fmt/format.h"
#include "fmt/ranges.h"

namespace penstock::postgres {
namespace {

using driver::Kind;

struct BuiltIn {
  uint32_t oid;
  uint32_t array;
  Kind kind;
  const char* name;
};
constexpr BuiltIn kBuiltIn[] = {
    {oid::kBool, 1000, Kind::kBoolean, "boolean"},
    {oid::kBytea, 1001, Kind::kBlob, "bytea"},
    {oid::kChar, 1002, Kind::kText, "\"char\""},
    {oid::kName, 1003, Kind::kText, "name"},
    {oid::kInt8, 1016, Kind::kInteger, "bigint"},
    {oid::kInt2, 1005, Kind::kInteger, "smallint"},
    {oid::kInt4, 1007, Kind::kInteger, "integer"},
    {oid::kText, 1009, Kind::kText, "text"},
    {oid::kOid, 1028, Kind::kInteger, "oid"},
    {oid::kJson, 199, Kind::kJson, "json"},
    {oid::kFloat4, 1021, Kind::kReal, "real"},
    {oid::kFloat8, 1022, Kind::kReal, "double precision"},
    {oid::kUnknown, 0, Kind::kText, "unknown"},
    {oid::kBpchar, 1014, Kind::kText, "character"},
    {oid::kVarchar, 1015, Kind::kText, "character varying"},
    {oid::kDate, 1182, Kind::kDate, "date"},
    {oid::kTime, 1183, Kind::kTime, "time without time zone"},
    {oid::kTimestamp, 1115, Kind::kTimestamp, "timestamp without time zone"},
    {oid::kTimestamptz, 1185, Kind::kTimestamp, "timestamp with time zone"},
    {oid::kInterval, 1187, Kind::kInterval, "interval"},
    {oid::kTimetz, 1270, Kind::kTime, "time with time zone"},
    {oid::kNumeric, 1231, Kind::kDecimal, "numeric"},
    {oid::kUuid, 2951, Kind::kUuid, "uuid"},
    {oid::kJsonb, 3807, Kind::kJson, "jsonb"},
};

uint32_t ToOid(const std::string& text) {
  return static_cast<uint32_t>(std::strtoul(text.c_str(), nullptr, 10));
}

}  // namespace

TypeRegistry::TypeRegistry() {
  for (const BuiltIn& entry : kBuiltIn) {
    AddLocked({.oid = entry.oid,
               .name = entry.name,
               .kind = entry.kind,
               .base = entry.oid,
               .array = entry.array});
    if (entry.array == 0) continue;
    AddLocked({.oid = entry.array,
               .name = std::string(entry.name) + "[]",
               .kind = Kind::kArray,
               .element = types_.at(entry.oid).get(),
               .base = entry.array});
  }
}

void TypeRegistry::AddLocked(Type type) {
  const uint32_t number = type.oid;
  types_.emplace(number, std::make_unique<Type>(std::move(type)));
}

const Type* TypeRegistry::Find(uint32_t oid) const {
  std::lock_guard lock(mutex_);
  const auto found = types_.find(oid);
  return found == types_.end() ? nullptr : found->second.get();
}

std::vector<uint32_t> TypeRegistry::Missing(std::span<const uint32_t> wanted) const {
  std::lock_guard lock(mutex_);
  std::set<uint32_t> missing;
  for (uint32_t number : wanted) {
    // Down to what is not known at all.
    for (auto found = pending_.find(number); found != pending_.end() && !types_.contains(number);
         found = pending_.find(number)) {
      number = found->second.element != 0 ? found->second.element : found->second.base;
    }
    if (!types_.contains(number)) missing.insert(number);
  }
  return {missing.begin(), missing.end()};
}

std::string TypeRegistry::CatalogueQuery(std::span<const uint32_t> oids) {
  return fmt::format(
      "SELECT t.oid, pg_catalog.format_type(t.oid, NULL), t.typtype, "
      "CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END, "
      "COALESCE((SELECT e.typdelim FROM pg_catalog.pg_type e WHERE e.oid = t.typelem), ','), "
      "t.typbasetype FROM pg_catalog.pg_type t WHERE t.oid IN ({})",
      fmt::join(oids, ","));
}

void TypeRegistry::AddFromCatalogue(const std::vector<std::string>& row) {
  std::lock_guard lock(mutex_);
  Pending pending;
  pending.type.oid = ToOid(row.at(0));
  pending.type.name = row.at(1);
  pending.element = ToOid(row.at(3));
  pending.type.delimiter = row.at(4).empty() ? ',' : row.at(4).front();
  pending.base = row.at(2) == "d" ? ToOid(row.at(5)) : 0;
  pending_.emplace(pending.type.oid, std::move(pending));
  SettleLocked();
}

void TypeRegistry::SettleLocked() {
  for (bool settled = true; settled;) {
    settled = false;
    for (auto next = pending_.begin(); next != pending_.end();) {
      Pending& pending = next->second;
      const uint32_t needs = pending.element != 0 ? pending.element : pending.base;
      const auto found = types_.find(needs);
      if (needs != 0 && found == types_.end()) {
        ++next;
        continue;
      }
      Type type = std::move(pending.type);
      type.base = type.oid;
      if (pending.element != 0) {
        type.kind = Kind::kArray;
        type.element = found->second.get();
      } else if (pending.base != 0) {
        type.kind = found->second->kind;
        type.element = found->second->element;
        type.delimiter = found->second->delimiter;
        type.base = found->second->base;
      }
      AddLocked(std::move(type));
      next = pending_.erase(next);
      settled = true;
    }
  }
}

void TypeRegistry::AddUnknown(std::span<const uint32_t> oids) {
  std::lock_guard lock(mutex_);
  for (const uint32_t number : oids) {
    if (types_.contains(number) || pending_.contains(number)) continue;
    AddLocked({.oid = number, .name = fmt::format("type {}", number), .base = number});
  }
  SettleLocked();
}

}  // namespace penstock::postgres
