// What preparing a statement may cost.
#include <chrono>

#include "drivers/sqlite_engine/parameters.h"
#include "tests/unit/sqlite/fixture.h"

namespace penstock::sqlite {
namespace {

using namespace std::chrono_literals;

class PreparingTest : public SqliteTest {
 protected:
  static std::string List(int count, const std::string& mark, int (*number)(int, int)) {
    std::string list;
    for (int i = 0; i < count; ++i) {
      list += (i == 0 ? "" : ",") + mark;
      if (mark != "?") list += std::to_string(number(i, count));
    }
    return list;
  }

  static std::vector<Value> Numbers(int count) {
    std::vector<Value> values;
    for (int i = 1; i <= count; ++i) values.push_back(Value::Integer(i));
    return values;
  }
};

int Ascending(int i, int) { return i + 1; }
int Descending(int i, int count) { return count - i; }
int Shuffled(int i, int count) { return static_cast<int>((i * 7919LL) % count) + 1; }

TEST_F(PreparingTest, ManyParametersCostLinearTime) {
  constexpr int kMany = sqlite_engine::kMaxParameters;
  for (const char* mark : {"$", "?"}) {
    for (auto* number : {&Ascending, &Descending, &Shuffled}) {
      const std::string sql = "SELECT 32766 IN (" + List(kMany, mark, number) + "), 0 IN ($1)";
      const std::string uniform = mark[0] == '?' ? sql.substr(0, sql.find(", 0 IN")) : sql;
      Call call(uniform, Numbers(kMany));
      call.run.deadline = In(10s);
      const auto began = std::chrono::steady_clock::now();
      driver::StatementRun* run = &call.run;
      reader_->RunBatch({&run, 1});
      // It was 10 seconds and more; a tenth of one is usual.
      EXPECT_LT(std::chrono::steady_clock::now() - began, 3s) << uniform.substr(0, 60);
      ASSERT_TRUE(call.run.status.ok()) << call.run.status;
      EXPECT_EQ(call.row().substr(0, 9), "integer 1");
    }
  }
}

TEST_F(PreparingTest, EachValueGoesWhereItsNumberIs) {
  for (const int count : {150, 1900, 2500}) {
    std::string sql = "SELECT '$7', \"\"\"$8\", /* $9 */ [$10], `$11`, -- $12\n a$13, x'24'";
    sql += ", json_array($" + std::to_string(count) + ")";
    for (int from = count; from >= 1; from -= 100) {
      sql += " || json_array(0";
      for (int i = from; i > from - 100 && i >= 1; --i) sql += ", $" + std::to_string(i);
      sql += ")";
    }
    sql += " FROM (SELECT 1 AS \"\"\"$8\", 2 AS [$10], 3 AS `$11`, 4 AS a$13)";
    const auto call = Try(sql, Numbers(count));
    ASSERT_TRUE(call->run.status.ok()) << call->run.status;
    std::string expected = "text $7|integer 1|integer 2|integer 3|integer 4|blob $|text [" +
                           std::to_string(count) + "]";
    for (int from = count; from >= 1; from -= 100) {
      expected += "[0";
      for (int i = from; i > from - 100 && i >= 1; --i) expected += "," + std::to_string(i);
      expected += "]";
    }
    EXPECT_EQ(call->row(), expected);
    EXPECT_EQ((*call->output.columns)[0].name, "'$7'");
  }
}

TEST_F(PreparingTest, MistakesAmongManyAreTold) {
  struct Case {
    std::string sql;
    std::string message;
  };
  const std::string many = List(2500, "$", Ascending);
  for (const Case& wrong : std::vector<Case>{
           {"SELECT 1 IN (" + many + ", ?)", "mixed"},
           {"SELECT 1 IN (" + many + ", :name)", "':name' is not numbered"},
           {"SELECT 1 IN (" + many + ", $1::int)", "'$1::int' is not numbered"},
           {"SELECT 1 IN (" + many + ", $0)", "'$0' is not numbered"},
           {"SELECT 1 IN (" + many + ", $32767)", "from 1 to 32766"},
           {"SELECT 1 IN (" + many + ", $2502)", "not $2501"},
           {"SELECT $32767", "from 1 to 32766"},
       }) {
    const auto call = Try(wrong.sql, Numbers(2500));
    EXPECT_EQ(call->reason(), Reason::kInvalidParameter) << call->run.status;
    EXPECT_NE(call->message().find(wrong.message), std::string::npos) << call->run.status;
  }
  const auto misspelt = Try("SELECT 1 IN (" + many + ") FORM t", Numbers(2500));
  EXPECT_EQ(misspelt->reason(), Reason::kSyntax);
  EXPECT_EQ(driver::GetErrorInfo(misspelt->run.status).position,
            static_cast<int>(("SELECT 1 IN (" + many + ") FORM ").size()) + 1);
}

TEST_F(PreparingTest, LimitsHaveClearErrors) {
  std::string deep = "1";
  for (int i = 0; i < 2000; ++i) deep = "(" + deep + "+1)";
  std::string sum = "1";
  for (int i = 0; i < 2000; ++i) sum += "+1";
  std::string tables = "SELECT 1 FROM (SELECT 1)";
  for (int i = 0; i < 100; ++i) tables += ", (SELECT 1)";
  std::string united = "SELECT 1";
  for (int i = 0; i < 600; ++i) united += " UNION SELECT 1";
  std::string columns = "SELECT 1";
  for (int i = 0; i < 3000; ++i) columns += ",1";
  std::string arguments = "SELECT max(1";
  for (int i = 0; i < 200; ++i) arguments += ",1";
  const std::string texts[] = {"SELECT " + deep,
                               "SELECT " + sum,
                               tables,
                               united,
                               columns,
                               arguments + ")",
                               "SELECT '" + std::string(17 << 20, 'x') + "'"};
  for (const std::string& sql : texts) {
    const auto call = Try(sql);
    EXPECT_EQ(call->reason(), Reason::kLimitExceeded) << sql.substr(0, 50) << call->run.status;
    EXPECT_NE(driver::GetErrorInfo(call->run.status).hint, "") << sql.substr(0, 50);
    EXPECT_EQ(driver::GetErrorInfo(call->run.status).hint.find("max_value_bytes"),
              std::string::npos);
  }
}

// Each level names the one below twice.
std::string Doubling(const std::string& body, int levels) {
  std::string sql = "WITH c0 AS (SELECT 1 AS a)";
  for (int i = 1; i <= levels; ++i) {
    std::string level = body;
    for (size_t at = level.find('@'); at != std::string::npos; at = level.find('@')) {
      level.replace(at, 1, "c" + std::to_string(i - 1));
    }
    sql += ", c" + std::to_string(i) + " AS " + level;
  }
  return sql + " SELECT count(*) FROM c" + std::to_string(levels);
}

TEST_F(PreparingTest, WhatDoublesEndsWithItsDeadline) {
  for (const char* body :
       {"(SELECT x.a FROM @ x, @ y)", "NOT MATERIALIZED (SELECT x.a FROM @ x, @ y)",
        "(SELECT a FROM @ UNION ALL SELECT a FROM @)"}) {
    Call call(Doubling(body, 30));
    call.run.deadline = In(300ms);
    const auto began = std::chrono::steady_clock::now();
    driver::StatementRun* run = &call.run;
    reader_->RunBatch({&run, 1});
    EXPECT_LT(std::chrono::steady_clock::now() - began, 5s) << body;
    EXPECT_TRUE(call.reason() == Reason::kRequestTimeout || call.reason() == Reason::kLimitExceeded)
        << body << call.run.status;
  }
  // The connection is as good as before.
  EXPECT_EQ(Read("SELECT 1"), "integer 1");
}

TEST_F(PreparingTest, AndWithItsMemoryWhereThereIsNoDeadline) {
  const auto call = Try(Doubling("(SELECT a FROM @ UNION ALL SELECT a FROM @)", 30));
  EXPECT_EQ(call->reason(), Reason::kLimitExceeded) << call->run.status;
  // So do views, whose levels are statements by themselves.
  Exec("CREATE VIEW v0 AS SELECT 1 AS a");
  for (int i = 1; i <= 30; ++i) {
    const std::string below = "v" + std::to_string(i - 1);
    Exec("CREATE VIEW v" + std::to_string(i) + " AS SELECT a FROM " + below +
         " UNION ALL SELECT a FROM " + below);
  }
  EXPECT_EQ(Try("SELECT * FROM v30")->reason(), Reason::kLimitExceeded);
  EXPECT_EQ(Read("SELECT count(*) FROM v8"), "integer 256");
}

TEST_F(PreparingTest, ALongListOfValuesIsNoHarm) {
  Exec("CREATE TABLE t(a, b)");
  std::string sql = "INSERT INTO t VALUES (0, 'zero')";
  for (int i = 1; i < 100'000; ++i) sql += ",(" + std::to_string(i) + ",'text')";
  Exec(sql);
  EXPECT_EQ(Read("SELECT count(*), sum(a) FROM t"), "integer 100000|integer 4999950000");
}

}  // namespace
}  // namespace penstock::sqlite
