// Runs the builder's statements, rendered for the dialect of the database in use.
#ifndef PENSTOCK_SQL_RUN_H_
#define PENSTOCK_SQL_RUN_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "penstock/context.h"
#include "penstock/provider.h"
#include "penstock/read.h"
#include "penstock/sql/kinds.h"
#include "penstock/sql/tree.h"

namespace penstock::sql {
namespace internal {

// True if a value of T can be read into F, as far as the compiler can tell. A value that may be
// NULL needs an F that may be empty.
template <typename F, typename T>
inline constexpr bool kReadable = [] {
  using P = Plain<F>;
  constexpr Kind kFrom = KindOf<T>();
  if constexpr (std::same_as<P, Value>) {
    return true;
  } else if constexpr (kNullable<T> && !kNullable<F>) {
    return false;
  } else if constexpr (KindOf<P>() == kFrom) {
    return !std::is_enum_v<Plain<T>> || !std::is_enum_v<P> || std::same_as<Plain<T>, P>;
  } else if constexpr (std::same_as<P, std::string>) {
    return kFrom != Kind::kBlob && kFrom != Kind::kBoolean && kFrom != Kind::kReal &&
           kFrom != Kind::kTimestamp && kFrom != Kind::kArray && kFrom != Kind::kInteger;
  } else {
    return KindOf<P>() == Kind::kReal && kFrom == Kind::kInteger;
  }
}();

template <typename Fields, typename Values>
inline constexpr bool kSameSize = std::tuple_size_v<Fields> == std::tuple_size_v<Values>;

template <typename Fields, typename Values>
struct CheckFields {
  static_assert(kSameSize<Fields, Values>,
                "the type that a row is read into must have one field for each column");
};
template <typename... F, typename... T>
requires(sizeof...(F) == sizeof...(T)) struct CheckFields<std::tuple<F...>, std::tuple<T...>> {
  static_assert((kReadable<F, T> && ...),
                "a field is of another type than its column, or must be a std::optional because "
                "the column may be NULL");
};

template <typename Tuple>
struct DefaultRow {
  using Type = Tuple;
};
template <typename T>
struct DefaultRow<std::tuple<T>> {
  using Type = T;
};

// The type that a row is read into by default: the only column's type, or a tuple.
template <typename Row, typename Tuple>
using RowOr = std::conditional_t<std::is_void_v<Row>, typename DefaultRow<Tuple>::Type, Row>;

absl::StatusOr<std::unique_ptr<Rows>> RunForRows(const Clauses& statement, const Context& ctx,
                                                 Executor& database);
absl::StatusOr<Result> RunForEffect(const Clauses& statement, const Context& ctx,
                                    Executor& database);
absl::StatusOr<std::unique_ptr<Rows>> RunForPage(const Clauses& statement, const Context& ctx,
                                                 Executor& database);

}  // namespace internal

// The base of all statements that return rows. `Tuple` has the types of the columns. Row is
// the type that a row is read into (a struct, a tuple or a single value); it defaults to the only
// column's type or a std::tuple. The compiler refuses a Row whose fields do not match the columns.
//
// `database` is a Provider or a Transaction. Statements are immutable and thread-safe.
template <typename Self, typename Tuple>
// It has no state that a wrong derived type could corrupt.
// NOLINTNEXTLINE(bugprone-crtp-constructor-accessibility)
class WithRows {
 public:
  // Returns all rows.
  template <typename Row = void>
  auto FetchAll(const Context& ctx, Executor& database) const {
    using R = Checked<Row>;
    return ReadAll<R>(Fetch(ctx, database));
  }
  // Returns the only row. NOT_FOUND if there is none, FAILED_PRECONDITION if there are several.
  template <typename Row = void>
  auto FetchOne(const Context& ctx, Executor& database) const {
    using R = Checked<Row>;
    return ReadOne<R>(Fetch(ctx, database));
  }
  // Does the same, but returns nullopt if there is no row.
  template <typename Row = void>
  auto FetchOptional(const Context& ctx, Executor& database) const {
    using R = Checked<Row>;
    return ReadOptional<R>(Fetch(ctx, database));
  }
  // Returns the rows one after another, for results of any size; see rows.h.
  absl::StatusOr<std::unique_ptr<Rows>> Fetch(const Context& ctx, Executor& database) const {
    return internal::RunForRows(self().clauses(), ctx, database);
  }

 protected:
  template <typename Row>
  struct CheckedRow {
    using Type = internal::RowOr<Row, Tuple>;
    static constexpr internal::CheckFields<
        std::remove_pointer_t<penstock::internal::FieldsOf<Type>>, Tuple>
        kCheck{};
  };
  template <typename Row>
  using Checked = typename CheckedRow<Row>::Type;

 private:
  const Self& self() const { return static_cast<const Self&>(*this); }
};

}  // namespace penstock::sql

#endif  // PENSTOCK_SQL_RUN_H_
