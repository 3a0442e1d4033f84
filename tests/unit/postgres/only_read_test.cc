// What a caller may do who may only read. Nothing of it lasts, which each test proves by looking
// at the database afterwards, over a connection of its own.
#include <chrono>
#include <initializer_list>
#include <utility>

#include "tests/unit/postgres/fixture.h"

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

class OnlyReadTest : public PostgresDriverTest {
 protected:
  OnlyReadTest() : other_(Connect()) {
    Ask("CREATE TABLE marks (i bigint)");
    Ask("INSERT INTO marks VALUES (1)");
    Ask("CREATE SEQUENCE numbers");
    Ask("CREATE MATERIALIZED VIEW kept AS SELECT count(*) FROM marks");
    Ask("CREATE FUNCTION mark(n bigint) RETURNS bigint LANGUAGE sql AS "
        "'INSERT INTO marks VALUES (n) RETURNING i'");
    Ask("CREATE VIEW marking AS SELECT mark(9)");
    Ask("CREATE FUNCTION only_reads() RETURNS bigint LANGUAGE plpgsql AS "
        "$$BEGIN RETURN (SELECT count(*) FROM marks); END$$");
    Ask("CREATE FUNCTION run(code text) RETURNS text LANGUAGE plpgsql AS "
        "$$BEGIN EXECUTE code; RETURN 'done'; END$$");
    Ask("CREATE FUNCTION hides(code text) RETURNS text LANGUAGE plpgsql AS "
        "$$BEGIN EXECUTE code; RETURN 'done'; EXCEPTION WHEN others THEN RETURN 'hidden'; END$$");
    Ask("CREATE PROCEDURE commits() LANGUAGE plpgsql AS "
        "$$BEGIN COMMIT; INSERT INTO marks VALUES (9); COMMIT; END$$");
    state_ = State();
  }

  // Tells what is there, as far as a statement could change it.
  std::string State() {
    Call call(
        "SELECT (SELECT string_agg(i::text, ' ' ORDER BY i) FROM marks), "
        "(SELECT last_value || ' ' || is_called FROM numbers), "
        "(SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE oid >= 16384 AND "
        "relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_toast')), "
        "(SELECT string_agg(proname, ' ' ORDER BY proname) FROM pg_proc WHERE oid >= 16384), "
        "(SELECT count(*) FROM pg_attribute WHERE attrelid = 'marks'::regclass), "
        "(SELECT count(*) FROM pg_largeobject_metadata), (SELECT relacl::text FROM pg_class WHERE "
        "oid = 'marks'::regclass), obj_description('marks'::regclass), "
        "(pg_stat_file('/tmp/penstock_only_read_made', true)).size, "
        "(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database()))");
    driver::StatementRun* const run = &call.run;
    other_->RunBatch({&run, 1});
    EXPECT_TRUE(call.run.status.ok()) << call.run.status;
    return call.row();
  }
  void ExpectUnchanged(const std::string& after) { EXPECT_EQ(State(), state_) << after; }

