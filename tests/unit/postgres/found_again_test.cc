// What a statement means is what it means now, however often it was run before.
#include "fmt/format.h"
#include "tests/unit/postgres/fixture.h"

namespace penstock::postgres {
namespace {

class FoundAgainTest : public PostgresDriverTest {
 protected:
  // How many statements the server keeps for the connection, of one text if it is given.
  std::string Kept(const std::string& sql = "") {
    return Ask("SELECT count(*) FROM pg_prepared_statements WHERE $1 IN ('', statement)",
               {Value::Text(sql)});
  }
  // As the answer to a caller who has prepared it.
  std::string AskPrepared(const std::string& sql, std::vector<Value> args = {}) {
    Call call(sql, std::move(args));
    call.run.prepared = true;
    driver::StatementRun* const run = &call.run;
    connection_->RunBatch({&run, 1});
    EXPECT_TRUE(call.run.status.ok()) << sql << ": " << call.run.status;
    return call.row();
  }
};

TEST_F(FoundAgainTest, AConstantIsReadEachTime) {
  Ask("CREATE TABLE ev (at timestamptz)");
  for (int i = 0; i < 3; ++i) Ask("INSERT INTO ev VALUES ('now')");
  EXPECT_EQ(Ask("SELECT count(DISTINCT at) FROM ev"), "integer 3");
  const std::string parsed = "SELECT count(*) FROM ev WHERE at > timestamptz 'now'";
  EXPECT_EQ(Ask(parsed), "integer 0");
  Ask("INSERT INTO ev VALUES (clock_timestamp() + interval '1 hour')");
  EXPECT_EQ(Ask(parsed), "integer 1");
}

TEST_F(FoundAgainTest, ANameInAConstantIsLookedUpEachTime) {
  const std::string names =
      "SELECT 'ty'::regtype::oid = (SELECT oid FROM pg_type WHERE typname = 'ty')";
  const std::string table =
      "SELECT 'ta'::regclass::oid = (SELECT oid FROM pg_class WHERE relname = 'ta')";
  for (int i = 0; i < 2; ++i) {
    AskOutside("CREATE TYPE ty AS ENUM ('a')");
    AskOutside("CREATE TABLE ta (e ty DEFAULT 'a')");
    EXPECT_EQ(Ask(names), "boolean true");
    EXPECT_EQ(Ask(table), "boolean true");
    EXPECT_EQ(Ask("SELECT count(*) FROM ta WHERE e = 'a'"), "integer 0");
    AskOutside("DROP TABLE ta");
    AskOutside("DROP TYPE ty");
  }
}

TEST_F(FoundAgainTest, AnotherClientsSettingsDoNotReadIt) {
  const std::string day = "SELECT date '01/02/2020'";
  ASSERT_TRUE(connection_->Begin({}).ok());
  EXPECT_TRUE(TryInTransaction("SET LOCAL datestyle = 'ISO, DMY'")->run.status.ok());
  EXPECT_EQ(TryInTransaction(day)->row(), "date 2020-02-01");
  ASSERT_TRUE(connection_->Commit().ok());
  ASSERT_TRUE(connection_->Reset().ok());
  EXPECT_EQ(Ask(day), "date 2020-01-02");
  EXPECT_EQ(AskPrepared(day), "date 2020-01-02");
  ASSERT_TRUE(connection_->Begin({}).ok());
  EXPECT_TRUE(TryInTransaction("SET LOCAL datestyle = 'ISO, DMY'")->run.status.ok());
  EXPECT_EQ(TryInTransaction(day)->row(), "date 2020-02-01");
  ASSERT_TRUE(connection_->Rollback().ok());
}

TEST_F(FoundAgainTest, AFunctionThatSuitsBetterIsFound) {
  Ask("CREATE FUNCTION f(bigint) RETURNS text LANGUAGE sql AS 'SELECT $1::text || ''b'''");
  EXPECT_EQ(Ask("SELECT f(1)"), "text 1b");
  AskOutside("CREATE FUNCTION f(integer) RETURNS text LANGUAGE sql AS 'SELECT $1::text || ''i'''");
  EXPECT_EQ(Ask("SELECT f(1)"), "text 1i");
}

TEST_F(FoundAgainTest, WhatIsSafeStaysPrepared) {
  for (int i = 0; i < 3; ++i) Ask("SELECT $1::bigint + 1", {Value::Integer(i)});
  EXPECT_EQ(Kept("SELECT $1::bigint + 1"), "integer 1");
  for (int i = 0; i < 3; ++i) Ask("SELECT 'now'::text");
  EXPECT_EQ(Kept("SELECT 'now'::text"), "integer 0");
  for (int i = 0; i < 3; ++i) AskPrepared("SELECT 'now'::text");
  EXPECT_EQ(Kept("SELECT 'now'::text"), "integer 1");
  EXPECT_EQ(Kept("SHOW work_mem"), "integer 0");
}

// A parameter's type is the column's of today.
TEST_F(FoundAgainTest, TypesOfParametersAreThoseOfNow) {
  const std::string insert = "INSERT INTO st(a) VALUES ($1)";
  Ask("CREATE TABLE st (a integer)");
  Ask(insert, {Value::Integer(1)});
  AskOutside("ALTER TABLE st ALTER a TYPE bigint");
  Ask(insert, {Value::Integer(3'000'000'000)});
  AskOutside("ALTER TABLE st ALTER a TYPE text");
  Ask(insert, {Value::Text("three")});
  AskOutside("DROP TABLE st");
  AskOutside("CREATE TABLE st (a date)");
  Ask(insert, {Value::Text("2024-02-29")});
  EXPECT_EQ(Ask("SELECT a FROM st"), "date 2024-02-29");
}

TEST_F(FoundAgainTest, TypesOfRowsAreThoseOfNow) {
  Ask("CREATE TABLE st (a integer)");
  for (const size_t count : {size_t{2}, size_t{100}, size_t{9000}}) {
    Call call("INSERT INTO st(a) VALUES ($1)");
    AskOutside("ALTER TABLE st ALTER a TYPE integer USING 1");
    const std::vector<std::vector<Value>> small(count, {Value::Integer(1)});
    const std::vector<std::vector<Value>> large(count, {Value::Integer(3'000'000'000)});
    driver::StatementRun* const run = &call.run;
    call.run.rows = small;
    connection_->RunBatch({&run, 1});
    ASSERT_TRUE(call.run.status.ok()) << call.run.status;
    AskOutside("ALTER TABLE st ALTER a TYPE bigint");
    call.run.rows = large;
    connection_->RunBatch({&run, 1});
    ASSERT_TRUE(call.run.status.ok()) << count << ": " << call.run.status;
  }
  EXPECT_EQ(Ask("SELECT count(*) FROM st"), "integer 18204");
}

TEST_F(FoundAgainTest, AnEnumThatWasMadeAgainIsFound) {
  const std::string insert = "INSERT INTO moods(m) VALUES ($1)";
  for (int i = 0; i < 3; ++i) {
    AskOutside("CREATE TYPE mood AS ENUM ('sad', 'ok')");
    AskOutside("CREATE TABLE moods (m mood)");
    Ask(insert, {Value::Text("ok")});
    EXPECT_EQ(Ask("SELECT count(*) FROM moods WHERE m = $1", {Value::Text("ok")}), "integer 1");
    AskOutside("DROP TABLE moods");
    AskOutside("DROP TYPE mood");
  }
}

TEST_F(FoundAgainTest, ASearchPathOfATransactionHasItsOwnTables) {
  Ask("CREATE SCHEMA one CREATE TABLE st (a integer)");
  Ask("CREATE SCHEMA two CREATE TABLE st (a text)");
  for (int i = 0; i < 3; ++i) {
    for (const char* schema : {"one", "two"}) {
      ASSERT_TRUE(connection_->Begin({}).ok());
      TryInTransaction(fmt::format("SET LOCAL search_path = {}", schema));
      const Value value = *schema == 'o' ? Value::Integer(7) : Value::Text("seven");
      const auto call = TryInTransaction("INSERT INTO st(a) VALUES ($1) RETURNING a", {value});
      EXPECT_EQ(call->row(), *schema == 'o' ? "integer 7" : "text seven") << call->run.status;
      ASSERT_TRUE(connection_->Commit().ok());
      ASSERT_TRUE(connection_->Reset().ok());
    }
  }
}

TEST_F(FoundAgainTest, WhatATransactionHasAlteredItSees) {
  Ask("CREATE TABLE t (a integer)");
  Ask("INSERT INTO t VALUES (1)");
  ASSERT_TRUE(connection_->Begin({}).ok());
  EXPECT_EQ(TryInTransaction("SELECT * FROM t")->row(), "integer 1");
  EXPECT_TRUE(TryInTransaction("ALTER TABLE t ADD b text DEFAULT 'x'")->run.status.ok());
  EXPECT_EQ(TryInTransaction("SELECT * FROM t")->row(), "integer 1|text x");
  EXPECT_TRUE(
      TryInTransaction("DO 'BEGIN ALTER TABLE t ADD c integer DEFAULT 3; END'")->run.status.ok());
  EXPECT_EQ(TryInTransaction("SELECT * FROM t")->row(), "integer 1|text x|integer 3");
  ASSERT_TRUE(connection_->Rollback().ok());
  EXPECT_EQ(Ask("SELECT * FROM t"), "integer 1");
}

TEST_F(FoundAgainTest, APlanThatIsStaleInATransactionIsAReasonToRunItAgain) {
  Ask("CREATE TABLE t (a integer)");
  Ask("INSERT INTO t VALUES (1)");
  EXPECT_EQ(Ask("SELECT * FROM t"), "integer 1");
  AskOutside("ALTER TABLE t ADD b integer DEFAULT 2");
  ASSERT_TRUE(connection_->Begin({}).ok());
  const auto call = TryInTransaction("SELECT * FROM t");
  EXPECT_EQ(call->run.status.code(), absl::StatusCode::kAborted) << call->run.status;
  EXPECT_EQ(driver::GetErrorInfo(call->run.status).retry, driver::Retry::kTransaction);
  ASSERT_TRUE(connection_->Rollback().ok());
  ASSERT_TRUE(connection_->Begin({}).ok());
  EXPECT_EQ(TryInTransaction("SELECT * FROM t")->row(), "integer 1|integer 2");
  ASSERT_TRUE(connection_->Commit().ok());
}

TEST_F(FoundAgainTest, ACursorOfAnotherTransactionHasOtherColumns) {
  ASSERT_TRUE(connection_->Begin({}).ok());
  TryInTransaction("DECLARE c CURSOR FOR SELECT 1 AS a, 2 AS b");
  EXPECT_EQ(TryInTransaction("FETCH ALL c")->row(), "integer 1|integer 2");
  ASSERT_TRUE(connection_->Commit().ok());
  ASSERT_TRUE(connection_->Begin({}).ok());
  TryInTransaction("DECLARE c CURSOR FOR SELECT 'x'::text AS x, 3 AS y, 4 AS z");
  const auto call = TryInTransaction("FETCH ALL c");
  EXPECT_EQ(call->row(), "text x|integer 3|integer 4") << call->run.status;
  ASSERT_EQ(call->output.columns->size(), 3u);
  EXPECT_EQ((*call->output.columns)[0].name, "x");
  ASSERT_TRUE(connection_->Commit().ok());
}

TEST_F(FoundAgainTest, APreparedConstantIsOfItsOwnPrepare) {
  const std::string sql =
      "SELECT 'ty'::regtype::oid = (SELECT oid FROM pg_type WHERE typname = 'ty')";
  for (int i = 0; i < 2; ++i) {
    AskOutside("CREATE TYPE ty AS ENUM ('a')");
    ASSERT_TRUE(connection_->Describe(sql, driver::Deadline::None(), nullptr).ok());
    EXPECT_EQ(AskPrepared(sql), "boolean true");
    AskOutside("DROP TYPE ty");
  }
}

// A limit of time, a lock and a cursor do not make others be described anew.
TEST_F(FoundAgainTest, WhatChangesNoMeaningKeepsWhatIsKnown) {
  Ask("CREATE TABLE t (a integer)");
  const std::string counts = "SELECT count(*) FROM t";
  // Until it has been short: a busy machine may take its time.
  Call known(counts);
  driver::StatementRun* const first = &known.run;
  for (int i = 0; i < 100 && (i == 0 || connection_->Together({&first, 1}) != 1); ++i) Ask(counts);
  ASSERT_TRUE(connection_->Begin({}).ok());
  for (const char* sql : {"SET LOCAL lock_timeout = 1000", "LOCK TABLE t IN SHARE MODE",
                          "DECLARE c CURSOR FOR SELECT 1", "FETCH c"}) {
    EXPECT_TRUE(TryInTransaction(sql)->run.status.ok()) << sql;
    Call call(counts);
    driver::StatementRun* const run = &call.run;
    // Known to be short, which nothing is that is described anew.
    EXPECT_EQ(connection_->Together({&run, 1}), 1u) << sql;
  }
  ASSERT_TRUE(connection_->Commit().ok());
}

TEST_F(FoundAgainTest, TransactionsAloneLeaveNoStatementsBehind) {
  config_.statement_cache_size = 8;
  OpenDriver();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(connection_->Begin({}).ok());
    for (int j = 0; j < 10; ++j) {
      EXPECT_TRUE(TryInTransaction(fmt::format("SELECT {}", 10 * i + j))->run.status.ok());
    }
    ASSERT_TRUE(connection_->Commit().ok());
  }
  ASSERT_TRUE(connection_->Begin({}).ok());
  const auto kept = TryInTransaction("SELECT count(*) < 20 FROM pg_prepared_statements");
  EXPECT_EQ(kept->row(), "boolean true");
  ASSERT_TRUE(connection_->Commit().ok());
}

}  // namespace
}  // namespace penstock::postgres
