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

// The numbers of the types that have to be told apart.
namespace oid {
inline constexpr uint32_t kBool = 16, kBytea = 17, kChar = 18, kName = 19, kInt8 = 20, kInt2 = 21,
                          kInt4 = 23, kText = 25, kOid = 26, kJson = 114, kFloat4 = 700,
                          kFloat8 = 701, kUnknown = 705, kBpchar = 1042, kVarchar = 1043,
                          kDate = 1082, kTime = 1083, kTimestamp = 1114, kTimestamptz = 1184,
                          kInterval = 1186, kTimetz = 1266, kNumeric = 1700, kUuid = 2950,
                          kJsonb = 3802, kInt4Array = 1007, kInt8Array = 1016;
}  // namespace oid

// The first type of PostgreSQL's own that has the kind; text of one that none has.
uint32_t FirstTypeOf(driver::Kind kind);

struct Type;
// Keeps the type, and the types it is made of, alive.
using TypePtr = std::shared_ptr<const Type>;

// One type as the catalogue had it when it was asked. Immutable once it is shared.
struct Type {
  uint32_t oid = 0;
  // The name as SQL spells it; valid UTF-8.
  std::string name;
  driver::Kind kind = driver::Kind::kText;
  // The element of an array or of a domain over arrays; null for other types. Somebody keeps it
  // alive: `made_of`, or whoever has made this object for a moment.
  const Type* element = nullptr;
  // Stands between the elements of an array whose elements are of this type.
  char delimiter = ',';
  // A domain's base type, as far down as it goes; of any other type its own.
  uint32_t base = 0;
  // The array that has this as its element; 0: not known.
  uint32_t array = 0;
  // The transaction did not see it, or what it is made of, in the catalogue: its values travel
  // as text, and it is to be asked for again by whoever needs it next.
  bool provisional = false;
  // An array's element, a domain's base.
  TypePtr made_of;
};

// The types that cannot change: PostgreSQL's own, whose numbers are the same on every server.
// It has the most frequent ones from the start, and keeps others that were learnt. All others,
// which can be renamed, dropped and made anew, are asked for whenever a statement is made known
// (CatalogueAnswer), and belong to that statement. Thread-safe.
class TypeRegistry {
 public:
  TypeRegistry();

  // Null: it is to be asked for.
  TypePtr Find(uint32_t oid) const;
  // Those of `wanted` that are to be asked for, each once.
  std::vector<uint32_t> Missing(std::span<const uint32_t> wanted) const;
  // Keeps a type if it cannot change.
  void Keep(const TypePtr& type);

 private:
  mutable std::mutex mutex_;
  std::map<uint32_t, TypePtr> types_;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_TYPES_H_
