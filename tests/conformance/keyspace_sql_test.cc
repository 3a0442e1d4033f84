// SQL on tables of a key and a value, which every driver has: the same statements
// and the same expectations for all of them, through the wire.
#include <algorithm>
#include <chrono>

#include "fmt/format.h"
#include "tests/conformance/backend.h"

namespace penstock::testing {
namespace {

using grpc::StatusCode;

class KeyspaceSql : public Conformance {
 protected:
  void SetUp() override {
    Do("CREATE TABLE t (key VARCHAR(100) NOT NULL PRIMARY KEY, value TEXT)");
  }

  void ExpectRefused(const std::string& sql, v1::Reason reason, const Values& args = {}) {
    const Outcome outcome = wire().Exec(sql, args);
    EXPECT_EQ(outcome.detail.reason(), reason) << sql << ": " << outcome.status.error_message();
    EXPECT_FALSE(outcome.status.ok());
  }

  // Rows k00000, k00001, … with values of so many bytes.
  void Fill(int count, size_t bytes = 1) {
    v1::ExecRequest request;
    request.set_sql("INSERT INTO t VALUES ($1, $2)");
    for (int i = 0; i < count; ++i) {
      auto* row = request.add_rows();
      *row->add_values() = Text(fmt::format("k{:05}", i));
      *row->add_values() = Text(std::string(bytes, 'v'));
    }
    grpc::Status status;
    const auto answers = wire().ExecAll({request}, &status);
    ASSERT_TRUE(status.ok()) << status.error_message();
    ASSERT_EQ(answers.size(), 1u);
    ASSERT_EQ(answers[0].summary().rows_affected(), count);
  }

