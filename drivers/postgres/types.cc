#include "drivers/postgres/types.h"

#include <set>

namespace penstock::postgres {
namespace {

using driver::Kind;

struct BuiltIn {
  uint32_t oid;
  uint32_t array;
  Kind kind;
  const char* name;
};
// The first of a kind is the one of a parameter of that kind (FirstTypeOf).
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

// Those below are given by hand in PostgreSQL's sources, once and for ever; what comes after
// them is numbered when a database is made, or is a user's.
constexpr uint32_t kFirstThatMayChange = 10'000;

}  // namespace

uint32_t FirstTypeOf(driver::Kind kind) {
  if (kind == Kind::kText) return oid::kText;
  for (const BuiltIn& entry : kBuiltIn) {
    if (entry.kind == kind) return entry.oid;
  }
  return oid::kText;
}

TypeRegistry::TypeRegistry() {
  for (const BuiltIn& entry : kBuiltIn) {
    const auto type = std::make_shared<Type>(Type{.oid = entry.oid,
                                                  .name = entry.name,
                                                  .kind = entry.kind,
                                                  .base = entry.oid,
                                                  .array = entry.array});
    Keep(type);
    if (entry.array == 0) continue;
    Keep(std::make_shared<Type>(Type{.oid = entry.array,
                                     .name = std::string(entry.name) + "[]",
                                     .kind = Kind::kArray,
                                     .element = type.get(),
                                     .base = entry.array,
                                     .made_of = type}));
  }
}

TypePtr TypeRegistry::Find(uint32_t oid) const {
  std::lock_guard lock(mutex_);
  const auto found = types_.find(oid);
  return found == types_.end() ? nullptr : found->second;
}

std::vector<uint32_t> TypeRegistry::Missing(std::span<const uint32_t> wanted) const {
  std::lock_guard lock(mutex_);
  std::set<uint32_t> missing;
  for (const uint32_t number : wanted) {
    if (!types_.contains(number)) missing.insert(number);
  }
  return {missing.begin(), missing.end()};
}

void TypeRegistry::Keep(const TypePtr& type) {
  if (type->provisional || type->oid >= kFirstThatMayChange) return;
  std::lock_guard lock(mutex_);
  types_.emplace(type->oid, type);
}

}  // namespace penstock::postgres
