// INSERT, UPDATE and DELETE.
//
//   auto up = sql::InsertInto(users).Set(users.id, 1).Set(users.name, "Ada")
//                 .OnConflict(users.id).Update(users.name)
//                 .Returning(users.id).FetchOne(ctx, *db);
//   auto n = sql::InsertInto(users, users.id, users.name)
//                .Rows(people, &Person::id, &Person::name).Exec(ctx, *db);
//   auto older = sql::Update(users).Set(users.age, users.age + 1).Where(users.id == 7)
//                    .Exec(ctx, *db);
//   auto gone = sql::DeleteFrom(users).Where(users.id == 7).Exec(ctx, *db);
//
// As with SELECT, each method returns a new statement. Build, Exec and Fetch report errors before
// anything is sent. UPDATE and DELETE without a Where are refused unless they call All(), also if
// WhereIf has left out their only condition.
#ifndef PENSTOCK_SQL_WRITE_H_
#define PENSTOCK_SQL_WRITE_H_

#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "penstock/sql/expression.h"
#include "penstock/sql/run.h"
#include "penstock/sql/select.h"

namespace penstock::sql {
namespace internal {

// True if V, a value or an expression, may be stored in a column of type T.
template <typename T, typename V>
concept Storable = (std::same_as<Plain<Operand<V>>, std::nullopt_t> ||
                    KindOf<T>() == KindOf<Operand<V>>() ||
                    (KindOf<Operand<V>>() == Kind::kInteger &&
                     (KindOf<T>() == Kind::kReal || KindOf<T>() == Kind::kDecimal))) &&
                   (!std::is_enum_v<Plain<T>> || !std::is_enum_v<Plain<Operand<V>>> ||
                    std::same_as<Plain<T>, Plain<Operand<V>>>)&&(kNullable<T> ||
                                                                 !kNullable<Operand<V>>);

}  // namespace internal

// The value that could not be inserted, for use in UpdateTo of an upsert.
template <Column C>
auto Excluded(const C& column) {
  using T = ValueOf<C>;
  return Expr<T>(internal::MakeExcluded(column.name(), internal::TypeOf<T>()));
}

// A statement that writes and returns rows.
template <typename... T>
class Returned : public WithRows<Returned<T...>, std::tuple<T...>> {
 public:
  explicit Returned(internal::Clauses clauses) : clauses_(std::move(clauses)) {}
  const internal::Clauses& clauses() const { return clauses_; }
  absl::StatusOr<Built> Build(Dialect dialect) const { return internal::Render(clauses_, dialect); }

 private:
  internal::Clauses clauses_;
};

// The base of InsertInto, Update and DeleteFrom.
template <typename Self>
class Write {
 public:
  // Public, because statements inherit it.
  // NOLINTNEXTLINE(bugprone-crtp-constructor-accessibility)
  explicit Write(internal::Clauses clauses) : clauses_(std::move(clauses)) {}
  const internal::Clauses& clauses() const { return clauses_; }

  // Returns the written rows as they are afterwards. Pebble does not support RETURNING.
  template <Expression... E>
  [[nodiscard]] Returned<ValueOf<E>...> Returning(const E&... e) const {
    return Returned<ValueOf<E>...>(
        internal::AppendNodes(clauses_, internal::Clause::Kind::kReturning, {e.node()...}));
  }
  template <Name ParameterName, typename V>
  requires std::constructible_from<Value, const V&>
  [[nodiscard]] Self Bind(const V& value) const {
    return And(internal::BindClause(ParameterName.view(), Value(value)));
  }
  template <typename T>
  [[nodiscard]] Self With(const DerivedTable<T>& table) const {
    return Self(internal::AppendTable(clauses_, internal::Clause::Kind::kWith, table.reference));
  }

  absl::StatusOr<Built> Build(Dialect dialect) const { return internal::Render(clauses_, dialect); }
  absl::StatusOr<Result> Exec(const Context& ctx, Executor& database) const {
    return internal::RunForEffect(clauses_, ctx, database);
  }

