// Tables, columns, and the expressions that C++ operators make of columns and values.
//
// Expressions are immutable values: cheap to copy and thread-safe. Values are always sent as bound
// parameters, and names are always quoted.
#ifndef PENSTOCK_SQL_EXPRESSION_H_
#define PENSTOCK_SQL_EXPRESSION_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "penstock/sql/kinds.h"
#include "penstock/sql/tree.h"
#include "penstock/value.h"

namespace penstock::sql {

// A name of the schema, as a template argument.
template <std::size_t N>
struct Name {
  char text[N]{};
  consteval Name(const char (&literal)[N]) {  // NOLINT(runtime/explicit)
    for (std::size_t i = 0; i < N; ++i) text[i] = literal[i];
  }
  constexpr std::string_view view() const { return {text, N - 1}; }
};

// An expression whose values are of type T; T is a std::optional if they may be NULL.
template <typename T>
class Expr {
 public:
  using value_type = T;
  // The table of a column; void for an expression.
  using table_type = void;
  explicit Expr(internal::NodePtr node) : node_(std::move(node)) {}
  const internal::NodePtr& node() const { return node_; }

 private:
  internal::NodePtr node_;
};

// The type that WHERE, ON and HAVING take.
using Condition = Expr<bool>;

// The base of a table type. A program declares the type once and makes one object for each alias
// that it needs; `penstock gen` writes such declarations:
//
//   template <sql::Name As = "users">
//   struct Users : sql::Table<Users<As>, "users", As> {
//     sql::Col<Users, int64_t, "id"> id;
//     sql::Col<Users, std::optional<int64_t>, "age"> age;  // it may be NULL
//   };
//   inline constexpr Users<> users;
//   inline constexpr Users<"m"> boss;
//
// The fourth argument is the schema; an empty one means that the session's search path decides.
template <typename Self, Name TableName, Name As = TableName, Name Schema = "">
// A table type is an aggregate, whose base needs a public constructor.
// NOLINTNEXTLINE(bugprone-crtp-constructor-accessibility)
struct Table {
  static internal::TableRef Reference() {
    return internal::MakeTable(Schema.view(), TableName.view(), As.view());
  }
  static constexpr std::string_view Alias() { return As.view(); }
};

// A column of a table.
template <typename In, typename T, Name ColumnName>
struct Col {
  using value_type = T;
  using table_type = In;
  internal::NodePtr node() const {
    return internal::MakeColumn(In::Alias(), name(), internal::TypeOf<T>());
  }
  static constexpr std::string_view name() { return ColumnName.view(); }
  operator Expr<T>() const { return Expr<T>(node()); }

  // True of text that begins with, ends with, or contains `text`. The comparison is
  // case-sensitive, and no character of `text` is a wildcard.
  Condition HasPrefix(std::string_view text) const;
  Condition HasSuffix(std::string_view text) const;
  Condition Contains(std::string_view text) const;
};

template <typename E>
concept Expression = requires(const E& e) {
  typename E::value_type;
  { e.node() } -> std::convertible_to<internal::NodePtr>;
};
template <typename E>
concept Column = Expression<E> && requires(const E& e) {
  { e.name() } -> std::convertible_to<std::string_view>;
};
template <typename T>
concept TableLike = requires(const T& t) {
  { t.Reference() } -> std::same_as<internal::TableRef>;
};
template <typename E>
using ValueOf = typename std::remove_cvref_t<E>::value_type;

// A column and a table whose names are only known at run time. The names are quoted, so they may
// have any characters. The database reports an error if they do not exist.
template <typename T>
class DynCol {
 public:
  using value_type = T;
  using table_type = void;
  DynCol(std::string alias, std::string name) : alias_(std::move(alias)), name_(std::move(name)) {}
  internal::NodePtr node() const {
    return internal::MakeColumn(alias_, name_, internal::TypeOf<T>());
  }
  std::string_view name() const { return name_; }
  operator Expr<T>() const { return Expr<T>(node()); }

 private:
  std::string alias_;
  std::string name_;
};

class DynTable {
 public:
  explicit DynTable(internal::TableRef reference) : reference_(std::move(reference)) {}
  const internal::TableRef& reference() const { return reference_; }
  internal::TableRef Reference() const { return reference_; }
  template <typename T>
  DynCol<T> Column(std::string_view name) const {
    return DynCol<T>(reference_.alias, std::string(name));
  }

