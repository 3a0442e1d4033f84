// A look into the server's catalogue of types.
#ifndef PENSTOCK_DRIVERS_POSTGRES_CATALOGUE_H_
#define PENSTOCK_DRIVERS_POSTGRES_CATALOGUE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "drivers/postgres/types.h"

namespace penstock::postgres {

// The query that tells of the types `oids`, and of all that they are made of, in one answer.
// Names come from the server's own cache, which knows what is there now; the rest is what the
// transaction sees, and a type that was made after its snapshot has no more than its name.
std::string CatalogueQuery(std::span<const uint32_t> oids);

// The rows of that query, from a server that may be broken: whatever they say, a type comes of
// it in bounded time and space. Used by one thread.
class CatalogueAnswer {
 public:
  // So many rows are taken. A statement has some thousand types at most, each made of few.
  static constexpr size_t kMaxRows = 100'000;

  // One row, its columns as text. False: it is not of that query, or there are too many.
  bool Add(const std::vector<std::string>& row);

  // The type `oid`, made of the answer and of what `registry` knows, which keeps what cannot
  // change. Never null: what the answer does not have, or what is made of itself, or of more
  // than 32 others one within the other, is a provisional text.
  TypePtr Resolve(uint32_t oid, TypeRegistry* registry) { return Resolve(oid, registry, 0); }

 private:
  struct Row {
    std::string name;
    bool seen = false;  // in the catalogue, by this transaction
    bool domain = false;
    char delimiter = ',';
    uint32_t made_of = 0;  // an array's element, a domain's base; 0: it is neither
  };

  TypePtr Resolve(uint32_t oid, TypeRegistry* registry, int depth);
  static TypePtr Make(uint32_t oid, const Row& row, TypePtr made_of);

  std::map<uint32_t, Row> rows_;
  std::map<uint32_t, TypePtr> resolved_;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_CATALOGUE_H_