  static v1::ExecRequest Insert(const std::string& key, v1::OnError on_error) {
    v1::ExecRequest request;
    request.set_sql("INSERT INTO t VALUES ($1, 'x')");
    *request.add_args() = Text(key);
    request.set_on_error(on_error);
    return request;
  }
};
PENSTOCK_CONFORMANCE_ON(KeyspaceSql, KeyValueBackends());

TEST_P(KeyspaceSql, WritesAndReads) {
  EXPECT_EQ(wire().Exec("INSERT INTO t VALUES ('b', '2'), ('a', '1')").summary.rows_affected(), 2);
  EXPECT_EQ(Ask("SELECT key, value FROM t ORDER BY key"), "'a'|'1'; 'b'|'2'");
  EXPECT_EQ(wire().Exec("UPDATE t SET value = value || '!'").summary.rows_affected(), 2);
  EXPECT_EQ(
      wire().Exec("UPDATE t SET key = 'c' WHERE key = $1", {Text("a")}).summary.rows_affected(), 1);
  EXPECT_EQ(Ask("SELECT key, value FROM t ORDER BY key DESC"), "'c'|'1!'; 'b'|'2!'");
  EXPECT_EQ(wire().Exec("DELETE FROM t WHERE key = 'none'").summary.rows_affected(), 0);
  EXPECT_EQ(wire().Exec("DELETE FROM t").summary.rows_affected(), 2);
  const Outcome empty = wire().Query("SELECT key AS k, value FROM t");
  ASSERT_EQ(empty.columns.size(), 2u);
  EXPECT_EQ(empty.columns[0].name(), "k");
  EXPECT_EQ(empty.columns[0].kind(), v1::KIND_TEXT);
  EXPECT_TRUE(empty.rows.empty());
}

TEST_P(KeyspaceSql, Conditions) {
  Fill(1000);
  EXPECT_EQ(Ask("SELECT key FROM t WHERE key = $1", {Text("k00500")}), "'k00500'");
  EXPECT_EQ(Ask("SELECT key FROM t WHERE key IN ($1, $2, 'k') ORDER BY key",
                {Text("k00002"), Text("k00001")}),
            "'k00001'; 'k00002'");
  EXPECT_EQ(Ask("SELECT count(*) FROM t WHERE key >= 'k00010' AND key < 'k00020'"), "10");
  EXPECT_EQ(Ask("SELECT count(*) FROM t WHERE key BETWEEN 'k00010' AND 'k00020'"), "11");
  EXPECT_EQ(Ask("SELECT count(*) FROM t WHERE key LIKE 'k0001%'"), "10");
  EXPECT_EQ(Ask("SELECT count(*) FROM t WHERE key <> 'k00001'"), "999");
  EXPECT_EQ(Ask("SELECT key FROM t ORDER BY key LIMIT 2 OFFSET 1"), "'k00001'; 'k00002'");
  EXPECT_EQ(Ask("SELECT min(key), max(key), count(*) FROM t"), "'k00000'|'k00999'|1000");
}

TEST_P(KeyspaceSql, ErrorsArriveHoweverLong) {
  for (const size_t times : {10u, 2'000u, 10'000u, 200'000u}) {
    const Outcome outcome = wire().Query("SELECT " + std::string(times, 'x') + " FROM t");
    EXPECT_NE(outcome.detail.reason(), v1::REASON_UNSPECIFIED)
        << times << ": " << outcome.status.error_message();
    EXPECT_NE(outcome.status.error_message().find("xxxxxxxx"), std::string::npos) << times;
  }
}

TEST_P(KeyspaceSql, Joins) {
  Do("CREATE TABLE names (key TEXT PRIMARY KEY, value TEXT)");
  Do("INSERT INTO names VALUES ('a', 'Ann'), ('b', 'Bob')");
  Do("INSERT INTO t VALUES ('1', 'a'), ('2', 'b'), ('3', 'a'), ('4', 'none')");
  EXPECT_EQ(Ask("SELECT n.value, count(*) FROM t JOIN names n ON n.key = t.value "
                "GROUP BY n.value ORDER BY n.value"),
            "'Ann'|2; 'Bob'|1");
  EXPECT_EQ(Ask("WITH used AS (SELECT value FROM t) SELECT t.key FROM t "
                "WHERE NOT EXISTS (SELECT 1 FROM names n WHERE n.key = t.value)"),
            "'4'");
  Do("INSERT INTO t SELECT key || key, value FROM t");
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "8");
}

TEST_P(KeyspaceSql, EachKindComesBackAsItWentIn) {
  int number = 0;
  for (const KindCase& kind : backend().kinds()) {
    const std::string table = fmt::format("k{}", ++number);
    Do(fmt::format("CREATE TABLE {} (key TEXT PRIMARY KEY, value {})", table, kind.column_type));
    Do(fmt::format("INSERT INTO {} VALUES ('k', $1)", table), {kind.value});
    const Outcome outcome = wire().Query(fmt::format("SELECT value FROM {}", table));
    ASSERT_TRUE(outcome.status.ok()) << kind.column_type << outcome.status.error_message();
    EXPECT_EQ(outcome.text(), kind.comes_back_as.empty() ? ToText(kind.value) : kind.comes_back_as)
        << kind.column_type;
    EXPECT_EQ(outcome.columns.at(0).native_type(), kind.column_type);
  }
}

TEST_P(KeyspaceSql, WhatCannotBeKeptIsRefused) {
  int number = 0;
  for (const RefusedValue& refused : backend().refused_values()) {
    const std::string table = fmt::format("r{}", ++number);
    Do(fmt::format("CREATE TABLE {} (key TEXT PRIMARY KEY, value {})", table, refused.column_type));
    const Outcome outcome =
        wire().Exec(fmt::format("INSERT INTO {} VALUES ('k', $1)", table), {refused.value});
    EXPECT_EQ(outcome.detail.reason(), refused.reason) << ToText(refused.value);
    EXPECT_EQ(Ask(fmt::format("SELECT count(*) FROM {}", table)), "0");
  }
}

TEST_P(KeyspaceSql, WhatIsRefused) {
  Do("INSERT INTO t VALUES ('a', '1')");
  const Outcome taken = wire().Exec("INSERT INTO t VALUES ('b', '2'), ('a', '2')");
  EXPECT_EQ(taken.status.error_code(), StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(taken.detail.reason(), v1::REASON_UNIQUE_VIOLATION);
  EXPECT_EQ(taken.detail.table(), backend().tells_places() ? "t" : "");
  ExpectRefused("INSERT INTO t VALUES (NULL, '1')", v1::REASON_NOT_NULL_VIOLATION);
  ExpectRefused("UPDATE none SET value = '1'", v1::REASON_UNDEFINED_TABLE);
  ExpectRefused("SELEC 1", v1::REASON_SYNTAX);
  ExpectRefused("DELETE FROM t; DELETE FROM t", v1::REASON_MULTIPLE_STATEMENTS);
  ExpectRefused("", v1::REASON_EMPTY_STATEMENT);
  ExpectRefused("BEGIN", v1::REASON_TRANSACTION_CONTROL);
  ExpectRefused("DELETE FROM t WHERE key = $1", v1::REASON_INVALID_PARAMETER);
  EXPECT_EQ(Ask("SELECT key, value FROM t"), "'a'|'1'");
}

TEST_P(KeyspaceSql, TablesComeAndGo) {
  Do("CREATE TABLE IF NOT EXISTS t (key TEXT PRIMARY KEY, value TEXT)");
  EXPECT_FALSE(wire().Exec("CREATE TABLE t (key TEXT PRIMARY KEY, value TEXT)").status.ok());
  Do("INSERT INTO t VALUES ('a', '1')");
  PrepareStream select(wire(), "SELECT count(*) FROM t");
  EXPECT_EQ(select.Run({}).text(), "1");
  Do("CREATE TABLE other (key TEXT PRIMARY KEY, value TEXT)");
  EXPECT_EQ(select.Run({}).text(), "1");
  Do("DROP TABLE t");
  EXPECT_EQ(select.Run({}).detail.reason(), v1::REASON_UNDEFINED_TABLE);
  ExpectRefused("DROP TABLE t", v1::REASON_UNDEFINED_TABLE);
  Do("DROP TABLE IF EXISTS t");
  Do("CREATE TABLE t (key TEXT PRIMARY KEY, value BIGINT)");
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "0");
}

TEST_P(KeyspaceSql, ManyStatementsInAStream) {
  constexpr int kMany = 2000;
  constexpr int kBad = 1500;
  for (const v1::OnError on_error : {v1::ON_ERROR_CONTINUE, v1::ON_ERROR_STOP}) {
    Do("DELETE FROM t");
    std::vector<v1::ExecRequest> requests;
    for (int i = 0; i < kMany; ++i) {
      requests.push_back(Insert(fmt::format("{:05}", i == kBad ? i - 1 : i), on_error));
    }
    grpc::Status status;
    const auto answers = wire().ExecAll(requests, &status);
    const bool stops = on_error == v1::ON_ERROR_STOP;
    EXPECT_EQ(status.error_code(), stops ? StatusCode::ALREADY_EXISTS : StatusCode::OK);
    EXPECT_EQ(answers.size(), static_cast<size_t>(stops ? kBad : kMany));
    EXPECT_EQ(Ask("SELECT count(*) FROM t"), std::to_string(stops ? kBad : kMany - 1));
  }
}

TEST_P(KeyspaceSql, RowsOfARequestAreAllOrNone) {
  v1::ExecRequest request;
  request.set_sql("INSERT INTO t VALUES ($1, $2)");
  for (const char* key : {"a", "b", "a"}) {
    auto* row = request.add_rows();
    *row->add_values() = Text(key);
    *row->add_values() = Text("x");
  }
  grpc::Status status;
  wire().ExecAll({request}, &status);
  EXPECT_EQ(DetailOf(status).reason(), v1::REASON_UNIQUE_VIOLATION) << status.error_message();
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "0");
  Fill(3);
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "3");
}

