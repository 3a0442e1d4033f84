// One statement for many rows: by arrays or one by one, with the same outcome.
#include <limits>

#include "fmt/format.h"
#include "tests/unit/postgres/rows_fixture.h"

namespace penstock::postgres {
namespace {

TEST_F(RowsTest, ManyRowsAreFewStatements) {
  Ask("CREATE TABLE t (i bigint, s text)");
  CountStatements("t");
  Rows rows;
  std::vector<std::string> texts;
  for (int i = 0; i < 5000; ++i) texts.push_back(fmt::format("row {} \"{{,}}\\", i));
  for (int i = 0; i < 5000; ++i) {
    rows.push_back({Value::Integer(i), i % 10 == 0 ? Value::Null() : Value::Text(texts[i])});
  }
  const auto call = TryRows("INSERT INTO t(i, s) VALUES($1, $2)", rows);
  ASSERT_TRUE(call->run.status.ok()) << call->run.status;
  EXPECT_EQ(call->run.summary.rows_affected, 5000);
  EXPECT_EQ(Ask("SELECT count(*), count(s), sum(i)::bigint FROM t"),
            "integer 5000|integer 4500|integer 12497500");
  EXPECT_EQ(Ask("SELECT s FROM t WHERE i = 4321"), "text row 4321 \"{,}\\");
  EXPECT_EQ(Ask("SELECT count(*) FROM statements"), "integer 3");
}

TEST_F(RowsTest, EveryKindArrivesAsByItself) {
  Ask("CREATE TABLE t (o smallint, i integer, l bigint, r float8, f real, b boolean, s text, "
      "v varchar(9), x bytea, n numeric, u uuid, d date, h timestamptz, j jsonb, k interval)");
  const std::vector<Value> row = {Value::Integer(-32768),
                                  Value::Integer(2147483647),
                                  Value::Integer(std::numeric_limits<int64_t>::min()),
                                  Value::Real(-0.1),
                                  Value::Real(1.5),
                                  Value::Boolean(true),
                                  Value::Text("\xE2\x82\xAC \"\\{}, NULL"),
                                  Value::Text(""),
                                  Value::Blob(std::string_view("\0\xFF\\", 3)),
                                  Value::Of(Kind::kDecimal, "12345678901234567890.000000001"),
                                  Value::Of(Kind::kUuid, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
                                  Value::Of(Kind::kDate, "0044-03-15"),
                                  Value::Timestamp(-1, 999'999'000),
                                  Value::Of(Kind::kJson, "{\"a\": [1, \"\\\"\"]}"),
                                  Value::Of(Kind::kInterval, "P1Y2M3DT4H5M6.5S")};
  const std::string sql =
      "INSERT INTO t VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15)";
  const auto alone = Try(sql, row);
  ASSERT_TRUE(alone->run.status.ok()) << alone->run.status;
  Rows rows(20, row);
  rows[7] = std::vector<Value>(row.size());  // NULLs
  const auto call = TryRows(sql, rows);
  ASSERT_TRUE(call->run.status.ok()) << call->run.status;
  EXPECT_EQ(Ask("SELECT count(*) FROM t GROUP BY t ORDER BY 1 DESC LIMIT 1"), "integer 20");
  EXPECT_EQ(Ask("SELECT count(*) FROM (SELECT DISTINCT t::text FROM t) AS x"), "integer 2");
}

TEST_F(RowsTest, ARowThatIsRefusedIsNamedAndNothingStays) {
  Ask("CREATE TABLE t (i integer PRIMARY KEY, s varchar(5))");
  const std::string sql = "INSERT INTO t VALUES($1, $2)";
  Rows rows;
  for (int i = 0; i < 3000; ++i) rows.push_back({Value::Integer(i), Value::Text("s")});

  rows[2500][0] = Value::Integer(7);
  auto call = TryRows(sql, rows);
  EXPECT_EQ(call->reason(), Reason::kUniqueViolation);
  EXPECT_NE(call->message().find("row 2501"), std::string::npos) << call->message();

  // Found by the driver, when others have been sent.
  rows[2500][0] = Value::Text("no number");
  call = TryRows(sql, rows);
  EXPECT_EQ(call->reason(), Reason::kDataException) << call->message();
  EXPECT_NE(call->message().find("row 2501"), std::string::npos) << call->message();

  rows[2500] = {Value::Integer(2500)};
  call = TryRows(sql, rows);
  EXPECT_EQ(call->reason(), Reason::kInvalidParameter) << call->message();

  rows[2500] = {Value::Integer(2500), Value::Text("too long")};
  call = TryRows(sql, rows);
  EXPECT_EQ(call->reason(), Reason::kDataException) << call->message();
  EXPECT_EQ(call->run.summary.rows_affected, 0);
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "integer 0");
}

TEST_F(RowsTest, AsManyParametersAsTheDriverCanDescribe) {
  const auto select = [](int count) {
    std::string sql = "SELECT cardinality(ARRAY[$1::int";
    for (int i = 2; i <= count; ++i) sql += fmt::format(",${}", i);
    return sql + "])";
  };
  EXPECT_EQ(Ask(select(7498), std::vector<Value>(7498, Value::Integer(1))), "integer 7498");
  const auto call = Try(select(7499), std::vector<Value>(7499, Value::Integer(1)));
  EXPECT_EQ(call->reason(), Reason::kLimitExceeded) << call->message();
  EXPECT_TRUE(connection_->healthy());
}

TEST_F(RowsTest, WithinATransaction) {
  Ask("CREATE TABLE t (i integer PRIMARY KEY)");
  ASSERT_TRUE(connection_->Begin({}).ok());
  Rows rows;
  for (int i = 0; i < 100; ++i) rows.push_back({Value::Integer(i)});
  Call good("INSERT INTO t VALUES($1)");
  good.run.rows = rows;
  connection_->Run(good.run);
  ASSERT_TRUE(good.run.status.ok()) << good.run.status;
  EXPECT_EQ(good.run.summary.rows_affected, 100);
  ASSERT_TRUE(connection_->Savepoint("before").ok());
  Call twice("INSERT INTO t VALUES($1)");
  twice.run.rows = rows;
  connection_->Run(twice.run);
  EXPECT_EQ(twice.reason(), Reason::kUniqueViolation);
  EXPECT_NE(twice.message().find("row 1"), std::string::npos) << twice.message();
  EXPECT_TRUE(connection_->transaction_aborted());
  ASSERT_TRUE(connection_->RollbackTo("before").ok());
  ASSERT_TRUE(connection_->Commit().ok());
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "integer 100");
}

TEST_F(RowsTest, ADeadlineEndsItAndNothingStays) {
  Ask("CREATE TABLE t (i integer)");
  Ask("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
      "'BEGIN PERFORM pg_sleep(1000); RETURN NEW; END'");
  Ask("CREATE TRIGGER slowly BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION slow()");
  const Rows rows(100, {Value::Integer(1)});
  Call call("INSERT INTO t VALUES($1)");
  call.run.rows = rows;
  call.run.deadline = {.at = std::chrono::steady_clock::now() + std::chrono::milliseconds(300),
                       .reason = Reason::kRequestTimeout};
  driver::StatementRun* const run = &call.run;
  connection_->RunBatch({&run, 1});
  EXPECT_EQ(call.reason(), Reason::kRequestTimeout) << call.message();
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "integer 0");
}

}  // namespace
}  // namespace penstock::postgres
