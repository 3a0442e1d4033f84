// The types of a database, by the numbers (OIDs) that the server calls them.
#ifndef PENSTOCK_DRIVERS_POSTGRES_TYPES_H_
#define PENSTOCK_DRIVERS_POSTGRES_TYPES_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "drivers/api/value.h"

namespace penstock::postgres {

// Of the types that have to be told apart.
namespace oid {
inline constexpr uint32_t kBool = 16, kBytea = 17, kChar = 18, kName = 19, kInt8 = 20, kInt2 = 21,
                          kInt4 = 23, kText = 25, kOid = 26, kJson = 114, kFloat4 = 700,
                          kFloat8 = 701, kUnknown = 705, kBpchar = 1042, kVarchar = 1043,
                          kDate = 1082, kTime = 1083, kTimestamp = 1114, kTimestamptz = 1184,
                          kInterval = 1186, kTimetz = 1266, kNumeric = 1700, kUuid = 2950,
                          kJsonb = 3802;
}  // namespace oid

struct Type {
  uint32_t oid = 0;
  std::string name;
  driver::Kind kind = driver::Kind::kText;
  // Of an array; else null.
  const Type* element = nullptr;
  // What stands between the elements of an array of this type.
  char delimiter = ',';
  // A domain's base type, as far down as it goes; of any other type its own.
  uint32_t base = 0;
  // The array that has this as its element; 0: not known.
  uint32_t array = 0;
};

// Knows the built-in types from the start and learns others from the server's
// catalogue. A Type stays where it is for as long as the registry. Thread-safe.
class TypeRegistry {
 public:
  TypeRegistry();

  // Null: not known yet.
  const Type* Find(uint32_t oid) const;

  // Those of `wanted` that have to be asked for, each once, together with what
  // they are made of.
  std::vector<uint32_t> Missing(std::span<const uint32_t> wanted) const;
  // The query whose rows are for AddFromCatalogue.
  static std::string CatalogueQuery(std::span<const uint32_t> oids);
  // oid, name, typtype, element or 0, delimiter, base or 0. One whose element or
  // base is not known yet stays missing, and so does that.
  void AddFromCatalogue(const std::vector<std::string>& row);
  // What the catalogue did not have travels as text.
  void AddUnknown(std::span<const uint32_t> oids);

 private:
  struct Pending {
    Type type;
    uint32_t element = 0;
    uint32_t base = 0;
  };
  void AddLocked(Type type);
  void SettleLocked();

  mutable std::mutex mutex_;
  std::map<uint32_t, std::unique_ptr<Type>> types_;
  std::map<uint32_t, Pending> pending_;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_TYPES_H_
