// What is refused when a statement is built: what no server would take, and what one has not.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/sql.h"
#include "tests/sql/tables.h"

namespace penstock::testing {
namespace {

using sql::Asc;
using sql::Dialect;
using sql::Select;
using ::testing::HasSubstr;

constexpr Dialect kAll[] = {Dialect::kPostgres, Dialect::kCockroachDb, Dialect::kSqlite,
                            Dialect::kPebble};

// On every server, whichever it is.
template <typename Statement>
void ExpectRefused(const Statement& statement, const std::string& why) {
  for (const Dialect dialect : kAll) {
    const absl::Status refused = statement.Build(dialect).status();
    EXPECT_TRUE(absl::IsInvalidArgument(refused)) << why << ": " << refused;
    EXPECT_THAT(refused.ToString(), HasSubstr(why));
  }
}

template <typename Statement>
void ExpectLacking(const Statement& statement, std::vector<Dialect> lacking,
                   const std::string& why) {
  for (const Dialect dialect : kAll) {
    const absl::Status built = statement.Build(dialect).status();
    if (std::find(lacking.begin(), lacking.end(), dialect) == lacking.end()) {
      EXPECT_EQ(built, absl::OkStatus()) << DialectName(dialect);
      continue;
    }
    EXPECT_TRUE(absl::IsUnimplemented(built)) << built;
    EXPECT_THAT(built.ToString(), HasSubstr(why));
    EXPECT_THAT(built.ToString(), HasSubstr(std::string(DialectName(dialect)) + " has no "));
    EXPECT_THAT(built.ToString(), HasSubstr("hint: "));
  }
}

const std::vector<Dialect> kSqlites = {Dialect::kSqlite, Dialect::kPebble};

TEST(SqlRefusedTest, ColumnsWhoseTableIsNotThere) {
  ExpectRefused(Select(users.id).From(numbers), "column users.id: its table is not in FROM");
  ExpectRefused(Select(users.id).From(boss), "column users.id");
  ExpectRefused(Select(users.id).From(users).Where(boss.id == 1), "column m.id");
  ExpectRefused(Select(users.id).From(users).OrderBy(Asc(boss.id)), "column m.id");
  // A condition of a join sees the tables up to its own.
  ExpectRefused(Select(users.id)
                    .From(users)
                    .Join(numbers, numbers.id == boss.id)
                    .Join(boss, boss.id == users.id),
                "column m.id");
  // A query in FROM does not see what stands beside it, one in WHERE does.
  ExpectRefused(Select(users.id).From(users).Join(
                    sql::As(Select(boss.id, boss.id).From(boss).Where(boss.id == users.id), numbers,
                            numbers.id, numbers.n),
                    numbers.id == users.id),
                "column users.id");
  ExpectRefused(sql::Update(users).Set(users.name, boss.name).Where(users.id == 1),
                "column m.name");
  ExpectRefused(sql::DeleteFrom(users).Where(boss.id == 1), "column m.id");
  ExpectRefused(sql::InsertInto(users).Set(users.id, users.id + 1), "column users.id");
  ExpectRefused(Select(users.id).From(users).Join(users, users.id == 1), "duplicate table");
}

TEST(SqlRefusedTest, ColumnsOutsideOfAggregates) {
  ExpectRefused(Select(users.name, sql::Count()).From(users), "neither in GROUP BY nor");
  ExpectRefused(Select(users.name, sql::Count()).From(users).GroupBy(users.age),
                "column users.name is neither in GROUP BY nor in an aggregate");
  ExpectRefused(Select(sql::Count()).From(users).Having(users.id > 1), "column users.id");
  ExpectRefused(Select(users.age).From(users).GroupBy(users.age).OrderBy(Asc(users.id)),
                "column users.id");
  ExpectRefused(
      Select(sql::Coalesce(users.age, 1)).From(users).GroupBy(sql::Coalesce(users.age, 1)),
      "column users.age");
  ExpectRefused(
      Select(users.age, sql::Sum(users.id).Over(sql::Window())).From(users).GroupBy(users.age),
      "column users.id");
}

TEST(SqlRefusedTest, WhatMayBeNull) {
  const auto joined = [](auto expression) {
    return Select(expression).From(users).LeftJoin(boss, boss.id == users.boss_id);
  };
  ExpectRefused(joined(sql::Length(boss.name)), "may be NULL");
  ExpectRefused(joined(boss.name + "!"), "may be NULL");
  ExpectRefused(joined(boss.id > 1), "sql::MaybeNull");
  ExpectRefused(Select(users.age > 1).From(users), "may be NULL");
  EXPECT_TRUE(joined(sql::Coalesce(boss.name, "none")).Build(Dialect::kSqlite).ok());
  EXPECT_TRUE(joined(sql::IsNull(boss.name)).Build(Dialect::kSqlite).ok());
}

TEST(SqlRefusedTest, WritesOfEveryRowThatDoNotSaySo) {
  ExpectRefused(sql::Update(users).Set(users.name, "x"), "UPDATE without Where");
  ExpectRefused(sql::DeleteFrom(users), "DELETE without Where");
  ExpectRefused(sql::DeleteFrom(users).WhereIf(false, [] { return users.id == 1; }), "All()");
  ExpectRefused(sql::DeleteFrom(users).Where(users.id == 1).All(), "Where and All()");
}

TEST(SqlRefusedTest, WritesThatMakeNoSense) {
  ExpectRefused(sql::Update(users).Where(users.id == 1), "UPDATE has no Set");
  ExpectRefused(sql::Update(users).Set(users.name, "x").Set(users.name, "y").All(),
                "has a duplicate column name");
  ExpectRefused(sql::InsertInto(users).Set(users.id, 1).Set(users.id, 2), "duplicate column");
  ExpectRefused(sql::InsertInto(users, users.id), "INSERT has no rows");
  ExpectRefused(sql::InsertInto(users, users.id).Values(1).From(Select(boss.id).From(boss)),
                "one of Set");
  ExpectRefused(sql::InsertInto(users, users.id).Set(users.id, 1), "not with Set");
  ExpectRefused(sql::InsertInto(kv).Set(kv.key, sql::Excluded(kv.key)),
                "Excluded can only be used in");
}

TEST(SqlRefusedTest, QueriesThatMakeNoSense) {
  const auto ids = Select(users.id).From(users);
  ExpectRefused(ids.Limit(-1), "Limit is -1; it must be 0 or more");
  ExpectRefused(ids.Offset(-1), "Offset is -1; it must be 0 or more");
  ExpectRefused(ids.Distinct().OrderBy(Asc(users.age)), "can only use columns of the result");
  ExpectRefused(ids.Union(ids).OrderBy(Asc(users.age)), "columns of its first query");
  ExpectRefused(ids.Union(ids).Where(users.id == 1), "select from it");
  ExpectRefused(ids.Distinct().ForUpdate(), "cannot be locked");
  ExpectRefused(ids.Where(sql::JsonAt<int64_t>(users.doc, -1) == 1), "counted from 0");
  ExpectRefused(ids.Where(users.id == sql::Param<"id", int64_t>()), "\"id\" has no value");
  ExpectRefused(ids.Bind<"id">(1), "has no parameter \"id\"");
  ExpectRefused(ids.Where(users.id == sql::Param<"id", int64_t>()).Bind<"id">("x"),
                "of the kind integer, but its value is of the kind text");
  ExpectRefused(
      ids.Where(users.id == sql::Param<"id", int64_t>()).Bind<"id">(std::optional<int64_t>()),
      "is NULL, but its type is not std::optional");
}

TEST(SqlRefusedTest, PlacesThatAreNotInTheOrder) {
  const auto ordered = Select(users.id).From(users).OrderBy(Asc(users.age), Asc(users.id)).Limit(2);
  ExpectRefused(ordered.After(sql::Cursor({1})), "After has 1 values for 2 columns");
  ExpectRefused(ordered.After(sql::Cursor({1, nullptr})), "column 2 of ORDER BY is never NULL");
  ExpectRefused(ordered.After(sql::Cursor({true, 1})),
                "of the kind integer, but the value is of the kind boolean");
  ExpectRefused(ordered.Distinct().After(sql::Cursor({1, 1})), "together with GROUP BY");
}

TEST(SqlRefusedTest, NamesThatAreNone) {
  const auto named = [](std::string_view name) {
    const sql::DynTable table = sql::Dyn("t");
    return Select(table.Column<int64_t>(name)).From(table);
  };
  ExpectRefused(named(""), "an identifier is empty");
  ExpectRefused(named(std::string_view("a\0b", 3)), "contains a NUL");
  const std::string longest(63, 'x');
  EXPECT_TRUE(named(longest).Build(Dialect::kPostgres).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(named(longest + "x").Build(Dialect::kPostgres).status()));
  EXPECT_TRUE(named(longest + "x").Build(Dialect::kSqlite).ok());
}

TEST(SqlRefusedTest, TreesThatAreTooDeep) {
  sql::Condition chain = users.id == 0;
  for (int i = 1; i < 100'000; ++i) chain = chain || users.id == i;
  ExpectRefused(Select(users.id).From(users).Where(chain), "AnyOf");
  std::vector<sql::Condition> conditions;
  for (int i = 0; i < 10'000; ++i) conditions.push_back(users.id == i);
  EXPECT_TRUE(Select(users.id).From(users).Where(sql::AnyOf(conditions)).Build(kAll[0]).ok());
  // A statement may have any number of clauses.
  auto query = Select(users.id).From(users);
  for (int i = 0; i < 100'000; ++i) query = query.Where(users.active);
  EXPECT_TRUE(query.Build(kAll[0]).ok());
  ExpectRefused(
      Select(users.id).From(users).Where(
          sql::AllOf(std::vector<sql::Condition>(40'000, users.id == 1)) && sql::AllOf([] {
            std::vector<sql::Condition> each;
            for (int i = 0; i < 40'000; ++i) each.push_back(users.id == i);
            return each;
          }())),
      "more than 32766 parameters");
}

TEST(SqlRefusedTest, WhatADialectHasNot) {
  const auto ids = Select(users.id).From(users);
  ExpectLacking(Select(users.balance * 2).From(users), kSqlites, "arithmetic on decimals");
  ExpectLacking(Select(sql::Sum(users.balance)).From(users), kSqlites, "arithmetic on decimals");
  ExpectLacking(Select(sql::Max(users.balance)).From(users), kSqlites, "arithmetic on decimals");
  ExpectLacking(Select(sql::Abs(users.balance)).From(users), kSqlites, "arithmetic on decimals");
  ExpectLacking(Select(users.balance + 0.5).From(users), kSqlites, "arithmetic on decimals");
  ExpectLacking(Select(sql::Cast<int64_t>(users.name)).From(users), kSqlites,
                "cast from text to integer");
  ExpectLacking(Select(sql::Cast<int64_t>(users.height)).From(users), kSqlites,
                "cast from real to integer");
  ExpectLacking(ids.Where(sql::JsonAt<int64_t>(users.doc, "a\"b") == 1), kSqlites, "paths of JSON");
  ExpectLacking(ids.ForUpdate(), {Dialect::kPebble}, "row locks");
  ExpectLacking(sql::DeleteFrom(kv).Where(kv.key == "a").Returning(kv.key), {Dialect::kPebble},
                "RETURNING");
  ExpectLacking(sql::InsertInto(kv)
                    .Set(kv.key, "a")
                    .Set(kv.value, "b")
                    .OnConflict(kv.key)
                    .UpdateTo(kv.value, kv.value + "!"),
                {Dialect::kPebble}, "upsert that computes");
}

}  // namespace
}  // namespace penstock::testing
