// The tables that the tests of the query builder use.
#ifndef PENSTOCK_TESTS_SQL_TABLES_H_
#define PENSTOCK_TESTS_SQL_TABLES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "penstock/sql.h"

namespace penstock::testing {

enum class Role : uint8_t { kMember = 1, kAdmin = 2 };

template <sql::Name As = "users">
struct Users : sql::Table<Users<As>, "users", As> {
  sql::Col<Users, int64_t, "id"> id;
  sql::Col<Users, std::string, "name"> name;
  sql::Col<Users, std::optional<int64_t>, "age"> age;
  sql::Col<Users, std::optional<int64_t>, "boss_id"> boss_id;
  sql::Col<Users, bool, "active"> active;
  sql::Col<Users, std::optional<double>, "height"> height;
  sql::Col<Users, std::optional<penstock::Decimal>, "balance"> balance;
  sql::Col<Users, std::optional<absl::CivilDay>, "born"> born;
  sql::Col<Users, std::optional<absl::Time>, "seen"> seen;
  sql::Col<Users, std::optional<penstock::Json>, "doc"> doc;
  sql::Col<Users, Role, "role"> role;
};
inline constexpr Users<> users;
inline constexpr Users<"m"> boss;

// What a query may be called in FROM.
template <sql::Name As = "t">
struct Numbers : sql::Table<Numbers<As>, "t", As> {
  sql::Col<Numbers, int64_t, "id"> id;
  sql::Col<Numbers, int64_t, "n"> n;
};
inline constexpr Numbers<> numbers;

template <sql::Name As = "entries">
struct Kv : sql::Table<Kv<As>, "entries", As> {
  sql::Col<Kv, std::string, "key"> key;
  sql::Col<Kv, std::string, "value"> value;
};
inline constexpr Kv<> kv;

// For every driver of SQL.
inline constexpr char kCreateUsers[] =
    "CREATE TABLE users (id BIGINT PRIMARY KEY, name TEXT NOT NULL, age INTEGER, boss_id BIGINT, "
    "active BOOLEAN NOT NULL, height DOUBLE PRECISION, balance NUMERIC(12,2), born DATE, "
    "seen TIMESTAMP WITH TIME ZONE, doc JSON, role SMALLINT NOT NULL)";

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SQL_TABLES_H_
