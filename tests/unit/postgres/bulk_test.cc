#include "drivers/postgres/bulk.h"

#include "gtest/gtest.h"

namespace penstock::postgres {
namespace {

TEST(BulkFormTest, TakesAnInsertOfItsParameters) {
  struct Case {
    const char* sql;
    const char* form;
  };
  for (const auto& [sql, form] : {
           Case{"INSERT INTO t VALUES($1)", "INSERT INTO t  SELECT unnest($1)"},
           Case{"insert into t(a, b) values ($1, $2);",
                "insert into t(a, b) SELECT unnest($1), unnest($2)"},
           Case{" INSERT\n INTO \"my schema\" . \"t\"(\"a\",b)VALUES ( $1 ,$2,$3 ) ; ",
                " INSERT\n INTO \"my schema\" . \"t\"(\"a\",b) SELECT unnest($1), unnest($2), "
                "unnest($3)"},
       }) {
    EXPECT_EQ(BulkForm(sql), form) << sql;
  }
}

TEST(BulkFormTest, LeavesEverythingElse) {
  for (const char* sql : {
           "",
           "INSERT",
           "INSERT INTO t",
           "INSERT INTO t(a",
           "INSERT INTO \"t",
           "INSERT INTO t DEFAULT VALUES",
           "INSERT INTO t VALUES()",
           "INSERT INTO t VALUES($1",
           "INSERT INTO t VALUES($2, $1)",
           "INSERT INTO t VALUES($1, $1)",
           "INSERT INTO t VALUES($1, now())",
           "INSERT INTO t VALUES($1::int)",
           "INSERT INTO t VALUES($1 + 1)",
           "INSERT INTO t VALUES($1), ($2)",
           "INSERT INTO t VALUES($1) RETURNING id",
           "INSERT INTO t VALUES($1) ON CONFLICT DO NOTHING",
           "INSERT INTO t AS x VALUES($1)",
           "INSERT INTO t OVERRIDING SYSTEM VALUE VALUES($1)",
           "INSERT INTO t VALUES($1); SELECT 1",
           "INSERT /* into */ INTO t VALUES($1)",
           "UPDATE t SET a = $1",
           "WITH x AS (SELECT 1) INSERT INTO t VALUES($1)",
           "INSERT INTO t VALUES($99999999999999999999)",
       }) {
    EXPECT_EQ(BulkForm(sql), std::nullopt) << sql;
  }
}

TEST(BulkTypesTest, EachParameterNeedsAnArrayType) {
  const TypeRegistry types;
  const TypePtr integer = types.Find(oid::kInt8);
  const TypePtr text = types.Find(oid::kText);
  EXPECT_EQ(BulkTypes(std::vector{integer.get(), text.get()}), (std::vector<uint32_t>{1016, 1009}));
  // An array of arrays would be taken apart to its last element.
  EXPECT_TRUE(BulkTypes(std::vector{integer.get(), types.Find(1016).get()}).empty());
  EXPECT_TRUE(BulkTypes(std::vector{types.Find(oid::kUnknown).get()}).empty());
}

}  // namespace
}  // namespace penstock::postgres
