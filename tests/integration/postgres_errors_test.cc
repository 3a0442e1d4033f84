// Errors and notices of PostgreSQL, through the wire.
#include <memory>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "tests/support/gateway.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/wire.h"

namespace penstock::testing {
namespace {

using grpc::StatusCode;

class PostgresErrors : public ::testing::Test {
 protected:
  PostgresErrors() : config_(SqliteConfig(folder_.path())) {
    PostgresCluster& cluster = PostgresCluster::Shared();
    server::DatabaseConfig& database = config_.databases.at("main");
    database.driver = driver::Config();
    database.driver.name = "main";
    database.driver.driver = "postgres";
    database.driver.connection_string = cluster.connection_string(cluster.CreateDatabase());
    gateway_ = std::make_unique<Gateway>(config_);
    wire_ = std::make_unique<Wire>(gateway_->target());
  }
  Wire& wire() { return *wire_; }
  void Do(const std::string& sql, const Values& args = {}) {
    const Outcome outcome = wire().Exec(sql, args);
    EXPECT_TRUE(outcome.status.ok()) << sql << ": " << outcome.status.error_message();
  }
  // A statement that raises with the code.
  static std::string Raise(const std::string& code) {
    return "DO $$BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '" + code + "'; END$$";
  }

  TempDir folder_;
  server::Config config_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<Wire> wire_;
};

TEST_F(PostgresErrors, WhatAUserDoesIsNotTheServersFault) {
  Do("CREATE TABLE t (a integer PRIMARY KEY, b text)");
  Do("CREATE VIEW v AS SELECT a FROM t");
  Do("CREATE VIEW checked AS SELECT a, b FROM t WHERE a > 0 WITH CHECK OPTION");
  Do("INSERT INTO t VALUES (1, 'x'), (2, 'y')");
  const struct {
    std::string sql;
    StatusCode code;
    v1::Reason reason;
    std::string sqlstate;
  } cases[] = {
      {"DROP TABLE t", StatusCode::FAILED_PRECONDITION, v1::REASON_WRONG_STATE, "2BP01"},
      {"SELECT (SELECT a FROM t)", StatusCode::INVALID_ARGUMENT, v1::REASON_DATA_EXCEPTION,
       "21000"},
      {"INSERT INTO checked VALUES (-1, 'x')", StatusCode::FAILED_PRECONDITION,
       v1::REASON_CONSTRAINT_VIOLATION, "44000"},
      {"SELECT nextval('t_pkey')", StatusCode::INVALID_ARGUMENT, v1::REASON_SYNTAX, "42809"},
      {"SELECT lastval()", StatusCode::FAILED_PRECONDITION, v1::REASON_WRONG_STATE, "55000"},
      {"FETCH ALL FROM nosuch", StatusCode::NOT_FOUND, v1::REASON_UNDEFINED_OBJECT, "34000"},
      {"EXECUTE nosuch", StatusCode::NOT_FOUND, v1::REASON_UNDEFINED_OBJECT, "26000"},
      {"LOCK TABLE t", StatusCode::FAILED_PRECONDITION, v1::REASON_WRONG_STATE, "25P01"},
      {"CREATE TABLE t (a integer)", StatusCode::ALREADY_EXISTS, v1::REASON_DUPLICATE_OBJECT,
       "42P07"},
      {"ALTER TABLE t ADD COLUMN b text", StatusCode::ALREADY_EXISTS, v1::REASON_DUPLICATE_OBJECT,
       "42701"},
      {"SELECT 1::nosuch", StatusCode::NOT_FOUND, v1::REASON_UNDEFINED_OBJECT, "42704"},
      {"CREATE TABLE nosuch.x (i integer)", StatusCode::NOT_FOUND, v1::REASON_UNDEFINED_OBJECT,
       "3F000"},
      {Raise("SHOP1"), StatusCode::FAILED_PRECONDITION, v1::REASON_RAISED, "SHOP1"},
      {Raise("08000"), StatusCode::FAILED_PRECONDITION, v1::REASON_RAISED, "08000"},
      {Raise("57P01"), StatusCode::FAILED_PRECONDITION, v1::REASON_RAISED, "57P01"},
      {Raise("XX000"), StatusCode::FAILED_PRECONDITION, v1::REASON_RAISED, "XX000"},
      {Raise("53100"), StatusCode::FAILED_PRECONDITION, v1::REASON_RAISED, "53100"},
      {Raise("P0001"), StatusCode::FAILED_PRECONDITION, v1::REASON_RAISED, "P0001"},
      {Raise("23505"), StatusCode::ALREADY_EXISTS, v1::REASON_UNIQUE_VIOLATION, "23505"},
      {Raise("40001"), StatusCode::ABORTED, v1::REASON_SERIALIZATION_FAILURE, "40001"},
  };
  for (const auto& c : cases) {
    const Outcome outcome = wire().Exec(c.sql);
    EXPECT_EQ(outcome.status.error_code(), c.code)
        << c.sql << ": " << outcome.status.error_message();
    EXPECT_EQ(outcome.detail.reason(), c.reason) << c.sql;
    EXPECT_EQ(outcome.detail.sqlstate(), c.sqlstate) << c.sql;
  }
}

TEST_F(PostgresErrors, PendingEventsOfTriggersAreNotRetried) {
  Do("CREATE TABLE p (a integer PRIMARY KEY)");
  Do("CREATE TABLE c (a integer REFERENCES p DEFERRABLE INITIALLY DEFERRED)");
  TransactionStream transaction(wire());
  transaction.Begin();
  transaction.Exec("INSERT INTO c VALUES (1)");
  const auto failed = transaction.Exec("ALTER TABLE c ADD COLUMN b text");
  EXPECT_EQ(failed.error().detail().sqlstate(), "55006") << failed.ShortDebugString();
  EXPECT_EQ(failed.error().detail().reason(), v1::REASON_WRONG_STATE);
  EXPECT_EQ(failed.error().detail().retry(), v1::RETRY_NEVER);
}

TEST_F(PostgresErrors, WhatTheRoleMayNotDoIsDenied) {
  TransactionStream transaction(wire());
  transaction.Begin();
  transaction.Exec("CREATE ROLE penstock_nobody_" + config_.databases.at("main").driver.name);
  transaction.Exec("CREATE TABLE mine (a integer)");
  transaction.Exec("SET LOCAL ROLE penstock_nobody_main");
  const auto denied = transaction.Exec("INSERT INTO mine VALUES (1)");
  EXPECT_EQ(denied.error().code(), static_cast<int>(StatusCode::PERMISSION_DENIED));
  EXPECT_EQ(denied.error().detail().reason(), v1::REASON_NOT_ALLOWED);
  EXPECT_EQ(denied.error().detail().sqlstate(), "42501");
}

TEST_F(PostgresErrors, TheServersTimeOutIsATimeOut) {
  TransactionStream transaction(wire());
  transaction.Begin();
  transaction.Exec("SET LOCAL statement_timeout = 30");
  const auto late = transaction.Exec("SELECT pg_sleep(60)");
  EXPECT_EQ(late.error().detail().reason(), v1::REASON_QUERY_TIMEOUT) << late.ShortDebugString();
}

TEST_F(PostgresErrors, TheDetailIsCarried) {
  Do("CREATE TABLE t (a integer PRIMARY KEY)");
  Do("CREATE VIEW seen AS SELECT a FROM t");
  EXPECT_EQ(wire().Exec("DROP TABLE t").detail.detail(), "view seen depends on table t");
  Do("INSERT INTO t VALUES (5)");
  EXPECT_EQ(wire().Exec("INSERT INTO t VALUES (5)").detail.detail(), "Key (a)=(5) already exists.");
  EXPECT_EQ(wire().Exec("INSERT INTO t VALUES ($1)", {Int(5)}).detail.detail(),
            "Key (a)=($1) already exists.");
}

TEST_F(PostgresErrors, NoParameterIsInAnError) {
  Do("CREATE TABLE t (a text PRIMARY KEY, b text CHECK (length(b) < 40), c integer)");
  Do("INSERT INTO t VALUES ('hunter2', 'b', 1)");
  Do("CREATE FUNCTION fail(t text) RETURNS text LANGUAGE plpgsql AS "
     "'BEGIN RAISE EXCEPTION $x$no user %$x$, t USING DETAIL = $x$it was $x$ || t, HINT = t; END'");
  const std::string secret = "hunter2";
  const std::string long_secret = "hunter2 and whatever else somebody may have for a password";
  const std::vector<std::pair<std::string, Values>> cases = {
      {"SELECT $1::text::int2", {Text(secret)}},
      {"SELECT $1::text::int2", {Text("hunter2\"quoted\"")}},
      {"SELECT $1::text::date", {Text(secret)}},
      {"SELECT $1::text::jsonb", {Text("{\"a\": hunter2}")}},
      {"SELECT $1::text::uuid", {Text(secret)}},
      {"SELECT $1::text::integer[]", {Text("{1,hunter2}")}},
      {"SELECT to_date($1, 'YYYY')", {Text(secret)}},
      {"SELECT to_timestamp($1, 'HH24:MI')", {Text(secret)}},
      {"SELECT now() AT TIME ZONE $1", {Text("hunter2-")}},
      {"SELECT date_trunc($1, now())", {Text("Hunter2")}},
      {"SELECT extract(epoch FROM $1::text::interval)", {Text(secret)}},
      {"SELECT $1::text::regclass", {Text(secret)}},
      {"SELECT set_config($1, 'x', true)", {Text(secret)}},
      {"SELECT 'a' ~ $1", {Text("(hunter2")}},
      {"SELECT fail($1)", {Text(secret)}},
      {"SELECT fail(a) FROM (SELECT $1::text AS a FROM generate_series(1, 200000)) AS s "
       "OFFSET 100000",
       {Text(secret)}},
      {"SELECT repeat('x', 100), CASE WHEN i < 100000 THEN 'a' ELSE fail($1) END "
       "FROM generate_series(1, 200000) AS g(i)",
       {Text(secret)}},
      {"INSERT INTO t VALUES ($1, 'b', 1)", {Text(secret)}},
      {"INSERT INTO t VALUES ('x', $1, 1)", {Text(long_secret)}},
      {"INSERT INTO t VALUES (NULL, $1, 1)", {Text(secret)}},
  };
  for (const auto& [sql, args] : cases) {
    for (const Outcome& outcome : {wire().Query(sql, args), wire().Exec(sql, args)}) {
      EXPECT_FALSE(outcome.status.ok()) << sql;
      for (const std::string& text :
           {outcome.status.error_message(), outcome.detail.DebugString()}) {
        EXPECT_EQ(text.find("unter2"), std::string::npos) << sql << ": " << text;
        EXPECT_EQ(text.find("hunt"), std::string::npos) << sql << ": " << text;
      }
    }
  }
  v1::ExecRequest rows;
  rows.set_sql("INSERT INTO t VALUES ($1, $2, $3)");
  for (int i = 0; i < 20; ++i) {
    v1::Row* row = rows.add_rows();
    *row->add_values() = Text(i == 11 ? secret : fmt::format("row {}", i));
    *row->add_values() = Text("b");
    *row->add_values() = Int(i);
  }
  grpc::Status status;
  wire().ExecAll({rows}, &status);
  EXPECT_EQ(status.error_code(), StatusCode::ALREADY_EXISTS) << status.error_message();
  EXPECT_EQ(DetailOf(status).detail(), "Key (a)=($1) already exists.");
}

TEST_F(PostgresErrors, ALiteralOfTheStatementIsInItsError) {
  EXPECT_EQ(wire().Query("SELECT 'abc'::integer").status.error_message(),
            "invalid input syntax for type integer: \"abc\"");
  EXPECT_EQ(
      wire().Query("SELECT 'abc'::integer, $1::text", {Text("secret")}).status.error_message(),
      "invalid input syntax for type integer: \"abc\"");
}

TEST_F(PostgresErrors, AKeyFoundAtTheCommitIsNotTold) {
  Do("CREATE TABLE t (a text UNIQUE DEFERRABLE INITIALLY DEFERRED)");
  Do("INSERT INTO t VALUES ('hunter2')");
  TransactionStream transaction(wire());
  transaction.Begin();
  transaction.Exec("INSERT INTO t VALUES ($1)", {Text("hunter2")});
  transaction.Commit();
  const grpc::Status ended = transaction.Finish();
  EXPECT_EQ(DetailOf(ended).reason(), v1::REASON_UNIQUE_VIOLATION) << ended.error_message();
  EXPECT_EQ(DetailOf(ended).DebugString().find("hunter2"), std::string::npos);
}

TEST_F(PostgresErrors, NoticesComeWithTheSummary) {
  Do("CREATE TABLE t (a integer)");
  const Outcome skipped = wire().Query("CREATE TABLE IF NOT EXISTS t (a integer)");
  ASSERT_EQ(skipped.summary.notices_size(), 1) << skipped.summary.ShortDebugString();
  EXPECT_EQ(skipped.summary.notices(0).severity(), "NOTICE");
  EXPECT_EQ(skipped.summary.notices(0).sqlstate(), "42P07");
  EXPECT_EQ(skipped.summary.notices(0).message(), "relation \"t\" already exists, skipping");
  Do("CREATE FUNCTION say(n integer) RETURNS integer LANGUAGE plpgsql AS "
     "'BEGIN RAISE WARNING $x$w %$x$, n USING HINT = $x$h$x$, DETAIL = $x$d$x$; RETURN n; END'");
  const Outcome some = wire().Query("SELECT say(i) FROM generate_series(1, 3) AS g(i)");
  ASSERT_EQ(some.summary.notices_size(), 3);
  EXPECT_EQ(some.summary.notices(2).message(), "w 3");
  EXPECT_EQ(some.summary.notices(2).hint(), "h");
  EXPECT_EQ(some.summary.notices(2).detail(), "d");
  EXPECT_EQ(some.summary.notices_dropped(), 0);
  const Outcome many = wire().Query("SELECT say(i) FROM generate_series(1, 5000) AS g(i)");
  EXPECT_EQ(many.rows.size(), 5000u);
  EXPECT_EQ(many.summary.notices_size(), 32);
  EXPECT_EQ(many.summary.notices_dropped(), 5000 - 32);
  EXPECT_EQ(wire().Query("SELECT 1").summary.notices_size(), 0) << "those of another";
  TransactionStream transaction(wire());
  transaction.Begin();
  EXPECT_EQ(transaction.Exec("SELECT say(1)").executed().notices_size(), 1);
  EXPECT_TRUE(transaction.Commit().has_committed());
}

}  // namespace
}  // namespace penstock::testing
