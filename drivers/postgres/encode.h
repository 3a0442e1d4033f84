// Values on their way into PostgreSQL.
#ifndef PENSTOCK_DRIVERS_POSTGRES_ENCODE_H_
#define PENSTOCK_DRIVERS_POSTGRES_ENCODE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "drivers/api/value.h"
#include "drivers/postgres/types.h"

namespace penstock::postgres {

// One parameter as it is sent.
struct Parameter {
  bool null = false;
  bool binary = false;
  // Bytes of the caller's own; null: they are in the arena.
  const char* direct = nullptr;
  size_t offset = 0;
  size_t size = 0;

  std::string_view bytes(const std::string& arena) const {
    return {direct != nullptr ? direct : arena.data() + offset, size};
  }
};

// Makes parameter `number` (from 1) of a statement, which the server takes as
// `type`. A value is converted exactly or refused; the error names the parameter,
// its kind and the type, and not the value. The text goes to the end of `arena`.
absl::Status EncodeParameter(int number, const driver::Value& value, const Type& type,
                             std::string* arena, Parameter* parameter);

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_ENCODE_H_
