// Functions, aggregates, windows, CASE, casts, JSON and raw fragments. They mean the same on every
// server, except for Call and Raw, which pass anything else on.
#ifndef PENSTOCK_SQL_FUNCTIONS_H_
#define PENSTOCK_SQL_FUNCTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "penstock/sql/expression.h"

namespace penstock::sql {

// Returns the first argument that is not NULL. The result may be NULL if every argument may be.
template <Expression A, typename... B>
auto Coalesce(const A& a, const B&... b) {
  static_assert((Comparable<ValueOf<A>, internal::Operand<B>> && ...),
                "Coalesce: all arguments must have the same type");
  constexpr bool kNever = !kNullable<ValueOf<A>> || (!kNullable<internal::Operand<B>> || ...);
  using T = std::conditional_t<kNever, Plain<ValueOf<A>>, Nullable<ValueOf<A>>>;
  return Expr<T>(internal::MakeCoalesce({a.node(), internal::ToNode(b)...}, internal::TypeOf<T>()));
}

// Returns the length: in characters for text, in bytes for Bytes.
template <Expression A>
requires(KindOf<ValueOf<A>>() == Kind::kText ||
         KindOf<ValueOf<A>>() == Kind::kBlob) auto Length(const A& a) {
  using T = NullableIf<int64_t, ValueOf<A>>;
  return Expr<T>(internal::MakeCall("length", {a.node()}, internal::TypeOf<T>(), true));
}

template <Expression A>
requires Numeric<ValueOf<A>>
auto Abs(const A& a) {
  using T = ValueOf<A>;
  return Expr<T>(internal::MakeCall("abs", {a.node()}, internal::TypeOf<T>(), true));
}

// Calls any function of the server. The call has the same text in every dialect; the program must
// know what the function does. T must be a std::optional if the result may be NULL.
template <typename T, typename... A>
Expr<T> Call(std::string_view function, const A&... arguments) {
  return Expr<T>(
      internal::MakeCall(function, {internal::ToNode(arguments)...}, internal::TypeOf<T>()));
}

// The window of a window function: PARTITION BY, ORDER BY and a frame.
class Window {
 public:
  template <Expression... E>
  [[nodiscard]] Window PartitionBy(const E&... e) const {
    Window window = *this;
    (window.parts_.partition.push_back(e.node()), ...);
    return window;
  }
  template <typename... O>
  [[nodiscard]] Window OrderBy(const O&... order) const {
    Window window = *this;
    (window.parts_.order.push_back(order.parts()), ...);
    return window;
  }
  // Sets the frame ROWS BETWEEN `from` AND `to`. The functions below make the bounds.
  [[nodiscard]] Window Rows(internal::Bound from, internal::Bound to) const {
    Window window = *this;
    window.parts_.has_frame = true;
    window.parts_.from = from;
    window.parts_.to = to;
    return window;
  }
  const internal::WindowParts& parts() const { return parts_; }

 private:
  internal::WindowParts parts_;
};

inline internal::Bound UnboundedPreceding() {
  return {internal::Bound::Place::kUnboundedPreceding, 0};
}
inline internal::Bound Preceding(int64_t rows) {
  return {internal::Bound::Place::kPreceding, rows};
}
inline internal::Bound CurrentRow() { return {}; }
inline internal::Bound Following(int64_t rows) {
  return {internal::Bound::Place::kFollowing, rows};
}
inline internal::Bound UnboundedFollowing() {
  return {internal::Bound::Place::kUnboundedFollowing, 0};
}

// A window function, which becomes an expression when it is given a window.
template <typename T>
class WindowFunction {
 public:
  explicit WindowFunction(internal::NodePtr node) : node_(std::move(node)) {}
  Expr<T> Over(const Window& window) const {
    return Expr<T>(internal::MakeOver(node_, window.parts()));
  }

