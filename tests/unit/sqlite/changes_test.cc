// What rows_affected and last_insert_id tell of a statement.
#include "tests/unit/sqlite/fixture.h"

namespace penstock::sqlite {
namespace {

class ChangesTest : public SqliteTest {
 protected:
  // "rows_affected", and the row's id behind it if there is one.
  static std::string Of(const Call& call) {
    EXPECT_TRUE(call.run.status.ok()) << call.sql << " " << call.run.status;
    const driver::Summary& summary = call.run.summary;
    return std::to_string(summary.rows_affected) +
           (summary.last_insert_id.has_value() ? " id " + std::to_string(*summary.last_insert_id)
                                               : "");
  }
  std::string Of(const std::string& sql) { return Of(*Try(sql)); }
};

// What SQLite itself writes to make or to drop something is not the caller's rows.
TEST_F(ChangesTest, DefinitionsAffectNoRows) {
  Exec("CREATE TABLE t(a, b)");
  Exec("INSERT INTO t VALUES (1, 2), (3, 4), (5, 6)");
  for (const char* sql : {
           "CREATE VIRTUAL TABLE f USING fts5(body)",
           "CREATE VIRTUAL TABLE f4 USING fts4(body)",
           "CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1)",
           "ALTER TABLE f RENAME TO g",
           "DROP TABLE g",
           "DROP TABLE f4",
           "DROP TABLE boxes",
           "/* x */ CREATE TABLE u AS SELECT * FROM t",
           "CREATE TABLE v(a)",
           "CREATE INDEX i ON t(a)",
           "CREATE VIEW w AS SELECT 1",
           "CREATE TRIGGER r AFTER INSERT ON v BEGIN DELETE FROM u; END",
           "ALTER TABLE t ADD COLUMN c DEFAULT 7",
           "ALTER TABLE t DROP COLUMN b",
           "ALTER TABLE t RENAME COLUMN c TO d",
           "ALTER TABLE t RENAME TO t2",
           "ANALYZE",
           "REINDEX",
           "VACUUM",
           "PRAGMA optimize",
           "DROP INDEX i",
           "DROP VIEW w",
           "DROP TABLE t2",
           "CREATE TEMP TABLE x AS SELECT 1",
       }) {
    EXPECT_EQ(Of(sql), "0") << sql;
  }
}

TEST_F(ChangesTest, RowsThatAStatementWrites) {
  Exec("CREATE TABLE t(id INTEGER PRIMARY KEY, a)");
  Exec("CREATE VIRTUAL TABLE f USING fts5(body)");
  EXPECT_EQ(Of("INSERT INTO t(a) VALUES (1), (2)"), "2 id 2");
  EXPECT_EQ(Of("-- first\n WITH c(v) AS (VALUES (3), (4)) INSERT INTO t(a) SELECT v FROM c"),
            "2 id 4");
  EXPECT_EQ(Of("REPLACE INTO t VALUES (4, 5)"), "1 id 4");
  EXPECT_EQ(Of("INSERT INTO f VALUES ('one'), ('two')"), "2 id 2");
  EXPECT_EQ(Of("INSERT INTO t(id) VALUES (4) ON CONFLICT DO NOTHING"), "0");
  EXPECT_EQ(Of("UPDATE t SET a = 0 WHERE id > 100"), "0");
  EXPECT_EQ(Of("SELECT * FROM t"), "0");
  EXPECT_EQ(Try("UPDATE t SET a = 0")->run.summary.rows_affected, 4);
  EXPECT_EQ(Try("WITH c(v) AS (VALUES (1)) DELETE FROM t WHERE id IN c")->run.summary.rows_affected,
            1);
}

TEST_F(ChangesTest, ATransactionsOwnCountersAreRight) {
  Exec("CREATE TABLE t(id INTEGER PRIMARY KEY, a)");
  Exec("INSERT INTO t(a) VALUES (1), (2)");
  ASSERT_TRUE(writer_->Begin({}).ok());
  EXPECT_EQ(Of(*TryInTransaction("INSERT INTO t(id) VALUES (40), (41), (42)")), "3 id 42");
  EXPECT_EQ(TryInTransaction("SELECT changes()")->row(), "integer 3");
  EXPECT_EQ(TryInTransaction("UPDATE t SET a = 1 WHERE id > 41")->run.summary.rows_affected, 1);
  EXPECT_EQ(TryInTransaction("SELECT changes()")->row(), "integer 1");
  ASSERT_TRUE(writer_->Rollback().ok());
}

}  // namespace
}  // namespace penstock::sqlite
