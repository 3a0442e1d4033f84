// Running what the builder made: its text for the dialect of the database that is reached.
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

// A value of T can be read into F: it may be NULL only where F can be, and what it is is known
// when this is compiled.
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
                "the type that a row is read into has not one field for each column");
};
template <typename... F, typename... T>
requires(sizeof...(F) == sizeof...(T)) struct CheckFields<std::tuple<F...>, std::tuple<T...>> {
  static_assert((kReadable<F, T> && ...),
                "a field is of another type than its column, or is no std::optional although the "
                "column may be NULL");
};

template <typename Tuple>
struct DefaultRow {
  using Type = Tuple;
};
template <typename T>
struct DefaultRow<std::tuple<T>> {
  using Type = T;
};

// What a row is read into if nothing is said: the only column's type, or a tuple.
template <typename Row, typename Tuple>
using RowOr = std::conditional_t<std::is_void_v<Row>, typename DefaultRow<Tuple>::Type, Row>;

absl::StatusOr<std::unique_ptr<Rows>> RunForRows(const Clauses& statement, const Context& ctx,
                                                 Executor& database);
absl::StatusOr<Result> RunForEffect(const Clauses& statement, const Context& ctx,
                                    Executor& database);
absl::StatusOr<std::unique_ptr<Rows>> RunForPage(const Clauses& statement, const Context& ctx,
                                                 Executor& database);

}  // namespace internal

// What all statements that return rows can do. `Tuple` has the types of its columns; Row is
// what a row is read into (a struct, a tuple or a single value), by default the only column's
// type or a std::tuple. The compiler refuses fields that do not suit the columns.
//
// `database` is a Provider or a Transaction. Statements are immutable and thread-safe.
template <typename Self, typename Tuple>
// It has no state that another type could spoil.
// NOLINTNEXTLINE(bugprone-crtp-constructor-accessibility)
class WithRows {
 public:
  // All rows.
  template <typename Row = void>
  auto FetchAll(const Context& ctx, Executor& database) const {
    using R = Checked<Row>;
    return ReadAll<R>(Fetch(ctx, database));
  }
  // The only row. NOT_FOUND if there is none, FAILED_PRECONDITION if there are several.
  template <typename Row = void>
  auto FetchOne(const Context& ctx, Executor& database) const {
    using R = Checked<Row>;
    return ReadOne<R>(Fetch(ctx, database));
  }
  // The same, but no row is std::nullopt.
  template <typename Row = void>
  auto FetchOptional(const Context& ctx, Executor& database) const {
    using R = Checked<Row>;
    return ReadOptional<R>(Fetch(ctx, database));
  }
  // The rows as they come, for results of any size; see rows.h.
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
