// What is bound is stored exactly or refused, whatever the column's affinity makes of it.
#include "drivers/sqlite_engine/exact.h"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <random>
#include <regex>

#include "fmt/format.h"
#include "tests/unit/sqlite/fixture.h"

namespace penstock::sqlite {
namespace {

using namespace std::string_literals;
using sqlite_engine::kAnywhere;
using sqlite_engine::kAsNumber;
using sqlite_engine::kAsReal;
using sqlite_engine::kAsText;
using sqlite_engine::kNowhere;
using sqlite_engine::kVerbatim;
using sqlite_engine::Stores;
using sqlite_engine::ToBind;

Value Decimal(std::string_view text) { return Value::Of(Kind::kDecimal, text); }
Value Json(std::string_view text) { return Value::Of(Kind::kJson, text); }

// What is bound, as text; "refused".
std::string Bound(const Value& value, Stores stores) {
  const std::optional<Value> bound = ToBind(value, stores);
  if (!bound.has_value()) return "refused";
  switch (bound->kind) {
    case Kind::kInteger: return fmt::format("integer {}", bound->integer);
    case Kind::kReal: return fmt::format("real {}", bound->real);
    default: return fmt::format("{} {}", driver::KindName(bound->kind), bound->text);
  }
}

TEST(ToBind, Integers) {
  constexpr int64_t kOdd = 9007199254740993;
  EXPECT_EQ(Bound(Value::Integer(kOdd), kAsReal), "refused");
  EXPECT_EQ(Bound(Value::Integer(-kOdd), kAsReal | kAsNumber), "refused");
  EXPECT_EQ(Bound(Value::Integer(std::numeric_limits<int64_t>::max()), kAsReal), "refused");
  for (const int64_t value :
       {int64_t{0}, kOdd - 1, kOdd + 1, int64_t{1} << 62, std::numeric_limits<int64_t>::min()}) {
    EXPECT_EQ(Bound(Value::Integer(value), kAnywhere), fmt::format("integer {}", value));
  }
  EXPECT_EQ(Bound(Value::Integer(kOdd), kAsNumber | kAsText | kVerbatim),
            "integer 9007199254740993");
}

TEST(ToBind, Reals) {
  EXPECT_EQ(Bound(Value::Real(0.1), kAsText), "real 0.1");
  EXPECT_EQ(Bound(Value::Real(0.1 + 0.2), kAsText), "refused");
  EXPECT_EQ(Bound(Value::Real(0.1 + 0.2), kAsReal | kAsNumber | kVerbatim),
            "real 0.30000000000000004");
  EXPECT_EQ(Bound(Value::Real(std::numeric_limits<double>::infinity()), kAsText), "refused");
  EXPECT_EQ(Bound(Value::Real(std::numeric_limits<double>::infinity()), kAsReal), "real inf");
}

TEST(ToBind, TextsThatLookLikeNumbers) {
  for (const char* text :
       {"00123", "1e3", " 12 ", "+5", "-0", "1.50", "12.", ".5", "-.5", "1E0", "\n7", "1.0",
        "123456789012345678901234567890", "0.1234567890123456", "1e999"}) {
    EXPECT_EQ(Bound(Value::Text(text), kAsNumber), "refused") << text;
    EXPECT_EQ(Bound(Value::Text(text), kAsText | kVerbatim), "text "s + text);
    EXPECT_EQ(Bound(Value::Text(text), kNowhere), "text "s + text);
  }
  for (const char* text : {"", "-", ".", "e5", "12a", "1 2", "0x10", "1e", "inf", "nan", "1_000",
                           "--1", "2024-02-29", "12:30:00", "12\0"}) {
    EXPECT_EQ(Bound(Value::Text(text), kAnywhere), "text "s + text);
  }
  EXPECT_EQ(Bound(Value::Text("12\0"s), kAnywhere), "text 12\0"s);
  for (const char* text : {"0", "12", "-12", "9223372036854775807", "1.5", "-0.125", "860.1"}) {
    EXPECT_EQ(Bound(Value::Text(text), kAsNumber), "text "s + text);
  }
  EXPECT_EQ(Bound(Value::Text("12.0"), kAsReal), "text 12.0");
  EXPECT_EQ(Bound(Value::Text("-0.0"), kAsReal), "refused");
  EXPECT_EQ(Bound(Value::Text("9007199254740993"), kAsReal), "refused");
  // SQLite would make 860.1007970000001 of this text.
  EXPECT_EQ(Bound(Value::Text("860.100797"), kAsReal), "real 860.100797");
  EXPECT_EQ(Bound(Value::Text("860.100797"), kAsReal | kVerbatim), "refused");
}

TEST(ToBind, DecimalsAndNumbersInJson) {
  EXPECT_EQ(Bound(Decimal("1.50"), kAsNumber), "real 1.5");
  EXPECT_EQ(Bound(Decimal("007"), kAsNumber), "integer 7");
  EXPECT_EQ(Bound(Decimal("1.50"), kAsText), "decimal 1.50");
  EXPECT_EQ(Bound(Decimal("1.50"), kAsText | kAsNumber), "decimal 1.50");
  EXPECT_EQ(Bound(Decimal("860.100797"), kAsText | kAsNumber), "refused");
  EXPECT_EQ(Bound(Decimal("860.100797"), kNowhere), "real 860.100797");
  const std::string long_one = "1234567890.1234567890123456789012345678901234567890";
  EXPECT_EQ(Bound(Decimal(long_one), kAsNumber), "refused");
  EXPECT_EQ(Bound(Decimal(long_one), kAsText), "decimal " + long_one);
  EXPECT_EQ(Bound(Decimal(long_one), kNowhere), "decimal " + long_one);
  EXPECT_EQ(Bound(Decimal("9223372036854775807"), kAsNumber), "integer 9223372036854775807");
  EXPECT_EQ(Bound(Decimal("9223372036854775807"), kAsReal), "refused");
  EXPECT_EQ(Bound(Decimal("twelve"), kAsNumber), "decimal twelve");  // Bind refuses it
  EXPECT_EQ(Bound(Json(" 1.50 "), kAsNumber), "real 1.5");
  EXPECT_EQ(Bound(Json(" 1.50 "), kAsText), "json  1.50 ");
  EXPECT_EQ(Bound(Json("[1.50]"), kAsNumber), "json [1.50]");
  EXPECT_EQ(Bound(Json("+1"), kAsNumber), "json +1");  // Bind refuses it
  EXPECT_EQ(Bound(Json("12345678901234567890123"), kAsNumber), "refused");
}

class ExactTest : public SqliteTest {
 protected:
  ExactTest() {
    Exec("CREATE TABLE t(id INTEGER PRIMARY KEY, r REAL, n NUMERIC, i INT, x TEXT, b BLOB, a)");
  }