  std::unique_ptr<Call> TryAsReader(const std::string& sql, std::vector<Value> args = {}) {
    auto call = std::make_unique<Call>(sql, std::move(args));
    call->run.must_only_read = true;
    driver::StatementRun* const run = &call->run;
    EXPECT_EQ(connection_->RunBatch({&run, 1}), 1u);
    return call;
  }
  std::unique_ptr<driver::Connection> other_;
  std::string state_;
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

TEST_F(OnlyReadTest, AStatementThatAWriterHasPrepared) {
  for (const char* sql : {"INSERT INTO marks VALUES (1)", "SELECT mark(1)"}) {
    Ask(sql);
    Ask("DELETE FROM marks WHERE ctid <> (SELECT min(ctid) FROM marks)");
    for (const bool prepared : {false, true}) {
      Call call(sql);
      call.run.must_only_read = true;
      call.run.prepared = prepared;
      driver::StatementRun* const run = &call.run;
      connection_->RunBatch({&run, 1});
      EXPECT_EQ(call.reason(), Reason::kNotAllowed) << call.run.status;
    }
    ExpectUnchanged(sql);
  }
  Call once("INSERT INTO marks VALUES (9)");
  once.run.must_only_read = once.run.once = true;
  once.run.writer = nullptr;
  driver::StatementRun* const run = &once.run;
  connection_->RunBatch({&run, 1});
  EXPECT_EQ(once.reason(), Reason::kNotAllowed) << once.run.status;
  ExpectUnchanged("one that does not come again");
}

TEST_F(OnlyReadTest, Rows) {
  for (const size_t count : {size_t{2}, size_t{100}, size_t{9000}}) {
    const std::vector<std::vector<Value>> rows(count, {Value::Integer(9)});
    for (const auto& [sql, reason] : std::initializer_list<std::pair<const char*, Reason>>{
             {"INSERT INTO marks(i) VALUES ($1)", Reason::kNotAllowed},
             {"SELECT mark($1)", Reason::kNotAllowed},
             {"SELECT * FROM marks WHERE i = $1", Reason::kUnspecified}}) {
      Call call(sql);
      call.run.must_only_read = true;
      call.run.rows = rows;
      driver::StatementRun* const run = &call.run;
      connection_->RunBatch({&run, 1});
      EXPECT_EQ(call.reason(), reason) << sql << call.run.status;
      ExpectUnchanged(sql);
    }
  }
  EXPECT_EQ(Ask("SELECT mark(2)"), "integer 2");
}

TEST_F(OnlyReadTest, ThoseWhoShareARoundTrip) {
  const char* const tells = "SELECT current_setting('transaction_read_only')";
  Ask("CREATE TABLE divisors (d integer)");
  Ask("INSERT INTO divisors VALUES (1)");
  const Calls calls =
      MakeCalls({tells, "SELECT 1 / d FROM divisors", "SELECT count(*) FROM marks", tells});
  MakeBrisk(calls);
  std::vector<driver::StatementRun*> runs;
  for (const auto& call : calls) runs.push_back(&call->run);
  // Nobody else is with them.
  calls[0]->run.must_only_read = calls[1]->run.must_only_read = true;
  EXPECT_EQ(connection_->Together(runs), 2u);
  EXPECT_EQ(connection_->RunBatch(runs), 2u);
  EXPECT_EQ(calls[0]->row(), "text on") << calls[0]->run.status;
  EXPECT_EQ(connection_->RunBatch(std::span(runs).subspan(3)), 1u);
  EXPECT_EQ(calls[3]->row(), "text off") << calls[3]->run.status;

  for (const auto& call : calls) call->run.must_only_read = true;
  MakeBrisk(calls);
  RunTogether(connection_.get(), calls);
  EXPECT_EQ(calls[0]->row(), "text on") << calls[0]->run.status;
  EXPECT_EQ(calls[1]->row(), "integer 1") << calls[1]->run.status;
  EXPECT_EQ(calls[2]->row(), "integer 1") << calls[2]->run.status;
  EXPECT_EQ(calls[3]->row(), "text on") << calls[3]->run.status;

  // One's failure is its own.
  MakeBrisk(calls);
  Ask("UPDATE divisors SET d = 0");
  RunTogether(connection_.get(), calls);
  EXPECT_EQ(calls[0]->row(), "text on") << calls[0]->run.status;
  EXPECT_EQ(calls[1]->reason(), Reason::kDataException) << calls[1]->run.status;
  EXPECT_EQ(calls[2]->row(), "integer 1") << calls[2]->run.status;
  EXPECT_EQ(calls[3]->row(), "text on") << calls[3]->run.status;
  EXPECT_EQ(Ask(tells), "text off");
}

TEST_F(OnlyReadTest, WhatMayWriteSharesNothing) {
  const Calls calls = MakeCalls({"SELECT * FROM marks", "INSERT INTO marks VALUES (1)"});
  MakeBrisk(calls);
  Ask("DELETE FROM marks WHERE ctid <> (SELECT min(ctid) FROM marks)");
  std::vector<driver::StatementRun*> runs;
  for (const auto& call : calls) {
    call->run.must_only_read = true;
    runs.push_back(&call->run);
  }
  EXPECT_EQ(connection_->Together(runs), 1u);
  EXPECT_EQ(connection_->RunBatch(runs), 1u);
  EXPECT_EQ(connection_->RunBatch(std::span(runs).subspan(1)), 1u);
  EXPECT_EQ(calls[1]->reason(), Reason::kNotAllowed) << calls[1]->run.status;
  ExpectUnchanged("both");
}

TEST_F(OnlyReadTest, AResultOfManyBatches) {
  for (const bool to_its_end : {true, false}) {
    Call call("SELECT repeat('x', 1000), only_reads() FROM generate_series(1, 20000)");
    call.run.must_only_read = true;
    driver::StatementRun* const run = &call.run;
    connection_->RunBatch({&run, 1});
    ASSERT_NE(call.run.cursor, nullptr) << call.run.status;
    absl::StatusOr<bool> more = true;
    while (to_its_end && more.ok() && *more) {
      call.output.TakeAway();
      more = call.run.cursor->Fetch(call.run.limits, &call.output);
    }
    EXPECT_TRUE(more.ok()) << more.status();
    call.run.cursor.reset();
    EXPECT_EQ(Ask("SHOW transaction_read_only"), "text off");
  }
  // The server finds out late that something is to be written.
  Call late(
      "SELECT repeat('x', 1000), CASE i WHEN 9999 THEN mark(i) END "
      "FROM generate_series(1, 20000) i");
  late.run.must_only_read = true;
  driver::StatementRun* const run = &late.run;
  connection_->RunBatch({&run, 1});
  ASSERT_NE(late.run.cursor, nullptr) << late.run.status;
  absl::StatusOr<bool> more = true;
  while (more.ok() && *more) {
    late.output.TakeAway();
    more = late.run.cursor->Fetch(late.run.limits, &late.output);
  }
  EXPECT_EQ(driver::GetErrorInfo(more.status()).reason, Reason::kNotAllowed) << more.status();
  late.run.cursor.reset();
  ExpectUnchanged("a late one");
  EXPECT_EQ(Ask("SELECT mark(2)"), "integer 2");
}

TEST_F(OnlyReadTest, ALimitOfTime) {
  for (int i = 0; i < 10; ++i) {
    Call call("SELECT pg_sleep(1000)");
    call.run.must_only_read = true;
    call.run.deadline = {.at = std::chrono::steady_clock::now() + std::chrono::milliseconds(20),
                         .reason = Reason::kRequestTimeout};
    driver::StatementRun* const run = &call.run;
    connection_->RunBatch({&run, 1});
    EXPECT_EQ(call.reason(), Reason::kRequestTimeout) << call.run.status;
    EXPECT_EQ(Ask("SHOW transaction_read_only"), "text off");
  }
  EXPECT_EQ(Ask("SELECT mark(2)"), "integer 2");
}

// Whatever a function has left behind is gone with the transaction, or cleaned up.
TEST_F(OnlyReadTest, NothingIsLeftInTheSession) {
  EXPECT_TRUE(TryAsReader("SELECT run('SET search_path = nowhere')")->run.status.ok());
  EXPECT_TRUE(TryAsReader("SELECT run('SELECT pg_advisory_lock(9)')")->run.status.ok());
  EXPECT_FALSE(TryAsReader("SELECT run('SET client_encoding = latin1')")->run.status.ok());
  EXPECT_EQ(Ask("SHOW search_path"), "text \"$user\", public");
  EXPECT_EQ(Ask("SHOW client_encoding"), "text UTF8");
  ExpectUnchanged("all of them");
  EXPECT_TRUE(connection_->healthy());
}

}  // namespace
}  // namespace penstock::postgres
