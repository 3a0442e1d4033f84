// Splits a C++ type into the fields that a row is read into: the elements of a std::tuple or
// std::pair, the members of a plain struct in the order of their declaration, or the one value.
#ifndef PENSTOCK_FIELDS_H_
#define PENSTOCK_FIELDS_H_

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include "penstock/scan.h"

namespace penstock {
namespace internal {

// Converts to any type; used to count the fields of an aggregate.
struct AnyField {
  template <typename T>
  operator T() const noexcept;
};

template <typename T, typename... Fields>
concept MadeOf = requires {
  T{Fields{}...};
};

template <typename T, typename... Fields>
constexpr std::size_t CountFields() {
  if constexpr (MadeOf<T, Fields..., AnyField>) {
    return CountFields<T, Fields..., AnyField>();
  } else {
    return sizeof...(Fields);
  }
}

template <typename T>
inline constexpr bool kIsTuple = false;
template <typename... T>
inline constexpr bool kIsTuple<std::tuple<T...>> = true;
template <typename A, typename B>
inline constexpr bool kIsTuple<std::pair<A, B>> = true;

}  // namespace internal

// A struct without constructors, base classes and private members. A row can be read into one of
// at most 24 fields.
template <typename T>
concept PlainStruct = std::is_aggregate_v<T> && !Scannable<T> && !std::is_array_v<T>;

// A type that a row can be read into: a struct, a tuple, or a single variable for a row of one
// column.
template <typename T>
concept RowType = Scannable<T> || internal::kIsTuple<T> || PlainStruct<T>;

namespace internal {

// Calls `use` with references to all fields of `row` and returns what it returns.
template <typename T, typename Use>
decltype(auto) WithFields(T& row, Use use) {
  if constexpr (kIsTuple<T>) {
    return std::apply(use, row);
  } else if constexpr (Scannable<T>) {
    return use(row);
  } else {
    constexpr std::size_t kCount = CountFields<T>();
    static_assert(kCount >= 1 && kCount <= 24,
                  "a struct that a row is read into has 1 to 24 fields");
    if constexpr (kCount == 1) {
      auto& [a] = row;
      return use(a);
    } else if constexpr (kCount == 2) {
      auto& [a, b] = row;
      return use(a, b);
    } else if constexpr (kCount == 3) {
      auto& [a, b, c] = row;
      return use(a, b, c);
    } else if constexpr (kCount == 4) {
      auto& [a, b, c, d] = row;
      return use(a, b, c, d);
    } else if constexpr (kCount == 5) {
      auto& [a, b, c, d, e] = row;
      return use(a, b, c, d, e);
    } else if constexpr (kCount == 6) {
      auto& [a, b, c, d, e, f] = row;
      return use(a, b, c, d, e, f);
    } else if constexpr (kCount == 7) {
      auto& [a, b, c, d, e, f, g] = row;
      return use(a, b, c, d, e, f, g);
    } else if constexpr (kCount == 8) {
      auto& [a, b, c, d, e, f, g, h] = row;
      return use(a, b, c, d, e, f, g, h);
    } else if constexpr (kCount == 9) {
      auto& [a, b, c, d, e, f, g, h, i] = row;
      return use(a, b, c, d, e, f, g, h, i);
    } else if constexpr (kCount == 10) {
      auto& [a, b, c, d, e, f, g, h, i, j] = row;
      return use(a, b, c, d, e, f, g, h, i, j);
    } else if constexpr (kCount == 11) {
      auto& [a, b, c, d, e, f, g, h, i, j, k] = row;
      return use(a, b, c, d, e, f, g, h, i, j, k);
    } else if constexpr (kCount == 12) {
      auto& [a, b, c, d, e, f, g, h, i, j, k, l] = row;
      return use(a, b, c, d, e, f, g, h, i, j, k, l);
    } else if constexpr (kCount == 13) {
      auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] = row;
      return use(a, b, c, d, e, f, g, h, i, j, k, l, m);
    } else if constexpr (kCount == 14) {
      auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = row;
      return use(a, b, c, d, e, f, g, h, i, j, k, l, m, n);
    } else if constexpr (kCount == 15) {
      auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] = row;
      return use(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o);
    } else if constexpr (kCount == 16) {
      auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = row;
      return use(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
    } else if constexpr (kCount == 17) {
      auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q] = row;
      return use(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q);
    } else if constexpr (kCount == 18) {
      auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r] = row;
      return use(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r);
    } else if constexpr (kCount == 19) {
      auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s] = row;
      return use(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s);
    } else if constexpr (kCount == 20) {
      auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t] = row;
      return use(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t);
    } else if constexpr (kCount == 21) {
      auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u] = row;
      return use(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u);
    } else if constexpr (kCount == 22) {
      auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v] = row;
      return use(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v);
    } else if constexpr (kCount == 23) {
      auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w] = row;
      return use(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w);
    } else if constexpr (kCount == 24) {
      auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x] = row;
      return use(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x);
    }
  }
}

// FieldsOf<T> is a pointer to the std::tuple of the types of T's fields.
template <typename... F>
std::tuple<F...> TupleOf(F&...);
template <typename T>
using FieldsOf = decltype(WithFields(
    std::declval<T&>(), [](auto&... field) -> decltype(TupleOf(field...))* { return nullptr; }));

}  // namespace internal
}  // namespace penstock

#endif  // PENSTOCK_FIELDS_H_