  void ExpectRefused(const std::string& sql, const std::vector<Value>& args,
                     const std::string& parameter, const std::string& column) {
    const auto call = Try(sql, args);
    EXPECT_EQ(call->reason(), Reason::kDataException) << sql << " " << call->run.status;
    EXPECT_TRUE(call->message().starts_with(parameter + ":")) << sql << " " << call->message();
    EXPECT_NE(call->message().find("'" + column + "'"), std::string::npos)
        << sql << " " << call->message();
    EXPECT_FALSE(driver::GetErrorInfo(call->run.status).hint.empty());
  }

  // Runs it, and gives the first row of `query`.
  std::string After(const std::string& sql, const std::vector<Value>& args,
                    const std::string& query) {
    Exec(sql, args);
    return Read(query);
  }
};

const Value kCode = Value::Text("00123");
const Value kOdd = Value::Integer(9007199254740993);

TEST_F(ExactTest, EachColumnDecidesForItself) {
  EXPECT_EQ(After("INSERT INTO t(id, x, b, a) VALUES (1, $1, $1, $1)", {kCode},
                  "SELECT x, +b, +a FROM t WHERE id = 1"),
            "text 00123|text 00123|text 00123");
  EXPECT_EQ(After("INSERT INTO t(id, n, i, x, a) VALUES (2, $1, $1, $1, $1)", {kOdd},
                  "SELECT +n, +i, +x, +a FROM t WHERE id = 2"),
            "integer 9007199254740993|integer 9007199254740993|text 9007199254740993|integer "
            "9007199254740993");
  ExpectRefused("INSERT INTO t(x, n) VALUES ($1, $2)", {kCode, kCode}, "parameter 2", "t.n");
  ExpectRefused("INSERT INTO t(n, x) VALUES ($2, $1)", {kCode, kCode}, "parameter 2", "t.n");
  ExpectRefused("INSERT INTO t(i) VALUES ($1)", {Value::Text("1e3")}, "parameter 1", "t.i");
  ExpectRefused("INSERT INTO t(r) VALUES ($1)", {kOdd}, "parameter 1", "t.r");
  ExpectRefused("INSERT INTO t(r) VALUES ($1)", {Value::Text(" 12 ")}, "parameter 1", "t.r");
  ExpectRefused("INSERT INTO t(x) VALUES ($1)", {Value::Real(0.1 + 0.2)}, "parameter 1", "t.x");
  ExpectRefused("INSERT INTO t(id) VALUES ($1)", {kCode}, "parameter 1", "t.rowid");
  ExpectRefused("INSERT INTO t(a, n) VALUES ($1, $1)", {kCode}, "parameter 1", "t.n");
}

TEST_F(ExactTest, EveryWayIntoAColumn) {
  Exec("INSERT INTO t(id, x) VALUES (1, 'one')");
  Exec("CREATE INDEX by_x ON t(x, n)");
  for (const char* sql : {
           "INSERT INTO t(n) VALUES (1), ($1), (3)",
           "INSERT INTO t(n) SELECT $1",
           "INSERT INTO t(n) SELECT $1 FROM t",
           "INSERT INTO t(n) SELECT $1 UNION ALL SELECT 2",
           "INSERT INTO t(n) SELECT $1 UNION SELECT 2",
           "INSERT INTO t(n) SELECT DISTINCT $1 FROM t ORDER BY 1 LIMIT 1",
           "INSERT INTO t(n) SELECT * FROM (VALUES ($1), (2)) ORDER BY 1",
           "INSERT INTO t(n) VALUES ((SELECT $1))",
           "INSERT INTO t(n) VALUES (coalesce(NULL, $1))",
           "INSERT INTO t(n) VALUES (CASE WHEN 1 THEN $1 ELSE 2 END)",
           "INSERT INTO t(n) VALUES (iif(1, $1, 2))",
           "WITH c(v) AS (SELECT $1) INSERT INTO t(n) SELECT v FROM c",
           "WITH c(v) AS MATERIALIZED (SELECT $1) INSERT INTO t(n) SELECT p.v FROM c p, c q",
           "WITH RECURSIVE c(i, v) AS (SELECT 1, $1 UNION ALL SELECT i + 1, v FROM c WHERE i < 3) "
           "INSERT INTO t(n) SELECT v FROM c",
           "REPLACE INTO t(id, n) VALUES (1, $1)",
           "INSERT OR IGNORE INTO t(n) VALUES ($1)",
           "INSERT INTO t(id, n) VALUES (1, $1) ON CONFLICT(id) DO UPDATE SET x = 'x'",
           "INSERT INTO t(id) VALUES (1) ON CONFLICT(id) DO UPDATE SET n = $1",
           "INSERT INTO t(n) VALUES ($1) RETURNING n",
           "UPDATE t SET n = $1",
           "UPDATE t SET n = $1 WHERE id = 1",
           "UPDATE t SET (x, n) = ('y', $1)",
           "UPDATE t SET n = $1 FROM (SELECT 1 AS k) s WHERE s.k = t.id",
           "UPDATE t SET n = s.v FROM (SELECT $1 AS v) s",
           "UPDATE t SET (x, n) = (SELECT 'y', $1)",
           "UPDATE OR REPLACE t SET n = $1 WHERE x = 'one'",
       }) {
    ExpectRefused(sql, {kCode}, "parameter 1", "t.n");
    EXPECT_TRUE(Try(sql, {Value::Text("123")})->run.status.ok()) << sql;
    // The same with the column that keeps it.
    std::string other = std::regex_replace(sql, std::regex("\\bn\\b"), "b");
    EXPECT_TRUE(Try(other, {kCode})->run.status.ok()) << other;
  }
  EXPECT_EQ(Read("SELECT count(*) FROM t WHERE typeof(n) <> 'integer' AND n NOT NULL"),
            "integer 0");
  EXPECT_NE(Read("SELECT count(*) FROM t WHERE b = '00123'"), "integer 0");
}

TEST_F(ExactTest, OtherTables) {
  Exec("CREATE TABLE w(k TEXT, n NUMERIC, r REAL, a, PRIMARY KEY(r, k)) WITHOUT ROWID");
  ExpectRefused("INSERT INTO w VALUES ($1, $1, 1, 1)", {kCode}, "parameter 1", "w.n");
  ExpectRefused("INSERT INTO w VALUES ('k', 1, $1, $2)", {kOdd, kCode}, "parameter 1", "w.r");
  EXPECT_EQ(After("INSERT INTO w VALUES ($1, 1, 1, $1)", {kCode}, "SELECT +k, +a FROM w"),
            "text 00123|text 00123");
  ExpectRefused("UPDATE w SET r = $1", {kOdd}, "parameter 1", "w.r");

  Exec("CREATE TABLE s(i INTEGER, r REAL, x TEXT, a ANY, b BLOB) STRICT");
  ExpectRefused("INSERT INTO s(i) VALUES ($1)", {kCode}, "parameter 1", "s.i");
  ExpectRefused("INSERT INTO s(r) VALUES ($1)", {kOdd}, "parameter 1", "s.r");
  ExpectRefused("INSERT INTO s(x) VALUES ($1)", {Value::Real(0.1 + 0.2)}, "parameter 1", "s.x");
  EXPECT_EQ(After("INSERT INTO s(i, x, a) VALUES ($2, $1, $1)", {kCode, kOdd},
                  "SELECT +i, +x, +a FROM s"),
            "integer 9007199254740993|text 00123|text 00123");

  Exec(
      "CREATE TABLE g(v AS (n || '!'), n NUMERIC, w AS (n || '?') STORED, x TEXT, \"o d\"\"d\" "
      "INT)");
  ExpectRefused("INSERT INTO g(x, n) VALUES ($1, $1)", {kCode}, "parameter 1", "g.n");
  ExpectRefused("INSERT INTO g(x, \"o d\"\"d\") VALUES ($1, $1)", {kCode}, "parameter 1",
                "g.o d\"d");
  EXPECT_EQ(After("INSERT INTO g(x) VALUES ($1)", {kCode}, "SELECT x FROM g"), "text 00123");

  Exec("CREATE TABLE auto(id INTEGER PRIMARY KEY AUTOINCREMENT, x TEXT, n NUMERIC)");
  EXPECT_EQ(After("INSERT INTO auto(x, n) SELECT $1, 5 WHERE 5 NOT IN ($2, $3)",
                  {kCode, kCode, kCode}, "SELECT x, +n FROM auto"),
            "text 00123|integer 5");

  Exec("CREATE TABLE copy AS SELECT 1 AS one, CAST(1 AS REAL) AS r WHERE 0");
  ExpectRefused("INSERT INTO copy VALUES ($2, $1)", {kOdd, kCode}, "parameter 1", "copy.r");
  EXPECT_EQ(After("CREATE TABLE made AS SELECT $1 AS v", {kCode}, "SELECT v FROM made"),
            "text 00123");
  Exec("CREATE VIRTUAL TABLE f USING fts5(body)");
  EXPECT_EQ(After("INSERT INTO f VALUES ($1)", {kCode}, "SELECT body FROM f"), "text 00123");
}

TEST_F(ExactTest, ViewsAndTriggers) {
  Exec("CREATE VIEW v AS SELECT n, x, r FROM t");
  Exec(
      "CREATE TRIGGER vi INSTEAD OF INSERT ON v BEGIN "
      "INSERT INTO t(n, x, r) VALUES (new.n, new.x, new.r); END");
  Exec("CREATE TABLE log(was TEXT, number NUMERIC)");
  Exec(
      "CREATE TRIGGER ta AFTER INSERT ON t BEGIN "
      "INSERT INTO log VALUES (new.r, new.x), (new.a, new.a); END");
  ExpectRefused("INSERT INTO v(n) VALUES ($1)", {kCode}, "parameter 1", "t.n");
  ExpectRefused("INSERT INTO v(r) VALUES ($1)", {kOdd}, "parameter 1", "t.r");
  EXPECT_EQ(After("INSERT INTO v(x) VALUES ($1)", {kCode}, "SELECT x FROM t"), "text 00123");
  // What a trigger makes of the stored row is the schema's own.
  EXPECT_EQ(After("INSERT INTO t(id, r, a) VALUES (7, $1, $2)", {Value::Real(0.1 + 0.2), kCode},
                  "SELECT r, a FROM t WHERE id = 7"),
            "real 0.30000000000000004|text 00123");
  EXPECT_EQ(Read("SELECT was FROM log ORDER BY rowid LIMIT 1 OFFSET 2"), "text 0.3");
}

TEST_F(ExactTest, ExpressionsAndComparisonsAreSqlites) {
  Exec("INSERT INTO t(id, n, r, x) VALUES (1, 123, 9007199254740992, '00123')");
  EXPECT_EQ(Read("SELECT count(*) FROM t WHERE n = $1 AND x = $1", {kCode}), "integer 1");
  EXPECT_EQ(Read("SELECT count(*) FROM t WHERE r = $1", {kOdd}), "integer 0");
  Exec("UPDATE t SET i = $1 + 1 WHERE n = $1 AND x IN ($1, $2)", {kCode, kCode});
  EXPECT_EQ(Read("SELECT i FROM t"), "integer 124");
  Exec("UPDATE t SET n = CAST($1 AS NUMERIC), i = CAST($1 AS INT)", {kCode});
  EXPECT_EQ(Read("SELECT +n, i FROM t"), "integer 123|integer 123");
  Exec("DELETE FROM t WHERE n = $1", {kCode});
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 0");
  EXPECT_EQ(Read("SELECT $1, $2", {kCode, Value::Real(0.1 + 0.2)}),
            "text 00123|real 0.30000000000000004");
}

TEST_F(ExactTest, DecimalsKeepTheirValueAndInTextTheirForm) {
  // SQLite itself reads the first as 860.1007970000001.
  for (const char* text : {"860.100797", "2987711.90674536", "82443.038364", "0.1", "1234.56"}) {
    EXPECT_EQ(After("INSERT OR REPLACE INTO t(id, n, r) VALUES (1, $1, $1)", {Decimal(text)},
                    "SELECT +n, +r FROM t"),
              fmt::format("real {0}|real {0}", text));
    EXPECT_EQ(
        Read("SELECT count(*) FROM t WHERE n = $1 AND r = $1 AND n + 0 = $1", {Decimal(text)}),
        "integer 1")
        << text;
  }
  const std::string digits = "1234567890.1234567890123456789012345678901234567890";
  EXPECT_EQ(After("UPDATE t SET x = $1, a = $2", {Decimal(digits), Decimal("1.50")},
                  "SELECT x, a FROM t"),
            "text " + digits + "|text 1.50");
  ExpectRefused("UPDATE t SET n = $1", {Decimal(digits)}, "parameter 1", "t.n");
  ExpectRefused("UPDATE t SET i = $1", {Json("1234567890.1234567890")}, "parameter 1", "t.i");
}

TEST_F(ExactTest, TheSchemaOfTheMomentDecides) {
  const std::string sql = "INSERT INTO u VALUES ($1)";
  Exec("CREATE TABLE u(v NUMERIC)");
  ExpectRefused(sql, {kCode}, "parameter 1", "u.v");
  Exec("DROP TABLE u");
  Exec("CREATE TABLE u(v TEXT)");
  EXPECT_EQ(After(sql, {kCode}, "SELECT v FROM u"), "text 00123");
  Exec("DROP TABLE u");
  Exec("CREATE TABLE u(v REAL)");
  ExpectRefused(sql, {kCode}, "parameter 1", "u.v");
  // Somebody else's change.
  const auto other = Connect(Lane::kWrite);
  for (const char* change : {"DROP TABLE u", "CREATE TABLE u(v TEXT)"}) {
    Call call(change);
    driver::StatementRun* const run = &call.run;
    other->RunBatch({&run, 1});
    ASSERT_TRUE(run->status.ok()) << run->status;
  }
  EXPECT_EQ(After(sql, {kCode}, "SELECT v FROM u"), "text 00123");
  // One that is taken back, and another in its place.
  ASSERT_TRUE(writer_->Begin({}).ok());
  ASSERT_TRUE(writer_->Savepoint("a").ok());
  EXPECT_TRUE(TryInTransaction("DROP TABLE u")->run.status.ok());
  EXPECT_TRUE(TryInTransaction("CREATE TABLE u(v NUMERIC)")->run.status.ok());
  EXPECT_EQ(TryInTransaction(sql, {kCode})->reason(), Reason::kDataException);
  ASSERT_TRUE(writer_->RollbackTo("a").ok());
  EXPECT_TRUE(TryInTransaction("DROP TABLE u")->run.status.ok());
  EXPECT_TRUE(TryInTransaction("CREATE TABLE u(v BLOB)")->run.status.ok());
  EXPECT_TRUE(TryInTransaction(sql, {kCode})->run.status.ok());
  ASSERT_TRUE(writer_->Rollback().ok());
}

TEST_F(ExactTest, RowsOfOneStatement) {
  Call call("INSERT INTO t(n, x) VALUES ($1, $2)");
  const std::vector<std::vector<Value>> rows = {{Decimal("1.5"), kCode}, {kCode, kCode}};
  call.run.rows = rows;
  driver::StatementRun* const run = &call.run;
  writer_->RunBatch({&run, 1});
  EXPECT_EQ(call.reason(), Reason::kDataException);
  EXPECT_TRUE(call.message().starts_with("row 2: parameter 1: column 't.n'")) << call.message();
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 0");
}

}  // namespace
}  // namespace penstock::sqlite
