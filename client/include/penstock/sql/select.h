// SELECT statements.
//
//   auto grown = sql::Select(users.id, users.name, boss.name)
//                    .From(users)
//                    .LeftJoin(boss, boss.id == users.boss_id)  // boss.name becomes optional
//                    .Where(users.age >= 18)
//                    .OrderBy(sql::Desc(users.age), sql::Asc(users.id))
//                    .Limit(50)
//                    .FetchAll(ctx, *db);
//
// Each method returns a new statement and leaves the one it is called on unchanged, so that several
// statements can share a part. Build and Fetch report errors before anything is sent: mistakes on
// any database (a column whose table is not in FROM, or one that is neither grouped nor
// aggregated), and features that the dialect does not have.
#ifndef PENSTOCK_SQL_SELECT_H_
#define PENSTOCK_SQL_SELECT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "penstock/sql/expression.h"
#include "penstock/sql/page.h"
#include "penstock/sql/run.h"

namespace penstock::sql {

// A column of a result: its type and its table, which is void for an expression.
template <typename T, typename In>
struct Item {
  using value_type = T;
  using table_type = In;
};

template <typename... Items>
class Query;

namespace internal {

template <typename E>
using ItemOf = Item<ValueOf<E>, typename E::table_type>;
// The column after an outer join that may have no row of Joined.
template <typename I, typename Joined>
using Outer = std::conditional_t<std::is_same_v<typename I::table_type, Joined>,
                                 Item<Nullable<typename I::value_type>, Joined>, I>;
// The column after an outer join that may have no row of any table but Joined.
template <typename I, typename Joined>
using AllButOuter =
    std::conditional_t<std::is_same_v<typename I::table_type, Joined> ||
                           std::is_void_v<typename I::table_type>,
                       I, Item<Nullable<typename I::value_type>, typename I::table_type>>;
template <typename I>
using AnyOuter = std::conditional_t<std::is_void_v<typename I::table_type>, I,
                                    Item<Nullable<typename I::value_type>, typename I::table_type>>;

template <typename A, typename B>
using Combined =
    Item<NullableIf<Plain<typename A::value_type>, typename A::value_type, typename B::value_type>,
         void>;
template <typename A, typename B>
inline constexpr bool kSameKind =
    KindOf<typename A::value_type>() == KindOf<typename B::value_type>();

}  // namespace internal

// What a locking query does about rows that others have locked: wait, skip them, or fail.
enum class Locked : uint8_t { kWait, kSkip, kFail };
inline constexpr Locked SkipLocked = Locked::kSkip;
inline constexpr Locked NoWait = Locked::kFail;

// A query in place of a table. Its columns are named by a table type that is declared for it:
//
//   template <sql::Name As = "adults">
//   struct Adults : sql::Table<Adults<As>, "adults", As> {
//     sql::Col<Adults, int64_t, "id"> id;
//     sql::Col<Adults, int64_t, "friends"> friends;
//   };
//   inline constexpr Adults<> adults;
//
//   auto query = sql::Select(users.id, sql::Count()).From(users).GroupBy(users.id);
//   auto ids = sql::Select(adults.id).From(sql::As(query, adults, adults.id, adults.friends));
template <typename In>
struct DerivedTable {
  internal::TableRef reference;
  internal::TableRef Reference() const { return reference; }
  static constexpr std::string_view Alias() { return In::Alias(); }
};

template <TableLike T, typename... Items, Column... C>
auto As(const Query<Items...>& query, const T& table, const C&... columns) {
  static_assert(sizeof...(Items) == sizeof...(C),
                "As: give one column for each column of the query");
  if constexpr (sizeof...(Items) == sizeof...(C)) {
    static_assert(((KindOf<typename Items::value_type>() == KindOf<ValueOf<C>>() &&
                    (kNullable<ValueOf<C>> || !kNullable<typename Items::value_type>)) &&
                   ...),
                  "As: a column has another type than that of the query, or must be a "
                  "std::optional because that of the query may be NULL");
  }
  return DerivedTable<T>{
      internal::Derived(query.clauses(), table.Reference(), {std::string(columns.name())...})};
}

template <typename... Items>
class Query : public WithRows<Query<Items...>, std::tuple<typename Items::value_type...>> {
 public:
  using Tuple = std::tuple<typename Items::value_type...>;
  explicit Query(internal::Clauses clauses) : clauses_(std::move(clauses)) {}
  const internal::Clauses& clauses() const { return clauses_; }