TEST_P(KeyspaceSql, PreparedStatements) {
  PrepareStream insert(wire(), "INSERT INTO t VALUES ($1, $2)");
  EXPECT_EQ(insert.prepared().parameter_count(), 2);
  EXPECT_FALSE(insert.prepared().read_only());
  for (int i = 0; i < 300; ++i) insert.Send({Text(fmt::format("{:03}", i)), Text("x")});
  for (int i = 0; i < 300; ++i) EXPECT_TRUE(insert.Receive().status.ok()) << i;
  EXPECT_EQ(insert.Run({Text("000"), Text("x")}).detail.reason(), v1::REASON_UNIQUE_VIOLATION);
  EXPECT_EQ(insert.Run({Text("300"), Text("x")}).summary.rows_affected(), 1);
  PrepareStream select(wire(), "SELECT value FROM t WHERE key = $1");
  EXPECT_TRUE(select.prepared().read_only());
  ASSERT_EQ(select.prepared().columns_size(), 1);
  EXPECT_EQ(select.prepared().columns(0).name(), "value");
  EXPECT_EQ(select.Run({Text("007")}).text(), "'x'");
  EXPECT_EQ(select.Run({Text("none")}).text(), "");
}

TEST_P(KeyspaceSql, Transactions) {
  TransactionStream kept(wire());
  kept.Begin();
  EXPECT_EQ(kept.Exec("INSERT INTO t VALUES ('a', '1'), ('b', '1')").executed().rows_affected(), 2);
  kept.Savepoint("s");
  EXPECT_EQ(kept.Exec("INSERT INTO t VALUES ('a', '2')").error().detail().reason(),
            v1::REASON_UNIQUE_VIOLATION);
  EXPECT_TRUE(kept.RollbackTo("s").has_done());
  EXPECT_EQ(kept.Exec("DELETE FROM t WHERE key = 'b'").executed().rows_affected(), 1);
  EXPECT_EQ(kept.Query("SELECT key, value FROM t").text(), "'a'|'1'");
  EXPECT_TRUE(kept.RollbackTo("s").has_done());
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "0") << "seen before the commit";
  EXPECT_TRUE(kept.Commit().has_committed());
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "2");
  TransactionStream undone(wire());
  undone.Begin();
  undone.Exec("DELETE FROM t");
  EXPECT_TRUE(undone.Rollback().has_rolled_back());
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "2");
  TransactionStream reads(wire());
  reads.Begin(true);
  EXPECT_EQ(reads.Query("SELECT count(*) FROM t").text(), "2");
  EXPECT_EQ(reads.Exec("DELETE FROM t").error().detail().reason(), v1::REASON_READ_ONLY);
}

