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
// As with SELECT, a method returns a new statement. What cannot be is the failure of Build, Exec
// and Fetch before anything is sent. UPDATE and DELETE without a Where are refused unless they say
// All(), and so are those whose only condition was left out by WhereIf.
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

// V, a value or an expression, may be stored in a column of T.
template <typename T, typename V>
concept Storable = (std::same_as<Plain<Operand<V>>, std::nullopt_t> ||
                    KindOf<T>() == KindOf<Operand<V>>() ||
                    (KindOf<Operand<V>>() == Kind::kInteger &&
                     (KindOf<T>() == Kind::kReal || KindOf<T>() == Kind::kDecimal))) &&
                   (!std::is_enum_v<Plain<T>> || !std::is_enum_v<Plain<Operand<V>>> ||
                    std::same_as<Plain<T>, Plain<Operand<V>>>)&&(kNullable<T> ||
                                                                 !kNullable<Operand<V>>);

}  // namespace internal

// The value that an upsert could not insert, in Update(column, …).
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

// What the three have in common.
template <typename Self>
class Write {
 public:
  // Statements inherit it.
  // NOLINTNEXTLINE(bugprone-crtp-constructor-accessibility)
  explicit Write(internal::Clauses clauses) : clauses_(std::move(clauses)) {}
  const internal::Clauses& clauses() const { return clauses_; }

  // The rows as they are afterwards. Pebble has no such thing.
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

// What becomes of a row whose key is there already.
template <typename Insert>
class Conflict {
 public:
  explicit Conflict(internal::Clauses clauses) : clauses_(std::move(clauses)) {}
  // It is left as it is.
  [[nodiscard]] Insert DoNothing() const { return Insert(clauses_); }
  // These columns become what was to be inserted.
  template <Column... C>
  [[nodiscard]] Insert Update(const C&... columns) const {
    return Insert(
        internal::Append(clauses_, internal::NamesClause(internal::Clause::Kind::kUpdateExcluded,
                                                         {std::string(columns.name())...})));
  }
  // This column becomes `value`, an expression of the row that is there and of Excluded(…). May be
  // followed by more of Update and by UpdateWhere.
  template <Column C, typename V>
  requires internal::Storable<ValueOf<C>, V>
  [[nodiscard]] Insert UpdateTo(const C& column, const V& value) const {
    return Insert(clauses_).UpdateTo(column, value);
  }

 private:
  internal::Clauses clauses_;
};

// `T` are the types of the columns that InsertInto was given.
template <typename... T>
class Insert : public Write<Insert<T...>> {
 public:
  using Write<Insert<T...>>::Write;

  // One column of the row. A nullable column takes std::nullopt, too.
  template <Column C, typename V>
  requires internal::Storable<ValueOf<C>, V>
  [[nodiscard]] Insert Set(const C& column, const V& value) const {
    return Insert(internal::AppendAssignment(this->clauses(), internal::Clause::Kind::kSet,
                                             column.name(), internal::ToNode(value)));
  }

  // A row of values, one for each of the columns that InsertInto was given.
  template <typename... V>
  [[nodiscard]] Insert Values(const V&... values) const {
    Check<V...>();
    internal::Clause clause(internal::Clause::Kind::kRows);
    clause.rows.push_back({Value(values)...});
    return this->And(std::move(clause));
  }

  // A row for each of `items`, from its members or by functions of it. All are inserted or none.
  // Any number: Exec sends them as rows of one statement (Executor::ExecRows), which goes by COPY
  // on PostgreSQL where they are many; up to 32,766 values where there is a Returning.
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

  // What a query returns, for the columns that InsertInto was given.
  template <typename... Items>
  [[nodiscard]] Insert From(const Query<Items...>& query) const {
    Check<typename Items::value_type...>();
    internal::Clause clause(internal::Clause::Kind::kQuery);
    clause.query = query.clauses();
    return this->And(std::move(clause));
  }

  // Followed by what is to be done. The columns are those of a primary key or a unique index;
  // none: any of them, with DoNothing.
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
  // Only where this holds of the row that is there; otherwise it is left as it is.
  template <ConditionLike C>
  [[nodiscard]] Insert UpdateWhere(const C& condition) const {
    return Insert(internal::AppendNode(this->clauses(), internal::Clause::Kind::kUpdateWhere,
                                       condition.node()));
  }

 private:
  template <typename... V>
  static constexpr void Check() {
    static_assert(sizeof...(V) == sizeof...(T),
                  "one value for each of the columns that InsertInto was given");
    if constexpr (sizeof...(V) == sizeof...(T)) {
      static_assert((internal::Storable<T, V> && ...),
                    "a value is of another type than its column, or may be NULL and the column may "
                    "not");
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
  // A second table, of which columns are read. Where several of its rows suit one of the table,
  // which one is taken is not known.
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
  // Every row is meant.
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
  // Every row is meant.
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
