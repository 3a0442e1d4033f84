// The text of a statement that is run many times is written once for each dialect.
#include "client/sql/kept.h"

#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/sql/case.h"
#include "tests/sql/tables.h"

namespace penstock::testing {
namespace {

using sql::Dialect;
using sql::Param;
using sql::Select;
using sql::internal::ReadyIfKept;
using sql::internal::ReadyToRun;
using ::testing::ElementsAre;

template <typename Statement>
sql::internal::ReadyText Ready(const Statement& statement, Dialect dialect = Dialect::kPostgres) {
  return *ReadyToRun(statement.clauses(), dialect, /*page=*/false);
}

// Where the text is: that of two runs is the same if it was not written for the second.
template <typename Statement>
const char* Place(const Statement& statement, Dialect dialect = Dialect::kPostgres) {
  const auto kept = ReadyIfKept(statement.clauses(), dialect);
  return kept.has_value() ? kept->text().data() : nullptr;
}

auto ById() {
  return Select(users.name)
      .From(users)
      .Where(users.id == Param<"id", int64_t>() && users.age > Param<"age", int64_t>());
}

TEST(SqlKeptTest, FromTheSecondRunOnTheTextIsKept) {
  const auto by_id = ById();
  Ready(by_id.Bind<"id">(1).Bind<"age">(2));
  EXPECT_EQ(Place(by_id.Bind<"id">(1).Bind<"age">(2)), nullptr) << "most are run once";
  Ready(by_id.Bind<"id">(3).Bind<"age">(4));
  const char* place = Place(by_id.Bind<"id">(5).Bind<"age">(6));
  ASSERT_NE(place, nullptr);
  auto later = Ready(by_id.Bind<"age">(8).Bind<"id">(7));
  EXPECT_EQ(later.text().data(), place);
  EXPECT_EQ(later.text(), by_id.Bind<"id">(0).Bind<"age">(0).Build(Dialect::kPostgres)->text);
  EXPECT_THAT(later.args(), ElementsAre(Value(7), Value(8)));
  // The last one holds.
  EXPECT_THAT(Ready(by_id.Bind<"id">(7).Bind<"age">(8).Bind<"id">(9)).args(),
              ElementsAre(Value(9), Value(8)));
}

TEST(SqlKeptTest, EachDialectHasItsOwn) {
  const auto prefixed = Select(users.id).From(users).Where(users.name.HasPrefix("A"));
  for (const Dialect dialect : {Dialect::kPostgres, Dialect::kSqlite}) {
    Ready(prefixed, dialect);
    Ready(prefixed, dialect);
    auto kept = ReadyIfKept(prefixed.clauses(), dialect);
    ASSERT_TRUE(kept.has_value());
    EXPECT_EQ(kept->text(), prefixed.Build(dialect)->text);
    EXPECT_EQ(kept->args(), prefixed.Build(dialect)->args);
  }
  EXPECT_EQ(Place(prefixed, Dialect::kCockroachDb), nullptr);
}

// `= NULL` has another text, and a wrong value is the error that it was.
TEST(SqlKeptTest, WhatMayHaveAnotherTextIsWrittenForItself) {
  const auto of_age =
      Select(users.id).From(users).Where(users.age == Param<"age", std::optional<int64_t>>());
  const auto with = [&](std::optional<int64_t> age) { return of_age.Bind<"age">(age); };
  Ready(with(std::nullopt));
  Ready(with(std::nullopt));
  EXPECT_EQ(Place(with(1)), nullptr);
  Ready(with(1));
  Ready(with(1));
  ASSERT_NE(Place(with(2)), nullptr);
  EXPECT_EQ(Ready(with(std::nullopt)).text(), with(std::nullopt).Build(Dialect::kPostgres)->text);
  EXPECT_THAT(std::string(Ready(with(std::nullopt)).text()), ::testing::HasSubstr("IS NULL"));
  for (const auto& wrong : {of_age, of_age.Bind<"age">("text"), with(1).Bind<"nope">(1)}) {
    const auto refused = ReadyToRun(wrong.clauses(), Dialect::kPostgres, false);
    EXPECT_EQ(refused.status(), wrong.Build(Dialect::kPostgres).status());
    EXPECT_FALSE(refused.ok());
  }
}

TEST(SqlKeptTest, ValuesOfTheStatementItselfAreKept) {
  const auto inner = ById().Bind<"id">(1);
  const auto page = inner.OrderBy(sql::Asc(users.id)).Limit(5);
  for (int64_t age = 0; age < 3; ++age) {
    EXPECT_THAT(Ready(page.Bind<"age">(age)).args(), ElementsAre(Value(1), Value(age), Value(5)));
    // What is bound around it holds.
    EXPECT_THAT(Ready(page.Bind<"age">(age).Bind<"id">(7)).args(),
                ElementsAre(Value(7), Value(age), Value(5)));
  }
}

// A page of it is another text.
TEST(SqlKeptTest, PagesAreApart) {
  const auto first = Select(users.id).From(users).OrderBy(sql::Asc(users.id)).Limit(2);
  for (int run = 0; run < 3; ++run) {
    EXPECT_EQ(ReadyToRun(first.clauses(), Dialect::kSqlite, true)->args().back(), Value(3));
    EXPECT_EQ(ReadyToRun(first.clauses(), Dialect::kSqlite, false)->args().back(), Value(2));
  }
}

TEST(SqlKeptTest, ThreadsShareIt) {
  const auto by_id = ById();
  const std::string text = by_id.Bind<"id">(0).Bind<"age">(0).Build(Dialect::kSqlite)->text;
  std::vector<std::thread> threads;
  for (int64_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int64_t i = 0; i < 1000; ++i) {
        auto ready = Ready(by_id.Bind<"id">(t).Bind<"age">(i), Dialect::kSqlite);
        ASSERT_EQ(ready.text(), text);
        ASSERT_THAT(ready.args(), ElementsAre(Value(t), Value(i)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_NE(Place(by_id.Bind<"id">(0).Bind<"age">(0), Dialect::kSqlite), nullptr);
}

}  // namespace
}  // namespace penstock::testing
