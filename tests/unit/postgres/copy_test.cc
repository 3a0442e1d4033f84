// Many rows of an INSERT as one COPY: where, and with the same outcome.
#include <limits>
#include <thread>

#include "fmt/format.h"
#include "tests/unit/postgres/rows_fixture.h"

namespace penstock::postgres {
namespace {

// More than that many rows may be one COPY.
constexpr int kMany = 9000;
constexpr char kFewStatements[] = "integer 1";
// That many rows by arrays.
constexpr char kArrays[] = "integer 5";

class CopyTest : public RowsTest {
 protected:
  static Rows Numbers(int count) {
    Rows rows;
    for (int i = 0; i < count; ++i) rows.push_back({Value::Integer(i)});
    return rows;
  }
  std::unique_ptr<Call> Insert(const Rows& rows) {
    return TryRows("INSERT INTO t(i) VALUES($1)", rows);
  }
  // Expects that all arrive, in so many statements.
  void ExpectStatements(const char* count) {
    Ask("TRUNCATE statements");
    const auto call = Insert(Numbers(kMany));
    ASSERT_TRUE(call->run.status.ok()) << call->run.status;
    EXPECT_EQ(call->run.summary.rows_affected, kMany);
    EXPECT_EQ(Ask("SELECT count(*) FROM statements"), count);
  }
};

TEST_F(CopyTest, ManyRowsAreOneStatement) {
  Ask("CREATE TABLE t (i bigint, s text, d text DEFAULT 'default', "
      "g bigint GENERATED ALWAYS AS (i * 2) STORED)");
  CountStatements("t");
  Rows rows;
  std::vector<std::string> texts;
  for (int i = 0; i < kMany; ++i) texts.push_back(fmt::format("row {} \"{{,}}\\\t\n", i));
  for (int i = 0; i < kMany; ++i) {
    rows.push_back({i % 10 == 0 ? Value::Null() : Value::Text(texts[i]), Value::Integer(i)});
  }
  const auto call = TryRows("INSERT INTO public . \"t\"(\"s\", i) VALUES($1, $2)", rows);
  ASSERT_TRUE(call->run.status.ok()) << call->run.status;
  EXPECT_EQ(call->run.summary.rows_affected, kMany);
  EXPECT_EQ(Ask("SELECT count(*), count(s), sum(i)::bigint, sum(g)::bigint, count(d) FROM t"),
            "integer 9000|integer 8100|integer 40495500|integer 80991000|integer 9000");
  EXPECT_EQ(Ask("SELECT s FROM t WHERE i = 8765"), "text row 8765 \"{,}\\\t\n");
  EXPECT_EQ(Ask("SELECT count(*) FROM statements"), kFewStatements);
  EXPECT_EQ(Ask("SELECT 1"), "integer 1") << "the connection goes on";
}

TEST_F(CopyTest, EveryKindArrivesAsByItself) {
  Ask("CREATE DOMAIN positive AS integer CHECK (VALUE > 0)");
  Ask("CREATE TABLE t (o smallint, i integer, l bigint, r float8, f real, b boolean, s text, "
      "v varchar(9), c char(4), x bytea, n numeric, m numeric(10,2), u uuid, d date, h "
      "timestamptz, "
      "w timestamp(3), j jsonb, k json, p positive)");
  CountStatements("t");
  const std::vector<Value> row = {Value::Integer(-32768),
                                  Value::Integer(2147483647),
                                  Value::Integer(std::numeric_limits<int64_t>::min()),
                                  Value::Real(-0.1),
                                  Value::Real(1.5),
                                  Value::Boolean(true),
                                  Value::Text("\xE2\x82\xAC \"\\{}, NULL \\N \\."),
                                  Value::Text("blanks   "),
                                  Value::Text("ab"),
                                  Value::Blob(std::string_view("\0\xFF\\", 3)),
                                  Value::Of(Kind::kDecimal, "12345678901234567890.000000001"),
                                  Value::Of(Kind::kDecimal, "-0.005"),
                                  Value::Of(Kind::kUuid, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
                                  Value::Of(Kind::kDate, "0044-03-15"),
                                  Value::Timestamp(-1, 999'999'000),
                                  Value::Timestamp(1'700'000'000, 123'456'000),
                                  Value::Of(Kind::kJson, "{\"a\": [1, \"\\\"\"]}"),
                                  Value::Of(Kind::kJson, "{ \"a\" :1}"),
                                  Value::Integer(7)};
  const std::string sql =
      "INSERT INTO t(o,i,l,r,f,b,s,v,c,x,n,m,u,d,h,w,j,k,p) "
      "VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19)";
  const auto alone = Try(sql, row);
  ASSERT_TRUE(alone->run.status.ok()) << alone->run.status;
  Rows rows(kMany, row);
  rows[7] = std::vector<Value>(row.size());  // NULLs
  const auto call = TryRows(sql, rows);
  ASSERT_TRUE(call->run.status.ok()) << call->run.status;
  EXPECT_EQ(Ask("SELECT count(*) FROM statements"), "integer 2");
  EXPECT_EQ(Ask("SELECT count(*) FROM t GROUP BY t::text ORDER BY 1 DESC LIMIT 1"), "integer 9000");
  EXPECT_EQ(Ask("SELECT count(*) FROM (SELECT DISTINCT t::text FROM t) AS x"), "integer 2");
}

TEST_F(CopyTest, PartitionsAreFilled) {
  Ask("CREATE TABLE t (i bigint) PARTITION BY RANGE (i)");
  Ask("CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (1000)");
  Ask("CREATE TABLE high PARTITION OF t FOR VALUES FROM (1000) TO (1000000)");
  CountStatements("t");
  ExpectStatements(kFewStatements);
  EXPECT_EQ(Ask("SELECT count(*) FROM low"), "integer 1000");
}

TEST_F(CopyTest, RulesAndPoliciesHold) {
  Ask("CREATE TABLE t (i bigint)");
  CountStatements("t");
  ExpectStatements(kFewStatements);
  // Though the statement has been a COPY before.
  Ask("CREATE TABLE other (i bigint)");
  Ask("CREATE RULE also AS ON INSERT TO t DO ALSO INSERT INTO other VALUES (NEW.i)");
  ExpectStatements(kArrays);
  EXPECT_EQ(Ask("SELECT count(*) FROM other"), "integer 9000");
  Ask("DROP RULE also ON t");
  Ask("ALTER TABLE t ENABLE ROW LEVEL SECURITY");
  connection_ = Connect();
  ExpectStatements(kArrays);
}

TEST_F(CopyTest, AViewPassesRowsOn) {
  Ask("CREATE TABLE base (i bigint)");
  Ask("CREATE VIEW t AS SELECT * FROM base");
  const auto call = Insert(Numbers(kMany));
  ASSERT_TRUE(call->run.status.ok()) << call->run.status;
  EXPECT_EQ(Ask("SELECT count(*) FROM base"), "integer 9000");
}

TEST_F(CopyTest, AColumnThatHasChangedItsTypeTakesWhatItMeans) {
  Ask("CREATE TABLE t (i bigint)");
  CountStatements("t");
  ExpectStatements(kFewStatements);
  // The bytes of an integer are those of another double.
  Ask("ALTER TABLE t ALTER COLUMN i TYPE float8");
  Ask("TRUNCATE t");
  const auto call = Insert(Numbers(kMany));
  ASSERT_TRUE(call->run.status.ok()) << call->run.status;
  EXPECT_EQ(Ask("SELECT sum(i)::bigint FROM t"), "integer 40495500");
}

TEST_F(CopyTest, AnIdentityIsNotOverridden) {
  Ask("CREATE TABLE t (i bigint)");
  CountStatements("t");
  ExpectStatements(kFewStatements);
  Ask("ALTER TABLE t ALTER COLUMN i SET NOT NULL");
  Ask("ALTER TABLE t ALTER COLUMN i ADD GENERATED ALWAYS AS IDENTITY");
  const auto call = Insert(Numbers(kMany));
  EXPECT_FALSE(call->run.status.ok());
  EXPECT_NE(call->message().find("column \"i\""), std::string::npos) << call->message();
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "integer 9000");
}

TEST_F(CopyTest, ARowThatIsRefusedIsNamedAndNothingStays) {
  Ask("CREATE TABLE t (i bigint PRIMARY KEY)");
  Rows rows = Numbers(kMany);
  rows[8888] = {Value::Integer(7)};
  auto call = Insert(rows);
  EXPECT_EQ(call->reason(), Reason::kUniqueViolation);
  EXPECT_NE(call->message().find("row 8889"), std::string::npos) << call->message();
  // Found by the driver, when others have been sent.
  rows[8888] = {Value::Text("no number")};
  call = Insert(rows);
  EXPECT_EQ(call->reason(), Reason::kDataException) << call->message();
  EXPECT_NE(call->message().find("row 8889"), std::string::npos) << call->message();
  rows[8888] = {Value::Text("8888")};  // text that the server makes a number of
  call = Insert(rows);
  EXPECT_TRUE(call->run.status.ok()) << call->run.status;
  EXPECT_EQ(Ask("SELECT count(*), sum(i)::bigint FROM t"), "integer 9000|integer 40495500");
}

TEST_F(CopyTest, WhatIsCheckedAtTheCommitIsChecked) {
  Ask("CREATE TABLE t (i bigint UNIQUE DEFERRABLE INITIALLY DEFERRED)");
  Rows rows = Numbers(kMany);
  rows[1] = {Value::Integer(0)};
  const auto call = Insert(rows);
  EXPECT_EQ(call->reason(), Reason::kUniqueViolation) << call->message();
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "integer 0");
}

TEST_F(CopyTest, WithinATransaction) {
  Ask("CREATE TABLE t (i bigint PRIMARY KEY)");
  CountStatements("t");
  const Rows rows = Numbers(kMany);
  ASSERT_TRUE(connection_->Begin({}).ok());
  Call good("INSERT INTO t(i) VALUES($1)");
  good.run.rows = rows;
  connection_->Run(good.run);
  ASSERT_TRUE(good.run.status.ok()) << good.run.status;
  EXPECT_EQ(good.run.summary.rows_affected, kMany);
  EXPECT_EQ(TryInTransaction("SELECT count(*) FROM statements")->row(), kFewStatements);
  ASSERT_TRUE(connection_->Savepoint("before").ok());
  Call twice("INSERT INTO t(i) VALUES($1)");
  twice.run.rows = rows;
  connection_->Run(twice.run);
  EXPECT_EQ(twice.reason(), Reason::kUniqueViolation);
  EXPECT_NE(twice.message().find("row 1"), std::string::npos) << twice.message();
  EXPECT_TRUE(connection_->transaction_aborted());
  Call third("INSERT INTO t(i) VALUES($1)");
  third.run.rows = rows;
  connection_->Run(third.run);
  EXPECT_EQ(third.reason(), Reason::kTransactionAborted) << third.message();
  ASSERT_TRUE(connection_->RollbackTo("before").ok());
  ASSERT_TRUE(connection_->Commit().ok());
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "integer 9000");
}

TEST_F(CopyTest, AReadOnlyTransactionStaysOne) {
  Ask("CREATE TABLE t (i bigint)");
  ASSERT_TRUE(connection_->Begin({.read_only = true}).ok());
  Call call("INSERT INTO t(i) VALUES($1)");
  const Rows rows = Numbers(kMany);
  call.run.rows = rows;
  connection_->Run(call.run);
  EXPECT_EQ(call.reason(), Reason::kReadOnly) << call.message();
  ASSERT_TRUE(connection_->Rollback().ok());
}

// A trigger that takes its time over one row.
constexpr char kSlowRow[] =
    "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
    "'BEGIN IF NEW.i = 8500 THEN PERFORM pg_sleep(1000); END IF; RETURN NEW; END'";

TEST_F(CopyTest, ADeadlineEndsItAndNothingStays) {
  Ask("CREATE TABLE t (i bigint)");
  Ask(kSlowRow);
  Ask("CREATE TRIGGER slowly BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION slow()");
  Call call("INSERT INTO t(i) VALUES($1)");
  const Rows rows = Numbers(200'000);
  call.run.rows = rows;
  call.run.deadline = {.at = std::chrono::steady_clock::now() + std::chrono::milliseconds(300),
                       .reason = Reason::kRequestTimeout};
  driver::StatementRun* const run = &call.run;
  connection_->RunBatch({&run, 1});
  EXPECT_EQ(call.reason(), Reason::kRequestTimeout) << call.message();
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "integer 0") << "the connection is of use";
}

TEST_F(CopyTest, ACancelEndsItAndNothingStays) {
  Ask("CREATE TABLE t (i bigint)");
  Ask(kSlowRow);
  Ask("CREATE TRIGGER slowly BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION slow()");
  const auto other = Connect();
  Call call("INSERT INTO t(i) VALUES($1)");
  const Rows rows = Numbers(kMany);
  call.run.rows = rows;
  call.run.cancellation = &call.cancellation;
  std::thread canceller([&] {
    Call sleeping(
        "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' "
        "AND query LIKE 'COPY%' AND datname = current_database()");
    while (sleeping.row().empty()) {
      sleeping.output.rows.clear();
      driver::StatementRun* const run = &sleeping.run;
      other->RunBatch({&run, 1});
    }
    call.cancellation.Cancel(driver::MakeError(Reason::kCancelled, "by the test"));
  });
  driver::StatementRun* const run = &call.run;
  connection_->RunBatch({&run, 1});
  canceller.join();
  EXPECT_EQ(call.reason(), Reason::kCancelled) << call.message();
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "integer 0") << "the connection is of use";
}

TEST_F(CopyTest, ASessionThatIsKilledHasDoneNothing) {
  Ask("CREATE TABLE t (i bigint)");
  Ask("CREATE FUNCTION kill() RETURNS trigger LANGUAGE plpgsql AS "
      "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END'");
  Ask("CREATE TRIGGER killing BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION kill()");
  const auto call = Insert(Numbers(kMany));
  EXPECT_EQ(call->reason(), Reason::kConnectionLost) << call->message();
  EXPECT_FALSE(connection_->Alive());
  connection_ = Connect();
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "integer 0");
}

}  // namespace
}  // namespace penstock::postgres