 private:
  internal::NodePtr node_;
};

inline WindowFunction<int64_t> RowNumber() {
  return WindowFunction<int64_t>(internal::MakeWindowFunction("row_number", {}, {Kind::kInteger}));
}
inline WindowFunction<int64_t> Rank() {
  return WindowFunction<int64_t>(internal::MakeWindowFunction("rank", {}, {Kind::kInteger}));
}
inline WindowFunction<int64_t> DenseRank() {
  return WindowFunction<int64_t>(internal::MakeWindowFunction("dense_rank", {}, {Kind::kInteger}));
}
// Return the value of `e` in the row before, or after, the current row; NULL if there is none.
template <Expression E>
WindowFunction<Nullable<ValueOf<E>>> Lag(const E& e) {
  using T = Nullable<ValueOf<E>>;
  return WindowFunction<T>(internal::MakeWindowFunction("lag", {e.node()}, internal::TypeOf<T>()));
}
template <Expression E>
WindowFunction<Nullable<ValueOf<E>>> Lead(const E& e) {
  using T = Nullable<ValueOf<E>>;
  return WindowFunction<T>(internal::MakeWindowFunction("lead", {e.node()}, internal::TypeOf<T>()));
}
template <Expression E>
WindowFunction<Nullable<ValueOf<E>>> FirstValue(const E& e) {
  using T = Nullable<ValueOf<E>>;
  return WindowFunction<T>(
      internal::MakeWindowFunction("first_value", {e.node()}, internal::TypeOf<T>()));
}
template <Expression E>
WindowFunction<Nullable<ValueOf<E>>> LastValue(const E& e) {
  using T = Nullable<ValueOf<E>>;
  return WindowFunction<T>(
      internal::MakeWindowFunction("last_value", {e.node()}, internal::TypeOf<T>()));
}

// An aggregate function, which can also be used as a window function.
template <typename T>
class Aggregate : public Expr<T> {
 public:
  using Expr<T>::Expr;
  // Aggregates only the rows for which `condition` holds.
  template <ConditionLike C>
  Aggregate Filter(const C& condition) const {
    return Aggregate(internal::MakeFiltered(this->node(), condition.node()));
  }
  Expr<T> Over(const Window& window) const {
    return Expr<T>(internal::MakeOver(this->node(), window.parts()));
  }
};

// Counts rows.
inline Aggregate<int64_t> Count() {
  return Aggregate<int64_t>(internal::MakeAggregate("count", {}, false, {Kind::kInteger}));
}
// Counts the values that are not NULL.
template <Expression E>
Aggregate<int64_t> Count(const E& e) {
  return Aggregate<int64_t>(internal::MakeAggregate("count", {e.node()}, false, {Kind::kInteger}));
}
template <Expression E>
Aggregate<int64_t> CountDistinct(const E& e) {
  return Aggregate<int64_t>(internal::MakeAggregate("count", {e.node()}, true, {Kind::kInteger}));
}
// Returns the sum; NULL if there are no values. A sum of integers is an integer, and the statement
// fails if it exceeds 64 bits.
template <Expression E>
requires Numeric<ValueOf<E>>
auto Sum(const E& e) {
  using Wide = std::conditional_t<KindOf<ValueOf<E>>() == Kind::kInteger, int64_t, ValueOf<E>>;
  using T = Nullable<Wide>;
  return Aggregate<T>(internal::MakeAggregate("sum", {e.node()}, false, internal::TypeOf<T>()));
}
// Returns the average: a decimal for decimals, a double otherwise.
template <Expression E>
requires Numeric<ValueOf<E>>
auto Avg(const E& e) {
  using T = Nullable<std::conditional_t<KindOf<ValueOf<E>>() == Kind::kDecimal, Decimal, double>>;
  return Aggregate<T>(internal::MakeAggregate("avg", {e.node()}, false, internal::TypeOf<T>()));
}
// A type that Min and Max accept. PostgreSQL has neither for booleans, bytes and UUIDs.
template <typename T>
concept HasExtremes = Orderable<T> && KindOf<T>()
!= Kind::kBoolean&& KindOf<T>() != Kind::kBlob&& KindOf<T>() != Kind::kUuid;
template <Expression E>
requires HasExtremes<ValueOf<E>>
auto Min(const E& e) {
  using T = Nullable<ValueOf<E>>;
  return Aggregate<T>(internal::MakeAggregate("min", {e.node()}, false, internal::TypeOf<T>()));
}
template <Expression E>
requires HasExtremes<ValueOf<E>>
auto Max(const E& e) {
  using T = Nullable<ValueOf<E>>;
  return Aggregate<T>(internal::MakeAggregate("max", {e.node()}, false, internal::TypeOf<T>()));
}

// CASE: When(condition, value).When(…).Else(value). End() instead of Else yields NULL if no
// condition holds.
template <typename T>
class CaseBuilder {
 public:
  explicit CaseBuilder(internal::Nodes branches) : branches_(std::move(branches)) {}
  template <ConditionLike C, typename V>
  requires Comparable<T, internal::Operand<V>>
  [[nodiscard]] auto When(const C& condition, const V& value) const {
    internal::Nodes branches = branches_;
    branches.push_back(condition.node());
    branches.push_back(internal::ToNode(value));
    return CaseBuilder<NullableIf<T, internal::Operand<V>>>(std::move(branches));
  }
  template <typename V>
  requires Comparable<T, internal::Operand<V>>
  auto Else(const V& value) const {
    using R = NullableIf<T, internal::Operand<V>>;
    return Expr<R>(internal::MakeCase(branches_, internal::ToNode(value), internal::TypeOf<R>()));
  }
  Expr<Nullable<T>> End() const {
    return Expr<Nullable<T>>(
        internal::MakeCase(branches_, nullptr, internal::TypeOf<Nullable<T>>()));
  }

