// What a statement is as a C++ value, and its small parts.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/sql.h"
#include "tests/sql/tables.h"

namespace penstock::testing {
namespace {

using sql::Asc;
using sql::Desc;
using sql::Select;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Text(const auto& statement, sql::Dialect dialect = sql::Dialect::kPostgres) {
  const absl::StatusOr<sql::Built> built = statement.Build(dialect);
  return built.ok() ? built->text : built.status().ToString();
}

// What compiles.
template <typename A, typename B>
concept CanEqual = requires(A a, B b) {
  a == b;
};
template <typename A, typename B>
concept CanOrder = requires(A a, B b) {
  a < b;
};
template <typename A, typename B>
concept CanAdd = requires(A a, B b) {
  a + b;
};
template <typename C, typename V>
concept CanSet = requires(C column, V value) {
  sql::InsertInto(users).Set(column, value);
};
using Id = decltype(users.id);
using Text_ = decltype(users.name);
using Age = decltype(users.age);

static_assert(CanEqual<Id, int> && CanEqual<int, Id> && CanEqual<Id, Age> && CanEqual<Id, double>);
static_assert(CanEqual<Text_, const char*> && CanEqual<Text_, std::string_view>);
static_assert(!CanEqual<Id, const char*> && !CanEqual<Text_, int> && !CanEqual<Id, Text_> &&
              !CanEqual<Id, bool>);
static_assert(CanEqual<Age, std::optional<int64_t>> && CanEqual<Age, std::nullopt_t>);
static_assert(CanOrder<Age, int> && CanOrder<int, Age> && CanOrder<Age, Id> &&
              !CanOrder<Age, std::optional<int64_t>> && !CanOrder<Age, std::nullopt_t> &&
              !CanOrder<Id, const char*>);
static_assert(!CanEqual<decltype(users.doc), penstock::Json>);
static_assert(!CanEqual<decltype(users.born), absl::Time> &&
              CanEqual<decltype(users.born), std::chrono::year_month_day> &&
              CanEqual<decltype(users.seen), std::chrono::system_clock::time_point>);
static_assert(CanEqual<decltype(users.role), Role> &&
              !CanEqual<decltype(users.role), sql::Dialect>);
static_assert(CanAdd<Id, int> && CanAdd<Text_, const char*> && !CanAdd<Id, const char*> &&
              !CanAdd<Age, std::optional<int64_t>>);
static_assert(CanSet<Id, int> && !CanSet<Id, std::nullopt_t> && !CanSet<Id, double> &&
              CanSet<Age, std::nullopt_t> && !CanSet<Id, std::optional<int64_t>> &&
              !CanSet<Text_, int> && CanSet<decltype(users.height), int>);

// The types of the rows.
template <typename Query>
using RowsOf = typename Query::Tuple;
static_assert(std::is_same_v<RowsOf<decltype(Select(users.id, users.age).From(users))>,
                             std::tuple<int64_t, std::optional<int64_t>>>);
static_assert(std::is_same_v<RowsOf<decltype(Select(users.name, boss.name)
                                                 .From(users)
                                                 .LeftJoin(boss, boss.id == users.boss_id))>,
                             std::tuple<std::string, std::optional<std::string>>>);
static_assert(std::is_same_v<RowsOf<decltype(Select(users.name, boss.name)
                                                 .From(users)
                                                 .RightJoin(boss, boss.id == users.boss_id))>,
                             std::tuple<std::optional<std::string>, std::string>>);
static_assert(std::is_same_v<RowsOf<decltype(Select(sql::Count(), sql::Sum(users.id),
                                                    users.id / users.id, users.age + 1.5))>,
                             std::tuple<int64_t, std::optional<int64_t>, std::optional<int64_t>,
                                        std::optional<double>>>);

TEST(SqlTreeTest, AStatementIsNotChangedByWhatIsMadeOfIt) {
  const auto all = Select(users.id).From(users);
  const auto first = all.Where(users.id == 1);
  const auto second = all.Where(users.id == 2);
  EXPECT_EQ(Text(all), R"(SELECT "users"."id" FROM "users")");
  EXPECT_EQ(first.Build(sql::Dialect::kSqlite)->args, std::vector<Value>{1});
  EXPECT_EQ(second.Build(sql::Dialect::kSqlite)->args, std::vector<Value>{2});
}

// PostgreSQL would not take two parameters in SELECT and GROUP BY for the same expression.
TEST(SqlTreeTest, TheSameValueIsTheSameParameter) {
  const auto grown = sql::When(users.age >= 18, "yes").Else("no");
  EXPECT_THAT(Text(Select(grown, sql::Count()).From(users).GroupBy(grown)),
              HasSubstr(R"(GROUP BY CASE WHEN ("users"."age" >= CAST($1 AS bigint)) THEN )"
                        R"(CAST($2 AS text) ELSE CAST($3 AS text) END)"));
}

TEST(SqlTreeTest, NamesAreQuoted) {
  const sql::DynTable table = sql::Dyn("a\"b; --", "x\" y");
  EXPECT_EQ(Text(Select(table.Column<int64_t>("c\"; DROP TABLE t")).From(table)),
            R"(SELECT "x"" y"."c""; DROP TABLE t" FROM "a""b; --" AS "x"" y")");
}

TEST(SqlTreeTest, ATableHasASchema) {
  struct Orders : sql::Table<Orders, "orders", "o", "shop"> {
    sql::Col<Orders, int64_t, "id"> id;
  };
  constexpr Orders orders;
  EXPECT_EQ(Text(Select(orders.id).From(orders)), R"(SELECT "o"."id" FROM "shop"."orders" AS "o")");
}

TEST(SqlTreeTest, AListHasOneTextForItsSize) {
  const auto in = [](size_t size) {
    return Text(
        Select(users.id).From(users).Where(sql::In(users.id, std::vector<int64_t>(size, 7))),
        sql::Dialect::kSqlite);
  };
  EXPECT_EQ(in(5), in(8));
  EXPECT_NE(in(8), in(9));
  EXPECT_EQ(in(1000), in(1024));
}

TEST(SqlTreeTest, SortKeysAreOnlyThoseThatAreListed) {
  const sql::SortKeys keys({{"name", Asc(users.name)}, {"age", Asc(users.age)}});
  const auto order = keys.Parse("-age,name");
  ASSERT_TRUE(order.ok()) << order.status();
  EXPECT_EQ(Text(Select(users.id).From(users).OrderBy(*order)),
            R"(SELECT "users"."id" FROM "users" ORDER BY "users"."age" DESC NULLS FIRST, )"
            R"("users"."name")");
  EXPECT_TRUE(keys.Parse("")->empty());
  for (const char* wrong : {"id", "name;", "name,", "age,-age", " name", "--age", "NAME"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(keys.Parse(wrong).status()) ||
                std::string_view(wrong) == "name,")
        << wrong;
  }
  EXPECT_THAT(keys.Parse("id").status().ToString(), HasSubstr("use one of name, age"));
}

TEST(SqlCursorTest, TheTextOfACursorIsThatCursor) {
  const sql::Cursor cursor({nullptr, true, -5, 0.1, "ü\n", Value::Decimal("1.50"),
                            Value::Date("2024-02-29"), Value(Timestamp{-7, 999'999'999}),
                            Bytes{std::string("\0\xff", 2)}, Value::Uuid("u")});
  const auto decoded = sql::Cursor::Decode(cursor.Encode());
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, cursor);
  EXPECT_EQ(sql::Cursor::Decode(sql::Cursor().Encode())->keys().size(), 0u);
  for (const char ch : cursor.Encode()) {
    EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(ch)) || ch == '-' || ch == '_') << ch;
  }
}

TEST(SqlCursorTest, AnyOtherTextIsRefused) {
  const std::string text = sql::Cursor({5, "abc"}).Encode();
  for (size_t i = 0; i < text.size(); ++i) {
    EXPECT_TRUE(absl::IsInvalidArgument(sql::Cursor::Decode(text.substr(0, i)).status())) << i;
    std::string changed = text;
    changed[i] = changed[i] == '!' ? '?' : '!';
    EXPECT_TRUE(absl::IsInvalidArgument(sql::Cursor::Decode(changed).status())) << i;
  }
  EXPECT_FALSE(sql::Cursor::Decode(text + "=").ok());
  EXPECT_FALSE(sql::Cursor::Decode("MQUA").ok());
}

}  // namespace
}  // namespace penstock::testing