TEST_P(KeyspaceSql, ALargeResultIsStreamedFromOneSnapshot) {
  constexpr int kRows = 3000;
  constexpr size_t kBytes = 1000;
  Fill(kRows, kBytes);
  v1::QueryRequest request;
  request.set_sql("SELECT key, value FROM t ORDER BY key");
  grpc::ClientContext context;
  auto reader = wire().stub().Query(&context, request);
  v1::QueryResponse part;
  ASSERT_TRUE(reader->Read(&part));
  Outcome outcome;
  outcome.Add(part);
  EXPECT_LT(outcome.rows.size(), static_cast<size_t>(kRows));
  EXPECT_EQ(wire().Exec("UPDATE t SET value = 'new'").summary.rows_affected(), kRows);
  while (reader->Read(&part)) outcome.Add(part);
  EXPECT_TRUE(reader->Finish().ok());
  ASSERT_EQ(outcome.rows.size(), static_cast<size_t>(kRows));
  EXPECT_GT(outcome.messages, 1);
  for (const v1::Row& row : outcome.rows) ASSERT_EQ(row.values(1).text().size(), kBytes);
  EXPECT_EQ(Ask("SELECT count(*) FROM t WHERE value = 'new'"), std::to_string(kRows));
}

TEST_P(KeyspaceSql, TimeLimits) {
  v1::QueryRequest request;
  request.set_sql(backend().endless_query());
  request.mutable_timeout()->set_nanos(100'000'000);
  EXPECT_EQ(wire().Query(request).detail.reason(), v1::REASON_REQUEST_TIMEOUT);
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "0");
}

TEST_P(KeyspaceSql, CapabilitiesAreAsPingSays) {
  grpc::ClientContext context;
  v1::PingResponse ping;
  ASSERT_TRUE(wire().stub().Ping(&context, {}, &ping).ok());
  EXPECT_FALSE(ping.dialect().empty());
  const Outcome returned = wire().Exec("INSERT INTO t VALUES ('a', '1') RETURNING key");
  EXPECT_EQ(returned.status.ok(), ping.capabilities().returning());
  if (!returned.status.ok()) {
    EXPECT_EQ(returned.status.error_code(), StatusCode::UNIMPLEMENTED);
    EXPECT_FALSE(returned.detail.hint().empty());
  }
  EXPECT_TRUE(ping.capabilities().savepoints());
}

}  // namespace
}  // namespace penstock::testing