 protected:
  Self And(internal::Clause clause) const {
    return Self(internal::Append(clauses_, std::move(clause)));
  }

 private:
  internal::Clauses clauses_;
};

// Decides what happens to a row whose key already exists.
template <typename Insert>
class Conflict {
 public:
  explicit Conflict(internal::Clauses clauses) : clauses_(std::move(clauses)) {}
  // Leaves the existing row unchanged.
  [[nodiscard]] Insert DoNothing() const { return Insert(clauses_); }
  // Sets these columns of the existing row to the values that were to be inserted.
  template <Column... C>
  [[nodiscard]] Insert Update(const C&... columns) const {
    return Insert(
        internal::Append(clauses_, internal::NamesClause(internal::Clause::Kind::kUpdateExcluded,
                                                         {std::string(columns.name())...})));
  }
  // Sets this column of the existing row to `value`, an expression of that row and of Excluded(…).
  // Can be followed by further calls of UpdateTo and by UpdateWhere.
  template <Column C, typename V>
  requires internal::Storable<ValueOf<C>, V>
  [[nodiscard]] Insert UpdateTo(const C& column, const V& value) const {
    return Insert(clauses_).UpdateTo(column, value);
  }

 private:
  internal::Clauses clauses_;
};

// `T` are the types of the columns that were passed to InsertInto.
template <typename... T>
class Insert : public Write<Insert<T...>> {
 public:
  using Write<Insert<T...>>::Write;

  // Sets one column of the row. A nullable column also accepts std::nullopt.
  template <Column C, typename V>
  requires internal::Storable<ValueOf<C>, V>
  [[nodiscard]] Insert Set(const C& column, const V& value) const {
    return Insert(internal::AppendAssignment(this->clauses(), internal::Clause::Kind::kSet,
                                             column.name(), internal::ToNode(value)));
  }

  // Adds a row of values, one for each of the columns that were passed to InsertInto.
  template <typename... V>
  [[nodiscard]] Insert Values(const V&... values) const {
    Check<V...>();
    internal::Clause clause(internal::Clause::Kind::kRows);
    clause.rows.push_back({Value(values)...});
    return this->And(std::move(clause));
  }

  // Adds a row for each of `items`; `members` are pointers to members or functions of an item.
  // Either all rows are inserted or none. There may be any number: Exec sends them as rows of one
  // statement (Executor::ExecRows), for which PostgreSQL's driver uses COPY if they are many. With
  // a Returning there may be at most 32,766 values.
  template <typename Items, typename... Member>
  requires(sizeof...(Member) > 0) [[nodiscard]] Insert
      Rows(const Items& items, const Member&... members) const {
    Check<std::remove_cvref_t<
        std::invoke_result_t<const Member&, decltype(*std::begin(items))>>...>();
    internal::Clause clause(internal::Clause::Kind::kRows);
    for (const auto& item : items) {
      clause.rows.push_back({Value(std::invoke(members, item))...});
    }
    return this->And(std::move(clause));
  }

  // Inserts the rows of a query into the columns that were passed to InsertInto.
  template <typename... Items>
  [[nodiscard]] Insert From(const Query<Items...>& query) const {
    Check<typename Items::value_type...>();
    internal::Clause clause(internal::Clause::Kind::kQuery);
    clause.query = query.clauses();
    return this->And(std::move(clause));
  }

  // Begins an upsert; call a method of Conflict next. `key` are the columns of a primary key or a
  // unique index. Without columns it means any of these, and only DoNothing can follow.
  template <Column... C>
  [[nodiscard]] Conflict<Insert> OnConflict(const C&... key) const {
    return Conflict<Insert>(internal::Append(
        this->clauses(),
        internal::NamesClause(internal::Clause::Kind::kConflict, {std::string(key.name())...})));
  }
  template <Column C, typename V>
  requires internal::Storable<ValueOf<C>, V>
  [[nodiscard]] Insert UpdateTo(const C& column, const V& value) const {
    return Insert(internal::AppendAssignment(this->clauses(), internal::Clause::Kind::kUpdateSet,
                                             column.name(), internal::ToNode(value)));
  }
  // Updates the existing row only if this condition holds for it; otherwise leaves it unchanged.
  template <ConditionLike C>
  [[nodiscard]] Insert UpdateWhere(const C& condition) const {
    return Insert(internal::AppendNode(this->clauses(), internal::Clause::Kind::kUpdateWhere,
                                       condition.node()));
  }