 private:
  internal::Nodes branches_;
};

template <ConditionLike C, typename V>
auto When(const C& condition, const V& value) {
  using O = internal::Operand<V>;
  using T = std::conditional_t<KindOf<O>() == Kind::kText && !std::is_enum_v<Plain<O>>,
                               NullableIf<std::string, O>, O>;
  return CaseBuilder<T>({condition.node(), internal::ToNode(value)});
}

// Returns `e` as a T. SQLite supports the casts that lose nothing: from integers to reals and text,
// from booleans to integers, and between texts. Other casts are refused there, because SQLite casts
// '12abc' to 12.
template <typename T, Expression E>
requires(KindOf<T>() != Kind::kUnspecified) auto Cast(const E& e) {
  using R = NullableIf<T, ValueOf<E>>;
  return Expr<R>(internal::MakeCast(e.node(), internal::TypeOf<R>()));
}

// Returns the value at a path of a JSON document if it has this type, and NULL if there is no value
// or it has another type. T is std::string, int64_t, double, bool or Json. Each step of the path is
// a key or an index:
//
//   auto name = sql::JsonAt<std::string>(items.attributes, "sizes", 0, "name");
template <typename T, Expression E, typename... Leg>
requires(KindOf<ValueOf<E>>() == Kind::kJson &&
         (KindOf<T>() == Kind::kText || KindOf<T>() == Kind::kInteger ||
          KindOf<T>() == Kind::kReal || KindOf<T>() == Kind::kBoolean ||
          KindOf<T>() == Kind::kJson)) auto JsonAt(const E& document, const Leg&... legs) {
  static_assert(((IntegerType<Leg> || std::convertible_to<Leg, std::string_view>)&&...),
                "JsonAt: a step of the path is a key, which is a text, or an index, which is an "
                "integer");
  return Expr<Nullable<T>>(
      internal::MakeJsonAt(document.node(), {Value(legs)...}, internal::TypeOf<Nullable<T>>()));
}

// The text of a raw fragment. It must be a constant, so that nothing that is only known at run time
// becomes SQL.
template <typename... E>
class RawText {
 public:
  template <std::size_t N>
  consteval RawText(const char (&literal)[N]) : text_(literal, N - 1) {  // NOLINT
    std::size_t places = 0;
    for (std::size_t i = 0; i + 2 < N; ++i) places += literal[i] == '{' && literal[i + 1] == '}';
    if (places != sizeof...(E)) throw "Raw: the text needs one {} for each expression";
    for (std::size_t i = 0; i + 1 < N; ++i) {
      if (literal[i] == '$' && literal[i + 1] >= '0' && literal[i + 1] <= '9') {
        throw "Raw: use {} and a value instead of $1";
      }
    }
  }
  constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

// SQL that the builder has no function for. Each {} is replaced by an expression, or by a value,
// which is bound as a parameter:
//
//   auto similar = sql::Raw<double>("similarity({}, {})", users.name, "ada");
template <typename T, typename... E>
Expr<T> Raw(RawText<std::type_identity_t<E>...> text, const E&... expressions) {
  return Expr<T>(
      internal::MakeRaw(text.text(), {internal::ToNode(expressions)...}, internal::TypeOf<T>()));
}

// Gives the expression's column in the result a name.
template <Name As, Expression E>
auto Named(const E& e) {
  return Expr<ValueOf<E>>(internal::MakeNamed(e.node(), As.view()));
}

// Declares that an expression may be NULL although its parts are not, because their table is joined
// by an outer join.
template <Expression E>
Expr<Nullable<ValueOf<E>>> MaybeNull(const E& e) {
  return Expr<Nullable<ValueOf<E>>>(internal::MakeMaybeNull(e.node()));
}

}  // namespace penstock::sql

#endif  // PENSTOCK_SQL_FUNCTIONS_H_
