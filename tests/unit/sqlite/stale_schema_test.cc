// What was changed in the schema is seen by whoever asks afterwards.
#include "tests/unit/sqlite/fixture.h"

namespace penstock::sqlite {
namespace {

class StaleSchemaTest : public SqliteTest {
 protected:
  // On the reader: the error, or that the statement writes, or its row.
  std::string OnReader(const std::string& sql) {
    Call call(sql);
    driver::StatementRun* run = &call.run;
    reader_->RunBatch({&run, 1});
    if (!call.run.status.ok()) return std::string(call.run.status.message());
    return call.run.wrong_lane ? "writes" : call.row();
  }

  std::string Columns(const std::string& sql) {
    const auto info = reader_->Describe(sql, driver::Deadline::None(), nullptr);
    if (!info.ok()) return std::string(info.status().message());
    std::string names;
    for (const driver::Column& column : *info->columns) names += column.name + " ";
    return names;
  }
};

TEST_F(StaleSchemaTest, AReaderPreparesAgainstTheSchemaOfNow) {
  Exec("CREATE TABLE t(a, b)");
  EXPECT_EQ(OnReader("SELECT count(*) FROM t"), "integer 0");
  Exec("ALTER TABLE t ADD COLUMN c");
  EXPECT_EQ(OnReader("INSERT INTO t VALUES (1, 2, 3) RETURNING *"), "writes");
  Exec("ALTER TABLE t DROP COLUMN b");
  EXPECT_EQ(OnReader("INSERT INTO t VALUES (1, 3) RETURNING c"), "writes");
  Exec("ALTER TABLE t RENAME COLUMN c TO d");
  EXPECT_EQ(OnReader("UPDATE t SET d = 1 RETURNING d"), "writes");
  Exec("CREATE VIEW v AS SELECT 1 AS x, 2 AS y");
  EXPECT_EQ(OnReader("INSERT INTO t SELECT * FROM v RETURNING a"), "writes");
  EXPECT_EQ(OnReader("SELECT (SELECT x FROM v) UNION SELECT 2"), "integer 1");
  Exec("DROP VIEW v");
  Exec("CREATE VIEW v AS SELECT 1 AS x");
  EXPECT_EQ(OnReader("SELECT * FROM v UNION SELECT 2"), "integer 1");
  Exec("CREATE UNIQUE INDEX i ON t(a)");
  EXPECT_EQ(OnReader("INSERT INTO t VALUES (1, 2) ON CONFLICT(a) DO NOTHING RETURNING a"),
            "writes");
  Exec("CREATE TABLE g(a, b AS (a + 1))");
  EXPECT_EQ(OnReader("INSERT INTO g VALUES (1) RETURNING b"), "writes");
  EXPECT_EQ(OnReader("SELECT * FROM t INDEXED BY i WHERE a = 1"), "");
  Exec("DROP TABLE t");
  EXPECT_EQ(OnReader("SELECT * FROM t"), "no such table: t");
}

TEST_F(StaleSchemaTest, WhatIsWrongIsToldByTheSchemaOfNow) {
  Exec("CREATE TABLE t(a)");
  EXPECT_EQ(OnReader("SELECT count(*) FROM t"), "integer 0");
  Exec("ALTER TABLE t ADD COLUMN b");
  EXPECT_EQ(OnReader("INSERT INTO t VALUES (1, 2, 3) RETURNING a"),
            "table t has 2 columns but 3 values were supplied");
}

TEST_F(StaleSchemaTest, PrepareDescribesTheTableOfNow) {
  Exec("CREATE TABLE t(a, b)");
  EXPECT_EQ(Columns("SELECT * FROM t"), "a b ");
  Exec("ALTER TABLE t ADD COLUMN c");
  EXPECT_EQ(Columns("SELECT * FROM t"), "a b c ");
  Exec("DROP TABLE t");
  EXPECT_EQ(Columns("SELECT * FROM t"), "no such table: t");
  Exec("CREATE TABLE t(z)");
  EXPECT_EQ(Columns("SELECT * FROM t"), "z ");
  EXPECT_EQ(Columns("INSERT INTO t VALUES (1) RETURNING z"), "z ");
}

TEST_F(StaleSchemaTest, ASnapshotKeepsItsSchema) {
  Exec("CREATE TABLE t(a)");
  ASSERT_TRUE(reader_->Begin({.read_only = true}).ok());
  Exec("ALTER TABLE t ADD COLUMN b");
  Call call("SELECT * FROM t");
  reader_->Run(call.run);
  EXPECT_TRUE(call.run.status.ok()) << call.run.status;
  EXPECT_EQ(call.output.columns->size(), 1U);
  ASSERT_TRUE(reader_->Rollback().ok());
  EXPECT_EQ(Columns("SELECT * FROM t"), "a b ");
}

}  // namespace
}  // namespace penstock::sqlite