 private:
  template <typename... V>
  static constexpr void Check() {
    static_assert(sizeof...(V) == sizeof...(T), "give one value for each column of InsertInto");
    if constexpr (sizeof...(V) == sizeof...(T)) {
      static_assert((internal::Storable<T, V> && ...),
                    "a value is of another type than its column, or may be NULL while the column "
                    "may not");
    }
  }
};

class UpdateStatement : public Write<UpdateStatement> {
 public:
  using Write::Write;
  template <Column C, typename V>
  requires internal::Storable<ValueOf<C>, V>
  [[nodiscard]] UpdateStatement Set(const C& column, const V& value) const {
    return UpdateStatement(internal::AppendAssignment(clauses(), internal::Clause::Kind::kSet,
                                                      column.name(), internal::ToNode(value)));
  }
  // Adds a second table, from which columns are read. If several of its rows match one row of the
  // updated table, the database may use any of them.
  template <TableLike T>
  [[nodiscard]] UpdateStatement From(const T& table) const {
    return UpdateStatement(
        internal::AppendTable(clauses(), internal::Clause::Kind::kFrom, table.Reference()));
  }
  template <ConditionLike C>
  [[nodiscard]] UpdateStatement Where(const C& condition) const {
    return UpdateStatement(
        internal::AppendNode(clauses(), internal::Clause::Kind::kWhere, condition.node()));
  }
  template <typename Wanted, typename Make>
  [[nodiscard]] UpdateStatement WhereIf(const Wanted& wanted, Make make) const {
    return static_cast<bool>(wanted) ? Where(make()) : *this;
  }
  // Declares that every row is to be updated.
  [[nodiscard]] UpdateStatement All() const {
    return And(internal::Clause(internal::Clause::Kind::kAll));
  }
};

class DeleteStatement : public Write<DeleteStatement> {
 public:
  using Write::Write;
  template <ConditionLike C>
  [[nodiscard]] DeleteStatement Where(const C& condition) const {
    return DeleteStatement(
        internal::AppendNode(clauses(), internal::Clause::Kind::kWhere, condition.node()));
  }
  template <typename Wanted, typename Make>
  [[nodiscard]] DeleteStatement WhereIf(const Wanted& wanted, Make make) const {
    return static_cast<bool>(wanted) ? Where(make()) : *this;
  }
  // Declares that every row is to be deleted.
  [[nodiscard]] DeleteStatement All() const {
    return And(internal::Clause(internal::Clause::Kind::kAll));
  }
};

template <TableLike T, Column... C>
Insert<ValueOf<C>...> InsertInto(const T& table, const C&... columns) {
  internal::Clauses clauses =
      internal::AppendTable(nullptr, internal::Clause::Kind::kInsert, table.Reference());
  if constexpr (sizeof...(C) > 0) {
    clauses = internal::Append(clauses, internal::NamesClause(internal::Clause::Kind::kColumns,
                                                              {std::string(columns.name())...}));
  }
  return Insert<ValueOf<C>...>(std::move(clauses));
}
template <TableLike T>
UpdateStatement Update(const T& table) {
  return UpdateStatement(
      internal::AppendTable(nullptr, internal::Clause::Kind::kUpdate, table.Reference()));
}
template <TableLike T>
DeleteStatement DeleteFrom(const T& table) {
  return DeleteStatement(
      internal::AppendTable(nullptr, internal::Clause::Kind::kDelete, table.Reference()));
}

}  // namespace penstock::sql

#endif  // PENSTOCK_SQL_WRITE_H_
