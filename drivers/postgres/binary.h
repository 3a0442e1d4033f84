// Values in the server's binary form, which saves both sides the digits.
#ifndef PENSTOCK_DRIVERS_POSTGRES_BINARY_H_
#define PENSTOCK_DRIVERS_POSTGRES_BINARY_H_

#include <bit>
#include <concepts>
#include <cstring>
#include <string>

#include "drivers/api/value.h"
#include "drivers/postgres/types.h"

namespace penstock::postgres {

// The order of bytes on the wire.
template <std::unsigned_integral T>
void PutBigEndian(T value, std::string* out) {
  char bytes[sizeof(T)];
  for (size_t i = 0; i < sizeof(T); ++i) {
    bytes[i] = static_cast<char>(value >> (8 * (sizeof(T) - 1 - i)));
  }
  out->append(bytes, sizeof bytes);
}

// Appends `value`, which is not NULL, with its length before it, as a field of an
// array or of COPY: exactly what the server makes of the value's text. False:
// there is no such form for a value of this kind and that type, and something may
// have been appended.
bool PutBinary(const driver::Value& value, const Type& type, std::string* out);

// Some values of the type have that form.
bool HasBinaryForm(const Type& type);

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_BINARY_H_