  // Sets the table, or the query in its place (As).
  template <TableLike T>
  [[nodiscard]] Query From(const T& table) const {
    return Query(internal::AppendTable(clauses_, internal::Clause::Kind::kFrom, table.Reference()));
  }
  template <TableLike T, ConditionLike C>
  [[nodiscard]] Query Join(const T& table, const C& on) const {
    return With(internal::JoinClause(internal::JoinKind::kInner, table.Reference(), on.node()));
  }
  template <TableLike T>
  [[nodiscard]] Query CrossJoin(const T& table) const {
    return With(internal::JoinClause(internal::JoinKind::kCross, table.Reference(), nullptr));
  }
  // Makes the columns of `table` in the result optional. It does not do so for expressions of these
  // columns; wrap such expressions in MaybeNull.
  template <TableLike T, ConditionLike C>
  [[nodiscard]] auto LeftJoin(const T& table, const C& on) const {
    return Query<internal::Outer<Items, TagOf<T>>...>(internal::Append(
        clauses_, internal::JoinClause(internal::JoinKind::kLeft, table.Reference(), on.node())));
  }
  // Makes the columns of all other tables optional. SQLite has RIGHT and FULL JOIN since 3.39.
  template <TableLike T, ConditionLike C>
  [[nodiscard]] auto RightJoin(const T& table, const C& on) const {
    return Query<internal::AllButOuter<Items, TagOf<T>>...>(internal::Append(
        clauses_, internal::JoinClause(internal::JoinKind::kRight, table.Reference(), on.node())));
  }
  template <TableLike T, ConditionLike C>
  [[nodiscard]] auto FullJoin(const T& table, const C& on) const {
    return Query<internal::AnyOuter<Items>...>(internal::Append(
        clauses_, internal::JoinClause(internal::JoinKind::kFull, table.Reference(), on.node())));
  }

  // Adds a condition. If Where is called several times, all conditions must hold.
  template <ConditionLike C>
  [[nodiscard]] Query Where(const C& condition) const {
    return Query(internal::AppendNode(clauses_, internal::Clause::Kind::kWhere, condition.node()));
  }
  // Adds the condition `make()` if `wanted`, a bool or a std::optional, is true or has a value.
  // Otherwise `make` is not called.
  template <typename Wanted, typename Make>
  [[nodiscard]] Query WhereIf(const Wanted& wanted, Make make) const {
    return static_cast<bool>(wanted) ? Where(make()) : *this;
  }
  template <Expression... E>
  [[nodiscard]] Query GroupBy(const E&... e) const {
    return Query(internal::AppendNodes(clauses_, internal::Clause::Kind::kGroupBy, {e.node()...}));
  }
  template <ConditionLike C>
  [[nodiscard]] Query Having(const C& condition) const {
    return Query(internal::AppendNode(clauses_, internal::Clause::Kind::kHaving, condition.node()));
  }
  [[nodiscard]] Query Distinct() const {
    return With(internal::Clause(internal::Clause::Kind::kDistinct));
  }
  // Sorts by Asc(…) and Desc(…). Further calls sort the rows that these leave equal.
  template <std::same_as<Order>... O>
  [[nodiscard]] Query OrderBy(const O&... order) const {
    return OrderBy(std::vector<Order>{order...});
  }
  [[nodiscard]] Query OrderBy(const std::vector<Order>& order) const {
    internal::Clause clause(internal::Clause::Kind::kOrderBy);
    for (const Order& by : order) clause.order.push_back(by.parts());
    return With(std::move(clause));
  }
  // Limits the number of rows to `rows`, which is at least 0.
  [[nodiscard]] Query Limit(int64_t rows) const {
    return Query(internal::AppendNumber(clauses_, internal::Clause::Kind::kLimit, rows));
  }
  [[nodiscard]] Query Offset(int64_t rows) const {
    return Query(internal::AppendNumber(clauses_, internal::Clause::Kind::kOffset, rows));
  }

