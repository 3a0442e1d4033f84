// Columns, parameters, errors: one statement at a time.
#include "fmt/format.h"
#include "tests/conformance/backend.h"

namespace penstock::testing {
namespace {

class Statements : public Conformance {
 protected:
  // The statement fails with this reason and leaves nothing behind.
  void ExpectRefused(const std::string& sql, v1::Reason reason, grpc::StatusCode code,
                     const Values& args = {}) {
    for (const Outcome& outcome : {wire().Query(sql, args), wire().Exec(sql, args)}) {
      EXPECT_EQ(outcome.status.error_code(), code) << sql << outcome.status.error_message();
      EXPECT_EQ(outcome.detail.reason(), reason) << sql << outcome.status.error_message();
      EXPECT_EQ(outcome.detail.retry(), v1::RETRY_NEVER);
      EXPECT_FALSE(outcome.status.error_message().empty());
      EXPECT_FALSE(outcome.has_summary);
    }
  }
};
PENSTOCK_CONFORMANCE_ON(Statements, KeyValueBackends());
PENSTOCK_CONFORMANCE_OVER_PIPELINE(Statements, KeyValueBackends());

// Those that need a table with columns of their own.
class TableStatements : public Statements {};
PENSTOCK_CONFORMANCE(TableStatements);
PENSTOCK_CONFORMANCE_OVER_PIPELINE(TableStatements, Backends());

using grpc::StatusCode;

TEST_P(TableStatements, ColumnsHaveNamesAndDeclaredTypes) {
  Do("CREATE TABLE t (id INTEGER, name VARCHAR(20), flag BOOLEAN)");
  const Outcome outcome = wire().Query("SELECT id, name AS who, flag FROM t");
  ASSERT_EQ(outcome.columns.size(), 3u);
  EXPECT_EQ(outcome.columns[0].kind(), v1::KIND_INTEGER);
  EXPECT_EQ(outcome.columns[1].name(), "who");
  EXPECT_EQ(outcome.columns[1].kind(), v1::KIND_TEXT);
  EXPECT_EQ(outcome.columns[2].kind(), v1::KIND_BOOLEAN);
  // No row: still the columns, and one message.
  EXPECT_EQ(outcome.messages, 1);
  EXPECT_TRUE(outcome.has_summary);
}

TEST_P(Statements, ASmallResultIsOneMessage) {
  const Outcome outcome = wire().Query(backend().series(3));
  EXPECT_EQ(outcome.text(), "1|'row 1'; 2|'row 2'; 3|'row 3'");
  EXPECT_EQ(outcome.messages, 1);
  EXPECT_EQ(outcome.summary.rows_returned(), 3);
}

TEST_P(Statements, ParametersInAnyOrderAndRepeated) {
  EXPECT_EQ(Ask("SELECT $2, $1", {Int(1), Int(2)}), "2|1");
  EXPECT_EQ(Ask("SELECT $1, $1", {Text("x")}), "'x'|'x'");
  EXPECT_EQ(Ask("SELECT $3, $1, $2, $1", {Int(1), Int(2), Int(3)}), "3|1|2|1");
  EXPECT_EQ(Ask("SELECT $10, $1, $2, $3, $4, $5, $6, $7, $8, $9",
                {Int(1), Int(2), Int(3), Int(4), Int(5), Int(6), Int(7), Int(8), Int(9), Int(10)}),
            "10|1|2|3|4|5|6|7|8|9");
}

TEST_P(Statements, AWrongNumberOfParametersIsRefused) {
  const auto reason = v1::REASON_INVALID_PARAMETER;
  ExpectRefused("SELECT $1, $2", reason, StatusCode::INVALID_ARGUMENT, {Int(1)});
  ExpectRefused("SELECT $1", reason, StatusCode::INVALID_ARGUMENT, {Int(1), Int(2)});
  ExpectRefused("SELECT 1", reason, StatusCode::INVALID_ARGUMENT, {Int(1)});
  ExpectRefused("SELECT $2", reason, StatusCode::INVALID_ARGUMENT, {Int(1), Int(2)});
}

TEST_P(Statements, WhatIsNotOneStatementIsRefused) {
  const auto invalid = StatusCode::INVALID_ARGUMENT;
  ExpectRefused("", v1::REASON_EMPTY_STATEMENT, invalid);
  ExpectRefused("  -- nothing\n ;", v1::REASON_EMPTY_STATEMENT, invalid);
  ExpectRefused("SELECT 1; SELECT 2", v1::REASON_MULTIPLE_STATEMENTS, invalid);
  ExpectRefused("SELEC 1", v1::REASON_SYNTAX, invalid);
  ExpectRefused("SELECT nothing_of_the_kind", v1::REASON_SYNTAX, invalid);
  ExpectRefused(std::string("SELECT 1\0", 9), v1::REASON_SYNTAX, invalid);
  EXPECT_EQ(Ask("SELECT 1; -- and a comment"), "1");
}

TEST_P(Statements, TransactionControlAsTextIsRefusedWithAdvice) {
  for (const char* sql :
       {"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT a", "RELEASE a", "END", "/* hidden */ begin"}) {
    ExpectRefused(sql, v1::REASON_TRANSACTION_CONTROL, StatusCode::INVALID_ARGUMENT);
    EXPECT_NE(wire().Query(sql).detail.hint().find("Transaction"), std::string::npos);
  }
  TransactionStream transaction(wire());
  transaction.Begin();
  EXPECT_EQ(transaction.Exec("COMMIT").error().detail().reason(), v1::REASON_TRANSACTION_CONTROL);
  EXPECT_TRUE(transaction.Commit().has_committed());
}

TEST_P(Statements, ErrorsNameWhatIsConcerned) {
  ExpectRefused("SELECT * FROM missing", v1::REASON_UNDEFINED_TABLE, StatusCode::NOT_FOUND);
  EXPECT_EQ(wire().Query("SELECT * FROM missing").detail.table(), "missing");
  EXPECT_EQ(wire().Query("SELECT 1 FROMM x").detail.position(), backend().tells_places() ? 16 : 0);
  v1::QueryRequest request;
  request.set_sql("SELECT 1");
  request.set_database("nowhere");
  const Outcome outcome = wire().Query(request);
  EXPECT_EQ(outcome.status.error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(outcome.detail.reason(), v1::REASON_UNKNOWN_DATABASE);
  EXPECT_NE(outcome.detail.hint().find("main"), std::string::npos);
}

TEST_P(TableStatements, ConstraintViolationsAreTold) {
  Do("CREATE TABLE parent (id INTEGER PRIMARY KEY)");
  Do("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, "
     "age INTEGER CONSTRAINT grown CHECK (age >= 18), parent INTEGER REFERENCES parent (id))");
  Do("INSERT INTO t VALUES (1, 'a', 20, NULL)");
  ExpectRefused("INSERT INTO t VALUES (2, 'a', 20, NULL)", v1::REASON_UNIQUE_VIOLATION,
                StatusCode::ALREADY_EXISTS);
  ExpectRefused("INSERT INTO t VALUES (1, 'b', 20, NULL)", v1::REASON_UNIQUE_VIOLATION,
                StatusCode::ALREADY_EXISTS);
  ExpectRefused("INSERT INTO t VALUES (2, NULL, 20, NULL)", v1::REASON_NOT_NULL_VIOLATION,
                StatusCode::FAILED_PRECONDITION);
  ExpectRefused("INSERT INTO t VALUES (2, 'b', 17, NULL)", v1::REASON_CHECK_VIOLATION,
                StatusCode::FAILED_PRECONDITION);
  ExpectRefused("INSERT INTO t VALUES (2, 'b', 20, 9)", v1::REASON_FOREIGN_KEY_VIOLATION,
                StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(wire().Exec("INSERT INTO t VALUES (2, 'b', 17, NULL)").detail.constraint(), "grown");
  EXPECT_EQ(wire().Exec("INSERT INTO t VALUES (2, NULL, 20, NULL)").detail.column(),
            backend().tells_places() ? "name" : "");
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "1");
}

TEST_P(TableStatements, AViolatedKeyIsToldByNameTableAndColumn) {
  Do("CREATE TABLE t (id INTEGER CONSTRAINT t_key PRIMARY KEY, name TEXT CONSTRAINT names UNIQUE, "
     "a INTEGER, b INTEGER, CONSTRAINT pairs UNIQUE (b, a))");
  Do("CREATE TABLE u (v INTEGER)");
  Do("CREATE UNIQUE INDEX u_by_v ON u (v)");
  Do("INSERT INTO t VALUES (1, 'name', 2, 3)");
  Do("INSERT INTO u VALUES (1)");
  const auto told = [&](const std::string& sql, const std::vector<v1::Value>& args = {}) {
    const v1::ErrorDetail detail = wire().Exec(sql, args).detail;
    EXPECT_EQ(detail.reason(), v1::REASON_UNIQUE_VIOLATION) << sql;
    // A server that tells no table has the key in its detail.
    const std::string table = backend().tells_places() ? detail.table() + " " : "";
    return fmt::format("{} {}{}", detail.constraint(), table, detail.column());
  };
  const auto key = [&](const char* constraint, const char* table, const char* column) {
    const std::string place = backend().tells_places() ? fmt::format("{} ", table) : "";
    return fmt::format("{} {}{}", constraint, place, column);
  };
  EXPECT_EQ(told("INSERT INTO t VALUES (1, 'x', 0, 0)"), key("t_key", "t", "id"));
  // A parameter whose value is the column's name hides nothing.
  EXPECT_EQ(told("INSERT INTO t VALUES (2, $1, 0, 0)", {Text("name")}), key("names", "t", "name"));
  EXPECT_EQ(told("INSERT INTO t VALUES (2, 'x', 2, 3)"), key("pairs", "t", "b"));
  EXPECT_EQ(told("INSERT INTO u VALUES (1)"), key("u_by_v", "u", "v"));
}

TEST_P(TableStatements, SummariesTellWhatWasDone) {
  Do("CREATE TABLE t (id " + backend().serial_key() + ", v INTEGER)");
  Outcome outcome = wire().Exec("INSERT INTO t (v) VALUES (10)");
  EXPECT_EQ(outcome.summary.rows_affected(), 1);
  EXPECT_EQ(outcome.summary.has_last_insert_id(), backend().has_last_insert_id());
  Do("INSERT INTO t (v) VALUES (20)");
  outcome = wire().Exec("UPDATE t SET v = v + 1");
  EXPECT_EQ(outcome.summary.rows_affected(), 2);
  EXPECT_FALSE(outcome.summary.has_last_insert_id());
  EXPECT_EQ(wire().Exec("DELETE FROM t WHERE v = 99").summary.rows_affected(), 0);
  EXPECT_EQ(wire().Exec("SELECT * FROM t").summary.rows_returned(), 2);
  EXPECT_EQ(wire().Exec("DROP TABLE t").summary.rows_affected(), 0);
}

TEST_P(TableStatements, ReturningIsCommittedBeforeItIsSent) {
  Do("CREATE TABLE t (id " + backend().serial_key() + ", v TEXT)");
  const Outcome outcome = wire().Query("INSERT INTO t (v) VALUES ('a'), ('b') RETURNING id, v");
  EXPECT_EQ(outcome.text(), "1|'a'; 2|'b'");
  EXPECT_EQ(outcome.summary.rows_affected(), 2);
  EXPECT_EQ(outcome.summary.rows_returned(), 2);
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "2");
}

// Also when rows were on their way: a short result is never taken for a whole one.
TEST_P(TableStatements, AStatementThatFailsMidwayIsAnErrorAndLeavesNothingBehind) {
  Do("CREATE TABLE t (i INTEGER, s TEXT)");
  for (const int64_t rows : {0, 3, 100'000}) {
    for (const v1::Format format : {v1::FORMAT_ROWS, v1::FORMAT_COLUMNS}) {
      v1::QueryRequest request;
      request.set_sql(backend().fails_after(rows));
      request.set_format(format);
      const Outcome read = wire().Query(request);
      EXPECT_EQ(read.detail.reason(), v1::REASON_DATA_EXCEPTION) << read.status.error_message();
      EXPECT_FALSE(read.has_summary);
      if (rows == 100'000) {
        EXPECT_GT(read.messages, 1) << "it was to be streamed";
      }
    }
    const std::string insert = "INSERT INTO t " + backend().fails_after(rows);
    EXPECT_EQ(wire().Exec(insert).detail.reason(), v1::REASON_DATA_EXCEPTION);
    const Outcome written = wire().Query(insert + " RETURNING i");
    EXPECT_EQ(written.detail.reason(), v1::REASON_DATA_EXCEPTION) << written.status.error_message();
    EXPECT_TRUE(written.rows.empty());
    EXPECT_EQ(Ask("SELECT count(*) FROM t"), "0");
  }
}

TEST_P(Statements, AStaleReadIsServedOrRefusedByName) {
  grpc::ClientContext context;
  v1::PingResponse ping;
  ASSERT_TRUE(wire().stub().Ping(&context, {}, &ping).ok());
  v1::QueryRequest request;
  request.set_sql("SELECT 1");
  request.mutable_staleness()->set_seconds(1);
  const Outcome outcome = wire().Query(request);
  if (ping.capabilities().staleness()) {
    EXPECT_EQ(outcome.text(), "1") << outcome.status.error_message();
    request.set_sql("DELETE FROM t");
    EXPECT_EQ(wire().Query(request).status.error_code(), StatusCode::INVALID_ARGUMENT);
  } else {
    EXPECT_EQ(outcome.status.error_code(), StatusCode::UNIMPLEMENTED);
    EXPECT_EQ(outcome.detail.reason(), v1::REASON_UNSUPPORTED);
    EXPECT_NE(outcome.status.error_message().find("'staleness'"), std::string::npos);
  }
}

TEST_P(Statements, SettingsAreServedOrRefusedByName) {
  grpc::ClientContext context;
  v1::PingResponse ping;
  ASSERT_TRUE(wire().stub().Ping(&context, {}, &ping).ok());
  const bool has_settings = ping.capabilities().settings();
  const auto expect_refused = [has_settings](const grpc::Status& status) {
    EXPECT_EQ(status.error_code(),
              has_settings ? StatusCode::PERMISSION_DENIED : StatusCode::UNIMPLEMENTED);
    EXPECT_NE(status.error_message().find(has_settings ? "'app.user'" : "'settings'"),
              std::string::npos)
        << status.error_message();
  };
  v1::QueryRequest query;
  query.set_sql("SELECT 1");
  (*query.mutable_settings())["app.user"] = "ada";
  expect_refused(wire().Query(query).status);
  v1::ExecRequest exec;
  exec.set_sql("CREATE TABLE never (key TEXT PRIMARY KEY, value TEXT)");
  (*exec.mutable_settings())["app.user"] = "ada";
  grpc::Status status;
  EXPECT_TRUE(wire().ExecAll({exec}, &status).empty());
  expect_refused(status);
  TransactionStream transaction(wire());
  v1::TransactionRequest begin;
  (*begin.mutable_begin()->mutable_settings())["app.user"] = "ada";
  EXPECT_FALSE(transaction.Step(begin).has_begun());
  expect_refused(transaction.Finish());
  Do("CREATE TABLE never (key TEXT PRIMARY KEY, value TEXT)");
}

TEST_P(Statements, ARequestThatDoesNotParseSaysSo) {
  // Text that is not UTF-8 makes the message invalid; a client in another
  // language may send it all the same.
  v1::ExecRequest request;
  request.set_sql("SELECT '\xff'");
  grpc::Status status;
  EXPECT_TRUE(wire().ExecAll({request}, &status).empty());
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(DetailOf(status).reason(), v1::REASON_PROTOCOL);
  EXPECT_NE(DetailOf(status).hint().find("UTF-8"), std::string::npos);
}

}  // namespace
}  // namespace penstock::testing
