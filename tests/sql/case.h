// A statement of the query builder, and what it has to find on every backend.
#ifndef PENSTOCK_TESTS_SQL_CASE_H_
#define PENSTOCK_TESTS_SQL_CASE_H_

#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "penstock/sql.h"

namespace penstock::testing {

struct Case {
  std::string name;
  std::function<absl::StatusOr<sql::Built>(sql::Dialect)> build;
  // Its rows as text, or what it has changed; none for a statement that is only built.
  std::function<absl::StatusOr<std::vector<std::string>>(const Context&, Executor&)> run;
  std::vector<std::string> expected;
};

// All of them; those that write are in an order, and each has what those before it have left.
std::vector<Case> QueryCases();
std::vector<Case> WriteCases();
// Those on the two columns that pebble has as well.
std::vector<Case> KeyValueCases();

// What the cases find: three bosses' worth of people.
absl::Status FillUsers(const Context& ctx, Executor& db);

// "1|Ada|NULL": the values, whatever the kinds they came in.
template <typename T>
std::string ToText(const T& value) {
  if constexpr (sql::kNullable<T>) {
    return value.has_value() ? ToText(*value) : "NULL";
  } else if constexpr (std::is_same_v<T, std::string>) {
    return value;
  } else if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_enum_v<T>) {
    return std::to_string(static_cast<int>(value));
  } else {
    Value plain(value);
    if (plain.kind() == Kind::kDecimal || plain.kind() == Kind::kDate ||
        plain.kind() == Kind::kJson) {
      return plain.text();
    }
    return plain.DebugString();
  }
}

template <typename... T>
std::string ToText(const std::tuple<T...>& row) {
  std::string text;
  std::apply(
      [&](const auto&... value) { ((text += (text.empty() ? "" : "|") + ToText(value)), ...); },
      row);
  return text;
}

template <typename Query>
Case Finds(std::string name, Query query, std::vector<std::string> expected) {
  return {std::move(name), [query](sql::Dialect dialect) { return query.Build(dialect); },
          [query](const Context& ctx, Executor& db) -> absl::StatusOr<std::vector<std::string>> {
            auto rows = query.FetchAll(ctx, db);
            if (!rows.ok()) return rows.status();
            std::vector<std::string> text;
            // A std::vector<bool> has none to refer to.
            using Row = typename std::remove_cvref_t<decltype(*rows)>::value_type;
            for (const Row& row : *rows) text.push_back(ToText(row));
            return text;
          },
          std::move(expected)};
}

template <typename Statement>
Case Changes(std::string name, Statement statement, int64_t rows) {
  return {
      std::move(name),
      [statement](sql::Dialect dialect) { return statement.Build(dialect); },
      [statement](const Context& ctx, Executor& db) -> absl::StatusOr<std::vector<std::string>> {
        auto result = statement.Exec(ctx, db);
        if (!result.ok()) return result.status();
        return std::vector<std::string>{std::to_string(result->RowsAffected())};
      },
      {std::to_string(rows)}};
}

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SQL_CASE_H_