 private:
  internal::TableRef reference_;
};

// Makes a table whose name is only known at run time. The alias defaults to the table's name.
inline DynTable Dyn(std::string_view table, std::string_view alias = "") {
  return DynTable(internal::MakeTable("", table, alias.empty() ? table : alias));
}

// Makes an expression from a value, for places where no operator does so.
template <typename T>
requires(!Expression<T> && KindOf<T>() != Kind::kUnspecified) auto Literal(const T& value) {
  using V = std::conditional_t<KindOf<T>() == Kind::kText && !std::is_enum_v<Plain<T>>,
                               NullableIf<std::string, T>, T>;
  return Expr<V>(internal::MakeLiteral(Value(value), internal::TypeOf<V>()));
}

// A parameter whose value is given by Bind<"id">(value) before the statement is run. A statement
// that a program keeps and runs repeatedly is rendered once for each dialect, whatever values are
// bound. (A method other than Bind, such as Limit, makes a new statement, which is rendered anew.)
// Any number of threads may run it.
//
//   static const auto by_id =
//       sql::Select(users.name).From(users).Where(users.id == sql::Param<"id", int64_t>());
//   auto name = by_id.Bind<"id">(7).FetchOne(ctx, *db);
template <Name ParameterName, typename T>
Expr<T> Param() {
  return Expr<T>(internal::MakeParameter(ParameterName.view(), internal::TypeOf<T>()));
}

namespace internal {

template <typename T>
struct OperandType {
  using Type = T;
};
template <typename T>
requires Expression<T>
struct OperandType<T> {
  using Type = typename T::value_type;
};

// The value type of an operand, which is an expression or a value.
template <typename T>
using Operand = typename OperandType<std::remove_cvref_t<T>>::Type;

template <Expression E>
NodePtr ToNode(const E& e) {
  return e.node();
}
template <typename V>
requires(!Expression<V>) NodePtr ToNode(const V& value) {
  return MakeLiteral(Value(value), TypeOf<V>());
}
inline NodePtr ToNode(std::nullopt_t) { return MakeLiteral(Value(), {}); }

template <typename A, typename B>
concept OneIsExpression = Expression<std::remove_cvref_t<A>> || Expression<std::remove_cvref_t<B>>;
template <typename A, typename B>
concept Equatable = OneIsExpression<A, B> && Comparable<Operand<A>, Operand<B>>;
// `x < NULL` is neither true nor false, so a C++ value that may be empty cannot be compared with <.
template <typename T>
concept NeverEmpty = Expression<std::remove_cvref_t<T>> || !kNullable<std::remove_cvref_t<T>>;
template <typename A, typename B>
concept Ordered = Equatable<A, B> && NeverEmpty<A> && NeverEmpty<B>;

template <typename A, typename B>
Condition Compare(Binary op, const A& a, const B& b) {
  return Condition(MakeBinary(op, ToNode(a), ToNode(b), {Kind::kBoolean}));
}

// True if == has to treat NULL as C++ does: both operands may be NULL, or one is a std::optional.
template <typename A, typename B>
inline constexpr bool kNullAware = (kNullable<Operand<A>> && kNullable<Operand<B>>) ||
                                   (!Expression<std::remove_cvref_t<A>> && kNullable<Operand<A>>) ||
                                   (!Expression<std::remove_cvref_t<B>> && kNullable<Operand<B>>);

}  // namespace internal

// == means what it means in C++: `column == optional` is IS NULL if the optional is empty, and two
// expressions that may both be NULL are equal if both are NULL (IS NOT DISTINCT FROM). If one of
// them is never NULL, it is SQL's `=`. To get SQL's `=`, for which NULL equals nothing, use Equal.
template <typename A, typename B>
requires internal::Equatable<A, B> Condition operator==(const A& a, const B& b) {
  return internal::Compare(
      internal::kNullAware<A, B> ? internal::Binary::kSame : internal::Binary::kEqual, a, b);
}
template <typename A, typename B>
requires internal::Equatable<A, B> Condition operator!=(const A& a, const B& b) {
  return internal::Compare(
      internal::kNullAware<A, B> ? internal::Binary::kNotSame : internal::Binary::kNotEqual, a, b);
}
template <typename A, typename B>
requires internal::Ordered<A, B> Condition operator<(const A& a, const B& b) {
  return internal::Compare(internal::Binary::kLess, a, b);
}
template <typename A, typename B>
requires internal::Ordered<A, B> Condition operator<=(const A& a, const B& b) {
  return internal::Compare(internal::Binary::kLessOrEqual, a, b);
}
template <typename A, typename B>
requires internal::Ordered<A, B> Condition operator>(const A& a, const B& b) {
  return internal::Compare(internal::Binary::kGreater, a, b);
}
template <typename A, typename B>
requires internal::Ordered<A, B> Condition operator>=(const A& a, const B& b) {
  return internal::Compare(internal::Binary::kGreaterOrEqual, a, b);
}

// Deleted, so that the compiler reports one line for operands that cannot be compared instead of
// every operator that does not match.
template <typename A, typename B>
requires(internal::OneIsExpression<A, B> && !internal::Equatable<A, B>) Condition operator==(
    const A&, const B&) = delete;
template <typename A, typename B>
requires(internal::OneIsExpression<A, B> && !internal::Equatable<A, B>) Condition operator!=(
    const A&, const B&) = delete;
template <typename A, typename B>
requires(internal::OneIsExpression<A, B> && !internal::Ordered<A, B>) Condition operator<(
    const A&, const B&) = delete;
template <typename A, typename B>
requires(internal::OneIsExpression<A, B> && !internal::Ordered<A, B>) Condition operator<=(
    const A&, const B&) = delete;
template <typename A, typename B>
requires(internal::OneIsExpression<A, B> && !internal::Ordered<A, B>) Condition operator>(
    const A&, const B&) = delete;
template <typename A, typename B>
requires(internal::OneIsExpression<A, B> && !internal::Ordered<A, B>) Condition operator>=(
    const A&, const B&) = delete;

// Returns SQL's `=`, for which NULL equals nothing.
template <Expression A, Expression B>
requires Comparable<ValueOf<A>, ValueOf<B>> Condition Equal(const A& a, const B& b) {
  return internal::Compare(internal::Binary::kEqual, a, b);
}

template <typename E>
concept ConditionLike = Expression<E> && std::same_as < Plain<ValueOf<E>>,
bool > ;

template <ConditionLike A, ConditionLike B>
Condition operator&&(const A& a, const B& b) {
  return internal::Compare(internal::Binary::kAnd, a, b);
}
template <ConditionLike A, ConditionLike B>
Condition operator||(const A& a, const B& b) {
  return internal::Compare(internal::Binary::kOr, a, b);
}
template <ConditionLike A>
Condition operator!(const A& a) {
  return Condition(internal::MakeNot(a.node()));
}

// True if all conditions hold, and for an empty list. Use it for conditions that are collected in
// a loop: a chain of && may be at most 500 deep.
inline Condition AllOf(const std::vector<Condition>& conditions) {
  internal::Nodes nodes;
  for (const Condition& condition : conditions) nodes.push_back(condition.node());
  return Condition(internal::MakeList(internal::Binary::kAnd, std::move(nodes)));
}
// True if at least one condition holds; false for an empty list.
inline Condition AnyOf(const std::vector<Condition>& conditions) {
  internal::Nodes nodes;
  for (const Condition& condition : conditions) nodes.push_back(condition.node());
  return Condition(internal::MakeList(internal::Binary::kOr, std::move(nodes)));
}

template <Expression E>
Condition IsNull(const E& e) {
  return Condition(internal::MakeIsNull(e.node(), false));
}
template <Expression E>
Condition IsNotNull(const E& e) {
  return Condition(internal::MakeIsNull(e.node(), true));
}

namespace internal {

// The result type of arithmetic: the wider operand's, and nullable if one of them is.
template <typename A, typename B>
struct Arithmetic {
  static constexpr Kind kA = KindOf<A>();
  static constexpr Kind kB = KindOf<B>();
  using Wider = std::conditional_t<
      kA == Kind::kReal || kB == Kind::kReal, double,
      std::conditional_t<kA == Kind::kDecimal || kB == Kind::kDecimal, Decimal, int64_t>>;
  using Type = NullableIf<Wider, A, B>;
};
template <typename A, typename B>
concept BothNumbers = OneIsExpression<A, B> && Numeric<Operand<A>> && Numeric<Operand<B>> &&
    NeverEmpty<A> && NeverEmpty<B>;
template <typename A, typename B>
concept BothTexts = OneIsExpression<A, B> && KindOf<Operand<A>>()
== Kind::kText&& KindOf<Operand<B>>() == Kind::kText&& NeverEmpty<A>&& NeverEmpty<B>;
template <typename A, typename B>
using Sum = typename Arithmetic<Operand<A>, Operand<B>>::Type;

template <typename T, typename A, typename B>
Expr<T> Compute(Binary op, const A& a, const B& b) {
  return Expr<T>(MakeBinary(op, ToNode(a), ToNode(b), TypeOf<T>()));
}

}  // namespace internal

// Arithmetic. With decimals it is refused on SQLite, which has no decimals. If a sum of integers
// exceeds 64 bits, SQLite makes it a real, which cannot be read as an integer; on the other
// backends the statement fails.
template <typename A, typename B>
requires internal::BothNumbers<A, B>
auto operator+(const A& a, const B& b) {
  return internal::Compute<internal::Sum<A, B>>(internal::Binary::kAdd, a, b);
}
template <typename A, typename B>
requires internal::BothNumbers<A, B>
auto operator-(const A& a, const B& b) {
  return internal::Compute<internal::Sum<A, B>>(internal::Binary::kSubtract, a, b);
}
template <typename A, typename B>
requires internal::BothNumbers<A, B>
auto operator*(const A& a, const B& b) {
  return internal::Compute<internal::Sum<A, B>>(internal::Binary::kMultiply, a, b);
}
// Division. For integers the result is truncated. A division by zero is NULL on every backend.
template <typename A, typename B>
requires internal::BothNumbers<A, B>
auto operator/(const A& a, const B& b) {
  return internal::Compute<Nullable<internal::Sum<A, B>>>(internal::Binary::kDivide, a, b);
}
template <typename A, typename B>
requires(internal::BothNumbers<A, B>&& KindOf<internal::Operand<A>>() == Kind::kInteger &&
         KindOf<internal::Operand<B>>() == Kind::kInteger) auto
operator%(const A& a, const B& b) {
  return internal::Compute<Nullable<internal::Sum<A, B>>>(internal::Binary::kModulo, a, b);
}
// Concatenates texts.
template <typename A, typename B>
requires internal::BothTexts<A, B>
auto operator+(const A& a, const B& b) {
  using T = NullableIf<std::string, internal::Operand<A>, internal::Operand<B>>;
  return internal::Compute<T>(internal::Binary::kConcatenate, a, b);
}

template <Expression E>
requires(KindOf<ValueOf<E>>() == Kind::kText) Condition
    HasPrefix(const E& e, std::string_view text) {
  return Condition(internal::MakePattern(e.node(), internal::Pattern::kPrefix, std::string(text)));
}
template <Expression E>
requires(KindOf<ValueOf<E>>() == Kind::kText) Condition
    HasSuffix(const E& e, std::string_view text) {
  return Condition(internal::MakePattern(e.node(), internal::Pattern::kSuffix, std::string(text)));
}
template <Expression E>
requires(KindOf<ValueOf<E>>() == Kind::kText) Condition
    Contains(const E& e, std::string_view text) {
  return Condition(
      internal::MakePattern(e.node(), internal::Pattern::kContains, std::string(text)));
}
template <typename In, typename T, Name ColumnName>
Condition Col<In, T, ColumnName>::HasPrefix(std::string_view text) const {
  return sql::HasPrefix(*this, text);
}
template <typename In, typename T, Name ColumnName>
Condition Col<In, T, ColumnName>::HasSuffix(std::string_view text) const {
  return sql::HasSuffix(*this, text);
}
template <typename In, typename T, Name ColumnName>
Condition Col<In, T, ColumnName>::Contains(std::string_view text) const {
  return sql::Contains(*this, text);
}

// True if `e` is one of the values; false for an empty list. PostgreSQL is sent one array, so that
// the statement has the same text for any number of values. Elsewhere the list is extended to the
// next power of two by repeating its last value, so that there are few texts. SQLite accepts 32,766
// parameters in a statement.
template <Expression E, typename V>
requires(Comparable<ValueOf<E>, V> && !kNullable<V>) Condition
    In(const E& e, const std::vector<V>& values) {
  return Condition(
      internal::MakeIn(e.node(), std::vector<Value>(values.begin(), values.end()), false));
}
// True if `e` is none of the values; true for an empty list.
template <Expression E, typename V>
requires(Comparable<ValueOf<E>, V> && !kNullable<V>) Condition
    NotIn(const E& e, const std::vector<V>& values) {
  return Condition(
      internal::MakeIn(e.node(), std::vector<Value>(values.begin(), values.end()), true));
}
template <Expression E, typename V>
requires(Comparable<ValueOf<E>, V> && !kNullable<V>) Condition
    In(const E& e, std::initializer_list<V> values) {
  return In(e, std::vector<V>(values));
}
template <Expression E, typename V>
requires(Comparable<ValueOf<E>, V> && !kNullable<V>) Condition
    NotIn(const E& e, std::initializer_list<V> values) {
  return NotIn(e, std::vector<V>(values));
}

template <Expression E, typename A, typename B>
requires(internal::Ordered<E, A>&& internal::Ordered<E, B>) Condition
    Between(const E& e, const A& least, const B& most) {
  return e >= least && e <= most;
}

}  // namespace penstock::sql

#endif  // PENSTOCK_SQL_EXPRESSION_H_
