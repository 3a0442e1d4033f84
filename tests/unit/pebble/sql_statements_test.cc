// What statements do to keys and values.
#include <gmock/gmock.h>

#include "tests/unit/pebble/sql_fixture.h"

namespace penstock::pebble {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Map = std::map<std::string, std::string>;

class SqlStatements : public SqlTest {
 protected:
  SqlStatements() { Exec("CREATE TABLE t(key TEXT PRIMARY KEY, value TEXT)"); }
};

TEST_F(SqlStatements, InsertSelectUpdateDelete) {
  EXPECT_EQ(Exec("INSERT INTO t VALUES ('a', '1'), ('b', '2'), ('c', '3')"), 3);
  EXPECT_THAT(Query("SELECT * FROM t"),
              ElementsAre("text a|text 1", "text b|text 2", "text c|text 3"));
  EXPECT_EQ(Exec("UPDATE t SET value = value || '!' WHERE key >= 'b'"), 2);
  EXPECT_THAT(Query("SELECT value FROM t ORDER BY key DESC"),
              ElementsAre("text 3!", "text 2!", "text 1"));
  EXPECT_EQ(Exec("DELETE FROM t WHERE key = 'b'"), 1);
  EXPECT_EQ(Exec("DELETE FROM t WHERE key = 'b'"), 0);
  EXPECT_EQ(Entries("t"), (Map{{"a", "1"}, {"c", "3!"}}));
  EXPECT_EQ(Exec("DELETE FROM t"), 2);
  EXPECT_THAT(Query("SELECT * FROM t"), IsEmpty());
}

TEST_F(SqlStatements, TheDefaultKeyspaceIsThereFromTheStart) {
  EXPECT_THAT(Query("SELECT key, value FROM kv"), IsEmpty());
  EXPECT_EQ(Exec("INSERT INTO kv VALUES ($1, $2)", {Value::Blob("k"), Value::Text("v")}), 1);
  EXPECT_EQ(Entries("kv"), (Map{{"k", "v"}}));
  Put("kv", "other", "w");
  EXPECT_THAT(Query("SELECT key, value FROM kv"),
              ElementsAre("blob k|blob v", "blob other|blob w"));
}

TEST_F(SqlStatements, AKeyspaceOfTheKeyValueServiceIsATable) {
  EXPECT_EQ(Try("SELECT * FROM made")->reason(), Reason::kUndefinedTable);
  Put("made", "a", std::string("\xff\0", 2));
  EXPECT_THAT(Query("SELECT * FROM made"), ElementsAre(std::string("blob a|blob \xff\0", 14)));
}

TEST_F(SqlStatements, AnUpdateMeetsEachRowOnce) {
  for (int i = 0; i < 1000; ++i) {
    Exec("INSERT INTO t VALUES (printf('%04d', $1), '0')", {Value::Integer(i)});
  }
  EXPECT_EQ(Exec("UPDATE t SET value = value + 1"), 1000);
  EXPECT_THAT(Query("SELECT count(*), min(value), max(value) FROM t"),
              ElementsAre("integer 1000|text 1|text 1"));
  // Keys that move behind and in front of the scan.
  EXPECT_EQ(Exec("UPDATE t SET key = 'z' || key"), 1000);
  EXPECT_EQ(Exec("UPDATE t SET key = 'a' || key"), 1000);
  EXPECT_THAT(Query("SELECT count(*), min(key), max(key) FROM t"),
              ElementsAre("integer 1000|text az0000|text az0999"));
  EXPECT_EQ(Exec("INSERT INTO t SELECT key || '-', value || '-' FROM t"), 1000);
  EXPECT_EQ(Exec("INSERT OR REPLACE INTO t SELECT key, value || '+' FROM t"), 2000);
  EXPECT_THAT(Query("SELECT count(*), min(value), max(value) FROM t"),
              ElementsAre("integer 2000|text 1+|text 1-+"));
  EXPECT_EQ(Exec("DELETE FROM t WHERE key IN (SELECT key FROM t WHERE value = '1-+')"), 1000);
  EXPECT_EQ(Exec("UPDATE t SET value = (SELECT count(*) FROM t)"), 1000);
  EXPECT_THAT(Query("SELECT DISTINCT value FROM t"), ElementsAre("text 1000"));
}

TEST_F(SqlStatements, InATransactionTheSame) {
  ASSERT_TRUE(writer_->Begin({}).ok());
  EXPECT_EQ(ExecInTransaction("INSERT INTO t VALUES ('a', 'x'), ('b', 'x'), ('c', 'x')"), 3);
  EXPECT_EQ(ExecInTransaction("UPDATE t SET value = value || value"), 3);
  EXPECT_EQ(ExecInTransaction("UPDATE t SET key = key || key"), 3);
  EXPECT_EQ(ExecInTransaction("INSERT INTO t SELECT 'n' || key, value FROM t"), 3);
  EXPECT_EQ(ExecInTransaction("DELETE FROM t WHERE key LIKE 'n%' AND key <> 'naa'"), 2);
  EXPECT_THAT(
      QueryInTransaction("SELECT * FROM t"),
      ElementsAre("text aa|text xx", "text bb|text xx", "text cc|text xx", "text naa|text xx"));
  EXPECT_THAT(Query("SELECT * FROM t"), IsEmpty());
  ASSERT_TRUE(writer_->Commit().ok());
  EXPECT_EQ(Entries("t").size(), 4u);
}

TEST_F(SqlStatements, Constraints) {
  Exec("INSERT INTO t VALUES ('a', '1')");
  EXPECT_EQ(FailureOf(*Try("INSERT INTO t VALUES ('b', '2'), ('a', '2')")),
            (Failure{Reason::kUniqueViolation, "t", "key"}));
  EXPECT_EQ(FailureOf(*Try("INSERT INTO t VALUES ('b', NULL)")),
            (Failure{Reason::kNotNullViolation, "t", "value"}));
  EXPECT_EQ(FailureOf(*Try("INSERT INTO t(value) VALUES ('2')")),
            (Failure{Reason::kNotNullViolation, "t", "key"}));
  EXPECT_EQ(FailureOf(*Try("UPDATE t SET value = NULL")),
            (Failure{Reason::kNotNullViolation, "t", "value"}));
  EXPECT_EQ(Entries("t"), (Map{{"a", "1"}}));
  EXPECT_EQ(Exec("INSERT OR IGNORE INTO t VALUES ('a', '2'), ('b', '2'), ('c', NULL)"), 1);
  EXPECT_EQ(Exec("INSERT OR REPLACE INTO t VALUES ('a', '3')"), 1);
  EXPECT_EQ(Exec("REPLACE INTO t VALUES ('c', '3')"), 1);
  EXPECT_EQ(Entries("t"), (Map{{"a", "3"}, {"b", "2"}, {"c", "3"}}));
  EXPECT_EQ(FailureOf(*Try("UPDATE t SET key = 'b' WHERE key = 'a'")),
            (Failure{Reason::kUniqueViolation, "t", "key"}));
  EXPECT_EQ(Exec("UPDATE OR IGNORE t SET key = 'b'"), 1);
  EXPECT_EQ(Try("UPDATE OR REPLACE t SET key = 'b'")->reason(), Reason::kUnsupported);
  EXPECT_EQ(Entries("t"), (Map{{"a", "3"}, {"b", "2"}, {"c", "3"}}));
}

TEST_F(SqlStatements, WhatAFailingStatementHasDoneIsUndone) {
  for (const char* conflict : {"", "OR ABORT", "OR FAIL", "OR ROLLBACK"}) {
    SCOPED_TRACE(conflict);
    const std::string insert = std::string("INSERT ") + conflict + " INTO t VALUES ";
    const Calls calls = MakeCalls({"INSERT OR REPLACE INTO t VALUES ('before', '1')",
                                   insert + "('x', '1'), ('y', '1'), ('before', '2')",
                                   "INSERT OR REPLACE INTO t VALUES ('after', '1')"});
    RunTogether(writer_.get(), calls);
    EXPECT_TRUE(calls[0]->run.status.ok());
    EXPECT_EQ(calls[1]->reason(), Reason::kUniqueViolation);
    EXPECT_TRUE(calls[2]->run.status.ok());
    EXPECT_EQ(Entries("t"), (Map{{"after", "1"}, {"before", "1"}}));
    ASSERT_TRUE(writer_->Begin({}).ok());
    ExecInTransaction("UPDATE t SET value = '2'");
    EXPECT_EQ(TryInTransaction(insert + "('x', '1'), ('before', '2')")->reason(),
              Reason::kUniqueViolation);
    EXPECT_FALSE(writer_->transaction_aborted());
    ASSERT_TRUE(writer_->Commit().ok());
    EXPECT_EQ(Entries("t"), (Map{{"after", "2"}, {"before", "2"}}));
    Exec("DELETE FROM t");
  }
}

TEST_F(SqlStatements, LimitsOfKeysAndValues) {
  EXPECT_EQ(Try("INSERT INTO t VALUES ('', 'x')")->reason(), Reason::kInvalidParameter);
  const std::string longest(driver::kMaxKeyBytes, 'k');
  EXPECT_EQ(Exec("INSERT INTO t VALUES ($1, 'x')", {Value::Text(longest)}), 1);
  EXPECT_EQ(Exec("UPDATE t SET value = 'y' WHERE key = $1", {Value::Text(longest)}), 1);
  EXPECT_EQ(Try("UPDATE t SET key = key || 'k'")->reason(), Reason::kInvalidParameter);
  EXPECT_EQ(Try("INSERT INTO t VALUES ('big', zeroblob(100000000))")->reason(),
            Reason::kLimitExceeded);
  EXPECT_EQ(Entries("t").size(), 1u);
}

TEST_F(SqlStatements, RowsOfParametersAreAllOrNone) {
  Call call("INSERT INTO t VALUES ($1, $2)");
  const std::vector<std::vector<Value>> rows = {{Value::Text("a"), Value::Text("1")},
                                                {Value::Text("b"), Value::Text("2")}};
  call.run.rows = rows;
  driver::StatementRun* const run = &call.run;
  EXPECT_EQ(writer_->RunBatch({&run, 1}), 1u);
  ASSERT_TRUE(call.run.status.ok()) << call.run.status;
  EXPECT_EQ(call.run.summary.rows_affected, 2);
  const std::vector<std::vector<Value>> again = {{Value::Text("c"), Value::Text("1")},
                                                 {Value::Text("b"), Value::Text("2")}};
  call.run.rows = again;
  EXPECT_EQ(writer_->RunBatch({&run, 1}), 1u);
  EXPECT_EQ(FailureOf(call), (Failure{Reason::kUniqueViolation, "t", "key"}));
  EXPECT_NE(call.message().find("row 2"), std::string::npos) << call.message();
  EXPECT_EQ(Entries("t"), (Map{{"a", "1"}, {"b", "2"}}));
}

TEST_F(SqlStatements, JoinsAggregatesAndCommonTables) {
  Exec("CREATE TABLE orders(key TEXT, value TEXT)");
  Exec("INSERT INTO t VALUES ('ann', 'Ann'), ('bob', 'Bob'), ('cid', 'Cid')");
  Exec("INSERT INTO orders VALUES ('1', 'bob'), ('2', 'ann'), ('3', 'bob')");
  EXPECT_THAT(Query("SELECT t.value, count(*) FROM orders o JOIN t ON t.key = o.value "
                    "GROUP BY t.key ORDER BY t.key"),
              ElementsAre("text Ann|integer 1", "text Bob|integer 2"));
  EXPECT_THAT(Query("WITH known AS (SELECT DISTINCT value FROM orders) "
                    "SELECT key FROM t WHERE key NOT IN (SELECT value FROM known)"),
              ElementsAre("text cid"));
  EXPECT_THAT(Query("SELECT t.key, o.key FROM t LEFT JOIN orders o ON o.value = t.key "
                    "ORDER BY 1, 2 LIMIT 3 OFFSET 1"),
              ElementsAre("text bob|text 1", "text bob|text 3", "text cid|null"));
  EXPECT_THAT(Query("SELECT key FROM t WHERE EXISTS (SELECT 1 FROM orders WHERE value = t.key)"),
              ElementsAre("text ann", "text bob"));
}

TEST_F(SqlStatements, DescribeTellsParametersAndColumns) {
  const auto info = reader_->Describe("SELECT value, key AS k FROM t WHERE key > $1 AND value = $2",
                                      driver::Deadline::None(), nullptr);
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->parameter_count, 2);
  EXPECT_TRUE(info->read_only);
  EXPECT_THAT(*info->columns, ElementsAre(driver::Column{"value", Kind::kText, "TEXT"},
                                          driver::Column{"k", Kind::kText, "TEXT"}));
  const auto insert =
      reader_->Describe("INSERT INTO t VALUES ($1, 'x')", driver::Deadline::None(), nullptr);
  ASSERT_TRUE(insert.ok()) << insert.status();
  EXPECT_FALSE(insert->read_only);
  EXPECT_TRUE(insert->columns->empty());
}

TEST_F(SqlStatements, ADeadlineEndsWhatRuns) {
  Call call(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n");
  call.run.deadline = {.at = std::chrono::steady_clock::now() + std::chrono::milliseconds(20),
                       .reason = Reason::kRequestTimeout};
  driver::StatementRun* const run = &call.run;
  reader_->RunBatch({&run, 1});
  EXPECT_EQ(call.reason(), Reason::kRequestTimeout);
  EXPECT_THAT(Query("SELECT 1"), ElementsAre("integer 1"));
}

}  // namespace
}  // namespace penstock::pebble
