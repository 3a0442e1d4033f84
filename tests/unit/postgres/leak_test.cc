// What one caller's statement leaves in the session is gone before the next caller's.
#include "fmt/format.h"
#include "tests/unit/postgres/fixture.h"

namespace penstock::postgres {
namespace {

class LeakTest : public PostgresDriverTest {
 protected:
  LeakTest() {
    AskOutside(
        "CREATE FUNCTION sets(text) RETURNS text LANGUAGE plpgsql AS "
        "$$BEGIN RETURN set_config('app.tenant', $1, false); END$$");
  }
  // As the next caller sees it.
  std::string Tenant() {
    return Ask("SELECT coalesce(nullif(current_setting('app.tenant', true), ''), '-')");
  }
  void ExpectClean(const std::string& sql) {
    const auto call = Try(sql);
    EXPECT_TRUE(call->run.status.ok()) << sql << ": " << call->run.status;
    EXPECT_EQ(Tenant(), "text -") << sql;
    // The second run is of a statement that is known.
    Try(sql);
    EXPECT_EQ(Tenant(), "text -") << sql;
  }
};

TEST_F(LeakTest, SettingsHoweverTheyAreHidden) {
  for (const char* sql :
       {"SET app.tenant = 'x'", "SELECT E'it\\'s', set_config('app.tenant', 'x', false), 'y'",
        "SELECT /* ' */ \"set_config\"('app.tenant', 'x', false)",
        "SELECT pg_catalog.set_config('app.tenant', 'x', false)", "SELECT sets('x')",
        "SELECT U&\"s\\0065ts\"('x')",
        "DO $$BEGIN PERFORM set_config('app.tenant', 'x', false); END$$",
        "WITH a AS (SELECT sets('x')) SELECT * FROM a", "SELECT 1 WHERE sets('x') = 'x'",
        "VALUES (sets('x'))", "SELECT * FROM sets('x')", "SELECT 1 ORDER BY sets('x')",
        "SELECT query_to_xml('SELECT sets(''x'')', true, true, '')",
        "EXPLAIN ANALYZE SELECT sets('x')", "SELECT 1 --\r, sets('x')"}) {
    ExpectClean(sql);
  }
}

TEST_F(LeakTest, SettingsBehindTablesAndTypes) {
  for (const char* sql :
       {"CREATE VIEW v AS SELECT sets('x') AS s",
        "CREATE VIEW vv AS SELECT s FROM v",
        "CREATE VIEW c AS SELECT set_config('app.tenant', 'x', false) AS s",
        "CREATE TABLE d (i int, s text DEFAULT sets('x'))",
        "CREATE TABLE k (i int CHECK (sets('x') = 'x'))",
        "CREATE DOMAIN dom AS int CHECK (sets('x') = 'x')",
        "CREATE TABLE e (i dom)",
        "CREATE TABLE g (i int)",
        "CREATE FUNCTION g_t() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN PERFORM sets('x'); RETURN NEW; END$$",
        "CREATE TRIGGER t BEFORE INSERT ON g FOR EACH ROW EXECUTE FUNCTION g_t()",
        "CREATE TABLE p (i int) PARTITION BY LIST (i)",
        "CREATE TABLE p1 PARTITION OF p DEFAULT",
        "CREATE TRIGGER t BEFORE INSERT ON p1 FOR EACH ROW EXECUTE FUNCTION g_t()",
        "CREATE TABLE up (i int PRIMARY KEY)",
        "CREATE TABLE down (i int REFERENCES up ON DELETE CASCADE)",
        "CREATE FUNCTION d_t() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN PERFORM sets('x'); RETURN OLD; END$$",
        "CREATE TRIGGER t BEFORE DELETE ON down FOR EACH ROW EXECUTE FUNCTION d_t()",
        "INSERT INTO up VALUES (1), (2)",
        "INSERT INTO down VALUES (1), (2)",
        "CREATE FUNCTION pay(up) RETURNS text LANGUAGE sql AS $$SELECT sets('x')$$",
        "CREATE FUNCTION plus(int, text) RETURNS text LANGUAGE sql AS $$SELECT sets('x')$$",
        "CREATE OPERATOR + (LEFTARG = int, RIGHTARG = text, FUNCTION = plus)"}) {
    AskOutside(sql);
  }
  for (const char* sql :
       {"SELECT * FROM v", "SELECT s FROM vv", "SELECT s FROM c", "INSERT INTO d(i) VALUES (1)",
        "INSERT INTO k VALUES (1)", "SELECT 1::dom", "INSERT INTO e VALUES (1)",
        "INSERT INTO g VALUES (1)", "INSERT INTO p VALUES (1)", "SELECT u.pay FROM up u",
        "SELECT (u).pay FROM up u", "SELECT 1 + 'a'::text"}) {
    ExpectClean(sql);
  }
  Ask("DELETE FROM up WHERE i = 1");
  EXPECT_EQ(Tenant(), "text -");
}

TEST_F(LeakTest, Policies) {
  AskOutside("CREATE TABLE r (i int)");
  AskOutside("INSERT INTO r VALUES (1)");
  AskOutside("CREATE POLICY p ON r USING (sets('x') = 'x')");
  AskOutside("ALTER TABLE r ENABLE ROW LEVEL SECURITY");
  AskOutside("ALTER TABLE r FORCE ROW LEVEL SECURITY");
  ExpectClean("SELECT * FROM r");
}

TEST_F(LeakTest, TemporaryTables) {
  for (const char* sql : {"CREATE TEMP TABLE t AS SELECT 1",
                          "CREATE TABLE \"pg_temp\".t AS SELECT 1", "SELECT 1 INTO \"pg_temp\".t",
                          "SELECT 1 INTO U&\"pg_t\\0065mp\".t", "CREATE TABLE pg_temp.t(a int)"}) {
    Ask(sql);
    EXPECT_EQ(Ask("SELECT count(*) FROM pg_class WHERE relname = 't' AND relkind = 'r'"),
              "integer 0")
        << sql;
  }
}

TEST_F(LeakTest, LocksRolesAndCursors) {
  for (const char* sql : {"SELECT pg_advisory_lock(1)", "SELECT E'\\'', pg_try_advisory_lock(1)",
                          "DECLARE c CURSOR WITH HOLD FOR SELECT 1", "SET ROLE pg_monitor",
                          "SET SESSION AUTHORIZATION postgres", "LISTEN_NOT"}) {
    Try(sql);
    EXPECT_EQ(Ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), "integer 0") << sql;
    EXPECT_EQ(Ask("SELECT count(*) FROM pg_cursors WHERE is_holdable"), "integer 0") << sql;
    EXPECT_EQ(Ask("SELECT current_user = session_user"), "boolean true") << sql;
  }
}

TEST_F(LeakTest, LastvalIsOnesOwn) {
  Ask("CREATE TABLE s (i serial, j int)");
  Ask("INSERT INTO s(j) VALUES (1)");
  EXPECT_EQ(driver::GetErrorInfo(Try("SELECT lastval()")->run.status).sqlstate, "55000");
  Ask("INSERT INTO s(j) VALUES ($1)", {Value::Integer(2)});
  EXPECT_EQ(driver::GetErrorInfo(Try("SELECT currval('s_i_seq')")->run.status).sqlstate, "55000");
  Ask("SELECT nextval('s_i_seq')");
  ASSERT_TRUE(connection_->Begin({}).ok());
  EXPECT_EQ(driver::GetErrorInfo(TryInTransaction("SELECT lastval()")->run.status).sqlstate,
            "55000");
  ASSERT_TRUE(connection_->Rollback().ok());
  ASSERT_TRUE(connection_->Begin({}).ok());
  EXPECT_TRUE(TryInTransaction("INSERT INTO s(j) VALUES (4)")->run.status.ok());
  EXPECT_EQ(TryInTransaction("SELECT lastval()")->row(), "integer 4");
  ASSERT_TRUE(connection_->Commit().ok());
}

// A client's own prepared statements, and those of the driver's under a client's hands.
TEST_F(LeakTest, PreparedStatements) {
  const std::string sql = "SELECT $1::bigint * 2";
  EXPECT_EQ(Ask(sql, {Value::Integer(2)}), "integer 4");
  for (int i = 1; i < 30; ++i) {
    EXPECT_TRUE(Try(fmt::format("PREPARE p{} AS SELECT 1", i))->run.status.ok()) << i;
  }
  EXPECT_EQ(Ask("SELECT count(*) FROM pg_prepared_statements WHERE from_sql"), "integer 0");
  Ask("DO $$DECLARE n text; BEGIN FOR n IN SELECT name FROM pg_prepared_statements WHERE statement "
      "LIKE '%* 2' LOOP EXECUTE 'DEALLOCATE ' || quote_ident(n); EXECUTE 'PREPARE ' || "
      "quote_ident(n) || '(bigint) AS SELECT $1 * 1000'; END LOOP; END$$");
  EXPECT_EQ(Ask(sql, {Value::Integer(2)}), "integer 4");
  Ask("DO 'BEGIN EXECUTE ''DEALLOCATE ALL''; END'");
  EXPECT_EQ(Ask(sql, {Value::Integer(3)}), "integer 6");
}

TEST_F(LeakTest, WithSessionResetAlwaysNothingStaysAndNothingIsShared) {
  config_.options["session_reset"] = "always";
  OpenDriver();
  const Calls calls = MakeCalls({"SELECT 1", "SELECT 2"});
  std::vector<driver::StatementRun*> runs;
  for (const auto& call : calls) runs.push_back(&call->run);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(connection_->RunBatch(runs), 1u);
    EXPECT_EQ(connection_->RunBatch(std::span(runs).subspan(1)), 1u);
  }
  EXPECT_EQ(connection_->Together(runs), 0u);
  ExpectClean("SELECT sets('x')");
}

// The price of all that: none for what is built in.
TEST_F(LeakTest, WhatIsKnownCostsNothing) {
  Ask("CREATE TABLE t (i bigint PRIMARY KEY, j int CHECK (j > 0), s text DEFAULT 'x')");
  for (const char* sql : {"SELECT abs(i), upper(s), count(*) OVER () FROM t WHERE i = 1",
                          "INSERT INTO t(i) SELECT max(i) + 1 FROM t HAVING max(i) > 10",
                          "UPDATE t SET j = greatest(j, 1) WHERE i = 1"}) {
    const Calls calls = MakeCalls({sql, sql});
    MakeBrisk(calls);
  }
}

TEST_F(LeakTest, ListenIsRefused) {
  const auto call = Try("LISTEN a");
  EXPECT_EQ(call->run.status.code(), absl::StatusCode::kUnimplemented) << call->run.status;
  Ask("NOTIFY a");
}

}  // namespace
}  // namespace penstock::postgres
