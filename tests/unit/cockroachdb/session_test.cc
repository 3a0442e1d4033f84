// What a session is cleaned of, and what needs no cleaning.
#include "gmock/gmock.h"
#include "tests/unit/cockroachdb/fixture.h"

namespace penstock::cockroachdb {
namespace {

class SessionTest : public DialogueTest {};

TEST_F(SessionTest, ItIsCleanedAlsoWhereReadsAreOfThePast) {
  // Then DISCARD ALL is refused, as what is read-only would be.
  server_.Say("DISCARD ALL", [this](size_t) {
    return executed("default_transaction_use_follower_reads = off").empty()
               ? FakeCockroach::Error("0A000",
                                      "cannot execute DISCARD ALL in a read-only transaction")
               : FakeCockroach::Done("DISCARD");
  });
  EXPECT_TRUE(Run("SET default_transaction_use_follower_reads = on")->run.status.ok());
  EXPECT_EQ(executed("DISCARD ALL").size(), 1u);
  EXPECT_TRUE(connection().healthy());
  EXPECT_TRUE(Run("SELECT 1")->run.status.ok());
  // Which DISCARD ALL has put back.
  EXPECT_EQ(executed("SET autocommit_before_ddl = off").size(), 2u);
}

TEST_F(SessionTest, WhatCannotBeCleanedIsClosed) {
  server_.Say("DISCARD ALL", FakeCockroach::Error("XX000", "no"));
  EXPECT_TRUE(Run("SET a.b = 'c'")->run.status.ok());
  EXPECT_FALSE(connection().healthy());
}

TEST_F(SessionTest, OwnStatementsAndFunctionsLeaveNothingBehind) {
  server_.Say("UPSERT", FakeCockroach::Done("INSERT 0 1"));
  // The catalogue knows each of them as volatile.
  server_.Say("pg_catalog.pg_proc", [](size_t) {
    FakeAnswer answer{.columns = {{"a", 25}, {"b", 25}, {"c", 25}}, .tag = "SELECT 1"};
    for (const char* name : {"unique_rowid", "gen_random_ulid", "follower_read_timestamp",
                             "cluster_logical_timestamp", "node_id"}) {
      answer.rows.push_back({"function", name, "v"});
    }
    return answer;
  });
  for (const char* sql : {"UPSERT INTO t VALUES (1)", "SELECT unique_rowid()",
                          "SELECT gen_random_ulid()", "INSERT INTO t VALUES (unique_rowid())",
                          "SELECT crdb_internal.node_id()", "SELECT cluster_logical_timestamp()",
                          "SELECT a FROM t AS OF SYSTEM TIME follower_read_timestamp()",
                          "SELECT a FROM t@primary WHERE a = 1", "SELECT 1:::INT8"}) {
    const auto call = Run(sql);
    EXPECT_TRUE(call->run.status.ok()) << sql << call->run.status;
    EXPECT_TRUE(executed("DISCARD ALL").empty()) << sql;
    // And so share a pipeline.
    EXPECT_TRUE(Run(sql)->run.status.ok());
    Calls calls = testing::MakeCalls({sql, sql});
    MakeBrisk(calls);
  }
}

TEST_F(SessionTest, WhatIsUnknownIsCleanedAfter) {
  server_.Say("pg_catalog.pg_proc", [](size_t) {
    FakeAnswer answer{.columns = {{"a", 25}, {"b", 25}, {"c", 25}}, .tag = "SELECT 1"};
    answer.rows.push_back({"function", "reset_sql_stats", "v"});
    // A function of a user's that has the name of one of the server's.
    answer.rows.push_back({"function", "unique_rowid", "?"});
    return answer;
  });
  size_t cleaned = 0;
  for (const char* sql : {"SELECT crdb_internal.reset_sql_stats()", "SELECT unique_rowid()",
                          "CANCEL QUERY 'x'", "EXPERIMENTAL SCRUB TABLE t"}) {
    server_.Say(sql, FakeCockroach::Done("OK"));
    Run(sql);
    EXPECT_EQ(executed("DISCARD ALL").size(), ++cleaned) << sql;
  }
}

}  // namespace
}  // namespace penstock::cockroachdb
