#include "drivers/postgres/parameter_types.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>

#include "drivers/api/error.h"
#include "drivers/postgres/types.h"

namespace penstock::postgres {
namespace {

using driver::Kind;
using driver::MakeErrorWithHint;
using driver::Reason;
using driver::Value;

// The array type of each natural element type.
uint32_t ArrayOf(uint32_t element) {
  static const TypeRegistry& built_in = *new TypeRegistry();
  return built_in.Find(element)->array;
}

// Finds the one kind of all elements; null: only NULLs. False: several. A text among others
// is what the kind could not hold when it came from the server, such as infinity.
bool FindKind(const Value& array, const Value** example) {
  for (const Value& element : array.elements) {
    if (element.is_null()) continue;
    if (element.kind == Kind::kArray) {
      if (!FindKind(element, example)) return false;
    } else if (*example == nullptr || (*example)->kind == Kind::kText) {
      *example = &element;
    } else if (element.kind != Kind::kText && (*example)->kind != element.kind) {
      return false;
    }
  }
  return true;
}

// Each integer in it has 32 bits.
bool IsSmall(const Value& value) {
  if (value.kind == Kind::kArray) {
    return std::all_of(value.elements.begin(), value.elements.end(), IsSmall);
  }
  return value.kind != Kind::kInteger || (value.integer >= std::numeric_limits<int32_t>::min() &&
                                          value.integer <= std::numeric_limits<int32_t>::max());
}

// The type that the kind falls back to: functions that take an integer, or a jsonb, and not the
// wider type.
uint32_t Fallback(const Value& value, uint32_t type) {
  switch (type) {
    case oid::kInt8: return IsSmall(value) ? oid::kInt4 : type;
    case oid::kInt8Array: return IsSmall(value) ? oid::kInt4Array : type;
    case oid::kJson: return oid::kJsonb;
    default: return type;
  }
}

// How well a value stands for its column: each can be sent as what the better ones are.
int Rank(const Value& value) {
  switch (value.kind) {
    case Kind::kUnspecified: return 0;
    case Kind::kText: return 1;
    case Kind::kReal:
    case Kind::kDecimal: return 3;
    default: return 2;
  }
}

bool StandsBetter(const Value& value, const Value& other) {
  if (value.kind == Kind::kInteger && other.kind == Kind::kInteger) {
    return IsSmall(other) && !IsSmall(value);
  }
  return Rank(value) > Rank(other);
}

}  // namespace

absl::StatusOr<uint32_t> NaturalType(const Value& value) {
  switch (value.kind) {
    case Kind::kBoolean: return oid::kBool;
    case Kind::kInteger: return oid::kInt8;
    case Kind::kReal: return oid::kFloat8;
    case Kind::kBlob: return oid::kBytea;
    case Kind::kTimestamp: return oid::kTimestamptz;
    case Kind::kTime:
      return value.text.find_first_of("Z+-") != std::string_view::npos ? oid::kTimetz : oid::kTime;
    case Kind::kArray: {
      const Value* example = nullptr;
      if (!FindKind(value, &example)) {
        return MakeErrorWithHint(Reason::kInvalidParameter, "an array has values of several kinds",
                                 "use elements of one type");
      }
      if (example == nullptr) return ArrayOf(oid::kText);
      absl::StatusOr<uint32_t> element = NaturalType(*example);
      if (!element.ok()) return element;
      return ArrayOf(*element);
    }
    // For JSON it is not jsonb, which writes a document its own way.
    default: return FirstTypeOf(value.kind);
  }
}

bool WantsTypes(const absl::Status& status) {
  // "Could not determine the data type", "the function is not unique", "the operator is not
  // unique", "does not exist" for what the server takes it for, "has type unknown".
  constexpr std::array kSqlstates = {"42P18", "42P08", "42725", "42883", "42804"};
  const std::string sqlstate = driver::GetErrorInfo(status).sqlstate;
  return std::find(kSqlstates.begin(), kSqlstates.end(), sqlstate) != kSqlstates.end();
}

absl::StatusOr<std::vector<ParameterTypes>> TypesToTry(std::span<const Value> args,
                                                       std::span<const Type* const> inferred) {
  const auto needed = [&](size_t i) {
    return inferred.empty() || NeedsDeclaredType(args[i], *inferred[i]);
  };
  size_t at = 0;
  while (at < args.size() && !needed(at)) ++at;
  if (at == args.size()) return std::vector<ParameterTypes>();
  ParameterTypes natural(args.size());
  ParameterTypes fallback(args.size());
  for (; at < args.size(); ++at) {
    if (!needed(at)) continue;
    absl::StatusOr<uint32_t> type = NaturalType(args[at]);
    if (!type.ok()) return type.status();
    natural[at] = *type;
    fallback[at] = Fallback(args[at], *type);
  }
  if (fallback == natural) return std::vector<ParameterTypes>{natural};
  return std::vector<ParameterTypes>{natural, fallback};
}

bool NeedsDeclaredType(const Value& value, const Type& inferred) {
  // Bytes that are declared as such would go into a column of text in a form of
  // the server's own; anything else in the form that it has as text.
  return inferred.oid == oid::kText && !value.is_null() && value.kind != Kind::kText &&
         value.kind != Kind::kBlob;
}

std::vector<Value> Representatives(std::span<const std::vector<Value>> rows) {
  std::vector<Value> best = rows.front();
  for (const std::vector<Value>& row : rows.subspan(1)) {
    for (size_t i = 0; i < std::min(best.size(), row.size()); ++i) {
      if (StandsBetter(row[i], best[i])) best[i] = row[i];
    }
  }
  return best;
}

}  // namespace penstock::postgres
