// Which types are declared for parameters that the server cannot tell from where they stand.
#ifndef PENSTOCK_DRIVERS_POSTGRES_PARAMETER_TYPES_H_
#define PENSTOCK_DRIVERS_POSTGRES_PARAMETER_TYPES_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/value.h"
#include "drivers/postgres/types.h"

namespace penstock::postgres {

// One type for each parameter; 0: the server tells it.
using ParameterTypes = std::vector<uint32_t>;

// The type that the kind of a value stands for. INVALID_PARAMETER: an array of several kinds.
absl::StatusOr<uint32_t> NaturalType(const driver::Value& value);

// The server has taken the parameter for text because it could be anything, and
// the value is something else.
bool NeedsDeclaredType(const driver::Value& value, const Type& inferred);

// `status`, of a statement that was prepared with too few types, or with others, may be due to
// them.
bool WantsTypes(const absl::Status& status);

// Returns what to declare for `args`, in the order in which it is to be tried: first what their
// kinds stand for, then what these fall back to (integer for bigint, jsonb for json). `inferred`:
// what the server has told, one for each of `args`, of which only the text that could be
// anything is declared; none: it could not, and all are. Empty: nothing is to be declared.
// INVALID_PARAMETER: an array of several kinds.
absl::StatusOr<std::vector<ParameterTypes>> TypesToTry(std::span<const driver::Value> args,
                                                       std::span<const Type* const> inferred);

// A row whose kinds stand for those of all `rows`, of which there is one at least: no NULL or
// text where another row has something else, no integer where one has a real or decimal, and
// none of 32 bits where one has more. It borrows from `rows`.
std::vector<driver::Value> Representatives(std::span<const std::vector<driver::Value>> rows);

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_PARAMETER_TYPES_H_
