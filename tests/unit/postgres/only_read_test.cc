// What a caller may do who may only read. Nothing of it lasts, which each test proves by looking
// at the database afterwards, over a connection of its own.
#include <string>
#include <vector>

#include "tests/unit/postgres/only_read_fixture.h"

namespace penstock::postgres {
namespace {

// What the server refuses in a read-only transaction, and what the driver refuses before.
constexpr const char* kRefused[] = {
    "INSERT INTO marks VALUES (9)",
    "UPDATE marks SET i = 9",
    "DELETE FROM marks",
    "MERGE INTO marks m USING (VALUES (9)) v(i) ON m.i = v.i WHEN NOT MATCHED THEN INSERT VALUES "
    "(v.i)",
    "WITH w AS (INSERT INTO marks VALUES (9) RETURNING i) SELECT * FROM w",
    "WITH w AS (DELETE FROM marks RETURNING i) SELECT * FROM w",
    "SELECT * INTO made FROM marks",
    "CREATE TABLE made AS SELECT * FROM marks",
    "CREATE TABLE made (i bigint)",
    "CREATE TEMP TABLE made (i bigint)",
    "CREATE FUNCTION made() RETURNS bigint LANGUAGE sql AS 'SELECT 1'",
    "DROP TABLE marks",
    "ALTER TABLE marks ADD COLUMN made bigint",
    "TRUNCATE marks",
    "COMMENT ON TABLE marks IS 'made'",
    "GRANT SELECT ON marks TO PUBLIC",
    "VACUUM marks",
    "ANALYZE marks",
    "CHECKPOINT",
    "REFRESH MATERIALIZED VIEW kept",
    // Functions and views that write.
    "SELECT mark(9)",
    "SELECT * FROM marking",
    "SELECT nextval('numbers')",
    "SELECT setval('numbers', 9)",
    "SELECT lo_create(0)",
    "SELECT lo_from_bytea(0, 'made')",
    "SELECT lo_export(1, '/tmp/penstock_only_read_made')",
    // Code, which could commit and go on as it likes.
    "DO $$BEGIN COMMIT; INSERT INTO marks VALUES (9); END$$",
    "DO $$BEGIN PERFORM mark(9); END$$",
    "CALL commits()",
    // Files and programs.
    "COPY marks TO '/tmp/penstock_only_read_made'",
    "COPY marks TO PROGRAM 'cat > /tmp/penstock_only_read_made'",
    "COPY marks FROM PROGRAM 'echo 9'",
    // What other sessions would see.
    "NOTIFY made",
    "SELECT pg_notify('made', '')",
    "SELECT pg_reload_conf()",
    "SELECT pg_terminate_backend(0)",
    "SELECT pg_advisory_lock(9)",
    "LOCK TABLE marks",
    "SELECT * FROM marks FOR UPDATE",
    "SELECT * FROM marks FOR SHARE",
    // The session, and what would make it one that writes.
    "SET statement_timeout = 9",
    "SET LOCAL statement_timeout = 9",
    "RESET ALL",
    "SET transaction_read_only = off",
    "SET TRANSACTION READ WRITE",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
    "SELECT set_config('transaction_read_only', 'off', false)",
    "SELECT set_config('transaction_read_only', NULL, false), mark(9)",
    "SELECT query_to_xml('SELECT lo_create(0)', true, true, '')",
    "PREPARE made AS SELECT 1",
    "DISCARD ALL",
    "SELECT 1 FROM marks, pg_catalog.set_config('x.y', 'z', false)",
    "EXPLAIN INSERT INTO marks VALUES (9)",
    "EXPLAIN ANALYZE INSERT INTO marks VALUES (9)",
    "EXPLAIN ANALYZE SELECT mark(9)",
    "EXPLAIN ANALYZE CREATE TABLE made AS SELECT 1",
};

constexpr const char* kAllowed[] = {
    "SELECT * FROM marks",
    "WITH w AS (SELECT * FROM marks) SELECT * FROM w",
    "VALUES (1)",
    "TABLE marks",
    "SHOW server_version",
    "EXPLAIN SELECT * FROM marks",
    "EXPLAIN ANALYZE SELECT * FROM marks",
    "SELECT count(*) FROM pg_locks",
    "SELECT pg_is_in_recovery()",
    "SELECT random() < 2, now() IS NULL, pg_sleep(0)::text",
    "SELECT only_reads()",
};

TEST_F(OnlyReadTest, WhatWritesIsRefused) {
  for (const char* sql : kRefused) {
    const auto call = TryAsReader(sql);
    EXPECT_EQ(call->reason(), Reason::kNotAllowed) << sql << ": " << call->run.status;
    EXPECT_NE(call->message().find("the caller may only read"), std::string::npos) << sql;
    ExpectUnchanged(sql);
  }
}

TEST_F(OnlyReadTest, WhatReadsIsServed) {
  for (const char* sql : kAllowed) {
    for (int i = 0; i < 2; ++i) {
      const auto call = TryAsReader(sql);
      EXPECT_TRUE(call->run.status.ok()) << sql << ": " << call->run.status;
      EXPECT_FALSE(call->output.rows.empty()) << sql;
    }
  }
  ExpectUnchanged("all of them");
}

TEST_F(OnlyReadTest, WhatNobodyMayIsRefusedAsBefore) {
  EXPECT_EQ(TryAsReader("BEGIN")->reason(), Reason::kTransactionControl);
  EXPECT_EQ(TryAsReader("LISTEN made")->reason(), Reason::kUnsupported);
  EXPECT_EQ(TryAsReader("COPY marks TO STDOUT")->reason(), Reason::kUnsupported);
  EXPECT_EQ(TryAsReader("SELECT 1; DROP TABLE marks")->reason(), Reason::kMultipleStatements);
  ExpectUnchanged("all of them");
}

TEST_F(OnlyReadTest, InATransactionOfItsOwn) {
  for (const char* sql : kRefused) {
    ASSERT_TRUE(connection_->Begin({.must_only_read = true}).ok());
    const auto call = TryInTransaction(sql);
    EXPECT_EQ(call->reason(), Reason::kNotAllowed) << sql << ": " << call->run.status;
    // What the driver has refused leaves it open.
    const bool aborted = connection_->transaction_aborted();
    EXPECT_EQ(connection_->Commit().ok(), !aborted) << sql;
    ExpectUnchanged(sql);
  }
  for (const char* sql : kAllowed) {
    ASSERT_TRUE(connection_->Begin({.must_only_read = true}).ok());
    const auto call = TryInTransaction(sql);
    EXPECT_TRUE(call->run.status.ok()) << sql << ": " << call->run.status;
    EXPECT_TRUE(connection_->Commit().ok()) << sql;
  }
  ExpectUnchanged("all of them");
}

// The owner of the database has made a function that runs whatever it is told.
TEST_F(OnlyReadTest, AFunctionThatRunsAnything) {
  const std::vector<std::string> codes = {
      "SET transaction_read_only = off",
      "SET TRANSACTION READ WRITE",
      "SELECT set_config(''transaction_read_only'', ''off'', false)",
      "INSERT INTO marks VALUES (9)",
      "SELECT nextval(''numbers'')",
      "COMMIT",
      "CALL commits()",
      // Servers before 16 let these two pass: they are undone with the transaction.
      "SELECT lo_create(0)",
      "RESET transaction_read_only",
  };
  for (const std::string& code : codes) {
    for (const char* function : {"run", "hides"}) {
      const std::string sql = "SELECT " + std::string(function) + "('" + code + "'), " + function +
                              "('INSERT INTO marks VALUES (9)')";
      TryAsReader(sql);
      ExpectUnchanged(sql);
      // As the first statement of a transaction, and with another behind it.
      ASSERT_TRUE(connection_->Begin({.must_only_read = true}).ok());
      TryInTransaction("SELECT " + std::string(function) + "('" + code + "')");
      TryInTransaction("SELECT mark(9)");
      connection_->Commit().IgnoreError();
      ExpectUnchanged(sql);
    }
  }
  // The next caller has the session as it should be.
  EXPECT_EQ(Ask("SHOW transaction_read_only"), "text off");
  EXPECT_EQ(Ask("SELECT mark(2)"), "integer 2");
}

TEST_F(OnlyReadTest, ATransactionIsSoFromItsBeginning) {
  ASSERT_TRUE(connection_->Begin({.must_only_read = true}).ok());
  EXPECT_EQ(TryInTransaction("SELECT current_setting('transaction_read_only')")->row(), "text on");
  ASSERT_TRUE(connection_->Savepoint("s").ok());
  EXPECT_EQ(TryInTransaction("SELECT mark(9)")->reason(), Reason::kNotAllowed);
  ASSERT_TRUE(connection_->RollbackTo("s").ok());
  EXPECT_EQ(TryInTransaction("SELECT run('SET transaction_read_only = off')")->run.status.ok(),
            false);
  ASSERT_TRUE(connection_->RollbackTo("s").ok());
  // Its snapshot is that of its beginning where it has one for all of its statements.
  EXPECT_EQ(TryInTransaction("SELECT count(*) FROM marks")->row(), "integer 1");
  EXPECT_TRUE(connection_->Commit().ok());
  ASSERT_TRUE(
      connection_->Begin({.isolation = driver::Isolation::kRepeatableRead, .must_only_read = true})
          .ok());
  Call insert("INSERT INTO marks VALUES (2)");
  driver::StatementRun* const run = &insert.run;
  other_->RunBatch({&run, 1});
  EXPECT_EQ(TryInTransaction("SELECT count(*) FROM marks")->row(), "integer 1");
  EXPECT_TRUE(connection_->Commit().ok());
  // The next one may write.
  ASSERT_TRUE(connection_->Begin({}).ok());
  EXPECT_TRUE(TryInTransaction("SELECT mark(3)")->run.status.ok());
  ASSERT_TRUE(connection_->Commit().ok());
  EXPECT_EQ(Ask("SELECT count(*) FROM marks"), "integer 3");
}

}  // namespace
}  // namespace penstock::postgres
