// Maps C++ types to the kinds of SQL values, and says which types can be compared.
#ifndef PENSTOCK_SQL_KINDS_H_
#define PENSTOCK_SQL_KINDS_H_

#include <chrono>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "penstock/sql/tree.h"
#include "penstock/value.h"

namespace penstock::sql {
namespace internal {

template <typename T>
struct Unwrapped {
  using Type = T;
  static constexpr bool kNullable = false;
};
template <typename T>
struct Unwrapped<std::optional<T>> {
  using Type = T;
  static constexpr bool kNullable = true;
};
template <>
struct Unwrapped<std::nullopt_t> {
  using Type = std::nullopt_t;
  static constexpr bool kNullable = true;
};

}  // namespace internal

// T without std::optional, and whether T is a std::optional.
template <typename T>
using Plain = typename internal::Unwrapped<T>::Type;
template <typename T>
inline constexpr bool kNullable = internal::Unwrapped<T>::kNullable;
// T as a std::optional.
template <typename T>
using Nullable = std::optional<Plain<T>>;
// U, as a std::optional if one of the T is a std::optional.
template <typename U, typename... T>
using NullableIf = std::conditional_t<(kNullable<T> || ...), Nullable<U>, U>;

// The kind of values of type T; kUnspecified if T is not a value type.
template <typename T>
constexpr Kind KindOf() {
  using P = std::remove_cvref_t<Plain<std::remove_cvref_t<T>>>;
  if constexpr (std::same_as<P, bool>) {
    return Kind::kBoolean;
  } else if constexpr (IntegerType<P>) {
    return Kind::kInteger;
  } else if constexpr (std::same_as<P, float> || std::same_as<P, double>) {
    return Kind::kReal;
  } else if constexpr (std::same_as<P, Bytes> ||
                       std::convertible_to<P, std::span<const std::byte>>) {
    return Kind::kBlob;
  } else if constexpr (std::same_as<P, Decimal>) {
    return Kind::kDecimal;
  } else if constexpr (std::same_as<P, TimeOfDay>) {
    return Kind::kTime;
  } else if constexpr (std::same_as<P, Interval> || std::same_as<P, absl::Duration>) {
    return Kind::kInterval;
  } else if constexpr (std::same_as<P, Uuid>) {
    return Kind::kUuid;
  } else if constexpr (std::same_as<P, Json>) {
    return Kind::kJson;
  } else if constexpr (std::same_as<P, absl::Time> || std::same_as<P, Timestamp> ||
                       std::same_as<P, absl::CivilSecond>) {
    return Kind::kTimestamp;
  } else if constexpr (std::same_as<P, absl::CivilDay> ||
                       std::same_as<P, std::chrono::year_month_day>) {
    return Kind::kDate;
  } else if constexpr (penstock::internal::kIsChrono<P>) {
    return requires(P p) { p.time_since_epoch(); }
    ? Kind::kTimestamp : Kind::kInterval;
  } else if constexpr (std::is_enum_v<P>) {
    return NamedEnum<P> ? Kind::kText : Kind::kInteger;
  } else if constexpr (std::convertible_to<P, std::string_view>) {
    return Kind::kText;
  } else if constexpr (requires { typename P::value_type; } && std::constructible_from<Value, P>) {
    return Kind::kArray;
  } else {
    return Kind::kUnspecified;
  }
}

namespace internal {

template <typename T>
constexpr Type TypeOf() {
  using P = Plain<std::remove_cvref_t<T>>;
  if constexpr (KindOf<T>() == Kind::kArray) {
    return {Kind::kArray, kNullable<T>, KindOf<typename P::value_type>()};
  } else {
    return {KindOf<T>(), kNullable<std::remove_cvref_t<T>>};
  }
}

constexpr bool IsNumber(Kind kind) {
  return kind == Kind::kInteger || kind == Kind::kReal || kind == Kind::kDecimal;
}

}  // namespace internal

// True if values of A and B can be compared: numbers with numbers, other values with values of the
// same kind, and an enumeration only with itself. JSON documents are excluded because servers
// compare them differently.
template <typename A, typename B>
concept Comparable = (std::same_as<Plain<B>, std::nullopt_t> ||
                      (internal::IsNumber(KindOf<A>()) && internal::IsNumber(KindOf<B>())) ||
                      (KindOf<A>() == KindOf<B>() && KindOf<A>() != Kind::kUnspecified)) &&
                     KindOf<A>() != Kind::kJson &&
                     (!std::is_enum_v<Plain<A>> || !std::is_enum_v<Plain<B>> ||
                      std::same_as<Plain<A>, Plain<B>>);

// A type whose values have the same order on every server.
template <typename T>
concept Orderable = KindOf<T>()
!= Kind::kJson&& KindOf<T>() != Kind::kArray&& KindOf<T>() != Kind::kUnspecified;

template <typename T>
concept Numeric = internal::IsNumber(KindOf<T>());

}  // namespace penstock::sql

#endif  // PENSTOCK_SQL_KINDS_H_
