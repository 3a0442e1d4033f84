// What a caller may do who may only read: SQL, on every sort of connection.
// tests/unit/key_value/only_read_test.cc has the operations on keys and values.
#include <functional>

#include "tests/unit/pebble/sql_fixture.h"

namespace penstock::pebble {
namespace {

constexpr const char* kRefused[] = {
    "INSERT INTO t VALUES ('b', '2')",
    "INSERT INTO kv VALUES ('b', '2')",
    "INSERT OR REPLACE INTO t VALUES ('a', '2')",
    "WITH w(k) AS (SELECT 'b') INSERT INTO t SELECT k, '2' FROM w",
    "UPDATE t SET value = '2'",
    "DELETE FROM t",
    "EXPLAIN DELETE FROM t",
    "CREATE TABLE made (key TEXT PRIMARY KEY, value TEXT)",
    "CREATE TABLE IF NOT EXISTS made (key TEXT PRIMARY KEY, value TEXT)",
    "DROP TABLE t",
    "ATTACH 'only_read_made.db' AS made",
    "PRAGMA optimize",
    "PRAGMA user_version = 7",
    "SELECT * FROM pragma_optimize",
    "SELECT load_extension('made')",
};

constexpr const char* kAllowed[] = {
    "SELECT * FROM t",
    "SELECT count(*) FROM kv",
    "WITH w AS (SELECT * FROM t) SELECT * FROM w",
    "EXPLAIN QUERY PLAN SELECT * FROM t",
    "PRAGMA table_info(t)",
};

class OnlyReadTest : public SqlTest {
 protected:
  OnlyReadTest() {
    Exec("CREATE TABLE t (key TEXT PRIMARY KEY, value TEXT)");
    Exec("INSERT INTO t VALUES ('a', '1')");
  }

  // Tells what is there, and which keyspaces there are.
  Texts State() {
    Texts state = Query("SELECT * FROM t");
    for (const char* sql :
         {"SELECT * FROM kv", "SELECT name FROM pragma_table_list ORDER BY name"}) {
      const Texts more = Query(sql);
      state.insert(state.end(), more.begin(), more.end());
    }
    return state;
  }

  static CallPtr RunAsReader(driver::Connection* connection, const std::string& sql) {
    auto call = std::make_unique<Call>(sql);
    call->run.must_only_read = true;
    driver::StatementRun* const run = &call->run;
    EXPECT_EQ(connection->RunBatch({&run, 1}), 1u);
    EXPECT_FALSE(call->run.wrong_lane) << sql;
    Finish(call.get());
    return call;
  }

  void TryAll(const std::function<CallPtr(const std::string&)>& run) {
    const Texts before = State();
    for (const char* sql : kRefused) {
      const CallPtr call = run(sql);
      EXPECT_EQ(call->reason(), Reason::kNotAllowed) << sql << ": " << call->run.status;
      EXPECT_EQ(State(), before) << sql;
    }
    for (const char* sql : kAllowed) {
      const CallPtr call = run(sql);
      EXPECT_TRUE(call->run.status.ok()) << sql << ": " << call->run.status;
    }
    EXPECT_EQ(State(), before);
  }
};

TEST_F(OnlyReadTest, OnAConnectionOfEitherSort) {
  for (driver::Connection* connection : {reader_.get(), writer_.get()}) {
    TryAll([&](const std::string& sql) { return RunAsReader(connection, sql); });
  }
  EXPECT_EQ(Exec("INSERT INTO t VALUES ('b', '2')"), 1);
}

TEST_F(OnlyReadTest, InATransaction) {
  for (driver::Connection* connection : {reader_.get(), writer_.get()}) {
    TryAll([&](const std::string& sql) {
      EXPECT_TRUE(connection->Begin({.must_only_read = true}).ok());
      auto call = std::make_unique<Call>(sql);
      connection->Run(call->run);
      Finish(call.get());
      EXPECT_TRUE(connection->Commit().ok());
      return call;
    });
  }
  ASSERT_TRUE(writer_->Begin({}).ok());
  EXPECT_EQ(ExecInTransaction("INSERT INTO t VALUES ('b', '2')"), 1);
  ASSERT_TRUE(writer_->Commit().ok());
  EXPECT_EQ(Entries("t").size(), 2u);
}

TEST_F(OnlyReadTest, AGroupGoesOnAroundIt) {
  const Calls calls =
      MakeCalls({"INSERT INTO t VALUES ('b', '2')", "INSERT INTO t VALUES ('c', '3')",
                 "INSERT INTO t VALUES ('d', '4')"});
  calls[1]->run.must_only_read = true;
  RunTogether(writer_.get(), calls);
  EXPECT_TRUE(calls[0]->run.status.ok()) << calls[0]->run.status;
  EXPECT_EQ(calls[1]->reason(), Reason::kNotAllowed) << calls[1]->run.status;
  EXPECT_TRUE(calls[2]->run.status.ok()) << calls[2]->run.status;
  EXPECT_EQ(Query("SELECT key FROM t ORDER BY key"), (Texts{"text a", "text b", "text d"}));
}

// Whoever waits for a writer has the statement checked by a reader meanwhile.
TEST_F(OnlyReadTest, WhatIsOnlyToBePreparedIsNotRun) {
  for (const bool must_only_read : {false, true}) {
    for (const char* sql : {"INSERT INTO t VALUES ('b', '2')", "SELECT * FROM t"}) {
      Call call(sql);
      call.run.prepare_only = true;
      call.run.must_only_read = must_only_read;
      driver::StatementRun* const run = &call.run;
      EXPECT_EQ(reader_->RunBatch({&run, 1}), 1u);
      EXPECT_FALSE(call.run.wrong_lane) << sql;
      EXPECT_TRUE(call.output.rows.empty()) << sql;
      const bool refused = must_only_read && call.sql.starts_with("INSERT");
      EXPECT_EQ(call.reason(), refused ? Reason::kNotAllowed : Reason::kUnspecified)
          << call.run.status;
    }
  }
  Call call("SELECT * FROM t WHERE key = $1");
  call.run.prepare_only = true;
  driver::StatementRun* const run = &call.run;
  EXPECT_EQ(reader_->RunBatch({&run, 1}), 1u);
  EXPECT_EQ(call.reason(), Reason::kInvalidParameter) << call.run.status;
}

}  // namespace
}  // namespace penstock::pebble