  // Returns only the rows after `cursor` in the order of ORDER BY. The columns of ORDER BY together
  // must be unique, so end them with the key. NULLs are placed as ORDER BY says.
  [[nodiscard]] Query After(const Cursor& cursor) const {
    internal::Clause clause(internal::Clause::Kind::kAfter);
    clause.values = cursor.keys();
    return With(std::move(clause));
  }
  [[nodiscard]] Query After(const std::optional<Cursor>& cursor) const {
    return cursor.has_value() ? After(*cursor) : *this;
  }

  // Locks the rows until the end of the transaction. On SQLite this writes no SQL, because a
  // transaction that is not read-only occupies the only writer there.
  [[nodiscard]] Query ForUpdate(Locked others = Locked::kWait) const {
    return Lock(internal::LockKind::kUpdate, others, {});
  }
  [[nodiscard]] Query ForShare(Locked others = Locked::kWait) const {
    return Lock(internal::LockKind::kShare, others, {});
  }
  // Locks only the rows of these tables.
  template <TableLike... T>
  [[nodiscard]] Query ForUpdateOf(Locked others, const T&...) const {
    return Lock(internal::LockKind::kUpdate, others, {std::string(T::Alias())...});
  }

  // Adds WITH: a query under the name of a table, as made by As(…).
  template <typename T>
  [[nodiscard]] Query With(const DerivedTable<T>& table) const {
    return Query(internal::AppendTable(clauses_, internal::Clause::Kind::kWith, table.reference));
  }
  // Does the same for a query that reads its own table.
  template <typename T>
  [[nodiscard]] Query WithRecursive(const DerivedTable<T>& table) const {
    return Query(internal::AppendTable(clauses_, internal::Clause::Kind::kWith, table.reference,
                                       /*recursive=*/true));
  }

  template <typename... Others>
  [[nodiscard]] auto Union(const Query<Others...>& other) const {
    return Combine(internal::SetOperation::kUnion, other);
  }
  template <typename... Others>
  [[nodiscard]] auto UnionAll(const Query<Others...>& other) const {
    return Combine(internal::SetOperation::kUnionAll, other);
  }
  template <typename... Others>
  [[nodiscard]] auto Intersect(const Query<Others...>& other) const {
    return Combine(internal::SetOperation::kIntersect, other);
  }
  template <typename... Others>
  [[nodiscard]] auto Except(const Query<Others...>& other) const {
    return Combine(internal::SetOperation::kExcept, other);
  }

  // Sets the value of a Param. If it is called several times, the last value is used.
  template <Name ParameterName, typename V>
  requires std::constructible_from<Value, const V&>
  [[nodiscard]] Query Bind(const V& value) const {
    return With(internal::BindClause(ParameterName.view(), Value(value)));
  }

  // Returns the text and the arguments, for logs and tests.
  absl::StatusOr<Built> Build(Dialect dialect) const { return internal::Render(clauses_, dialect); }

  // Returns one page of at most Limit rows and the position of the next page, for After.
  template <typename Row = void>
  auto FetchPage(const Context& ctx, Executor& database) const {
    using R = typename Query::template CheckedRow<Row>::Type;
    return ReadPage<R>(internal::RunForPage(clauses_, ctx, database));
  }

 private:
  template <typename T>
  struct Tag {
    using Type = T;
  };
  template <typename T>
  struct Tag<DerivedTable<T>> {
    using Type = T;
  };
  template <typename T>
  using TagOf = typename Tag<T>::Type;

  Query With(internal::Clause clause) const {
    return Query(internal::Append(clauses_, std::move(clause)));
  }

  Query Lock(internal::LockKind kind, Locked others, std::vector<std::string> of) const {
    internal::Clause clause(internal::Clause::Kind::kLock);
    clause.lock = kind;
    clause.wait = static_cast<internal::LockWait>(others);
    clause.names = std::move(of);
    return With(std::move(clause));
  }

  template <typename... Others>
  auto Combine(internal::SetOperation operation, const Query<Others...>& other) const {
    static_assert(sizeof...(Items) == sizeof...(Others),
                  "a set operation: both queries must have the same number of columns");
    if constexpr (sizeof...(Items) == sizeof...(Others)) {
      static_assert((internal::kSameKind<Items, Others> && ...),
                    "a set operation: the columns of both queries must have the same types");
      internal::Clause clause(internal::Clause::Kind::kSetOperation);
      clause.query = clauses_;
      clause.other = other.clauses();
      clause.set_operation = operation;
      return Query<internal::Combined<Items, Others>...>(
          internal::Append(nullptr, std::move(clause)));
    }
  }

  template <typename R>
  absl::StatusOr<Page<R>> ReadPage(absl::StatusOr<std::unique_ptr<Rows>> rows) const {
    if (!rows.ok()) return rows.status();
    const auto [keys, limit] = internal::PageShape(clauses_);
    Page<R> page;
    std::vector<Value> last(keys);
    while ((*rows)->Next()) {
      if (static_cast<int64_t>(page.rows.size()) == limit) {
        page.next = Cursor(std::move(last));
        return page;
      }
      std::vector<Destination> columns;
      R row{};
      penstock::internal::WithFields(
          row, [&](auto&... field) { (columns.push_back(Destination(&field)), ...); });
      for (Value& key : last) columns.push_back(Destination(&key));
      if (absl::Status read = (*rows)->ScanRow(columns); !read.ok()) return read;
      page.rows.push_back(std::move(row));
    }
    if (absl::Status end = (*rows)->Err(); !end.ok()) return end;
    return page;
  }

  internal::Clauses clauses_;
};

template <Expression... E>
auto Select(const E&... e) {
  return Query<internal::ItemOf<E>...>(
      internal::AppendSelect({e.node()...}, {std::is_void_v<typename E::table_type>...}));
}

// The functions below take a subquery, which may use columns of the query around it.
template <Expression E, typename I>
requires Comparable < ValueOf<E>,
typename I::value_type > Condition In(const E& e, const Query<I>& query) {
  return Condition(internal::MakeInQuery(e.node(), query.clauses(), false));
}
// A NULL in the subquery would make NOT IN true of nothing, so its column must never be NULL.
template <Expression E, typename I>
requires(Comparable<ValueOf<E>, typename I::value_type> &&
         !kNullable<typename I::value_type>) Condition NotIn(const E& e, const Query<I>& query) {
  return Condition(internal::MakeInQuery(e.node(), query.clauses(), true));
}
template <typename... Items>
Condition Exists(const Query<Items...>& query) {
  return Condition(internal::MakeExists(query.clauses()));
}
template <typename... Items>
Condition NotExists(const Query<Items...>& query) {
  return !Exists(query);
}
// Returns the value of a subquery's only row; NULL if it has none. If it has several, PostgreSQL
// fails and SQLite takes the first. The subquery therefore needs an aggregate without GROUP BY, or
// a Limit of 1.
template <typename I>
auto Scalar(const Query<I>& query) {
  using T = Nullable<typename I::value_type>;
  return Expr<T>(internal::MakeScalar(query.clauses(), internal::TypeOf<T>()));
}

}  // namespace penstock::sql

#endif  // PENSTOCK_SQL_SELECT_H_
