// What is sent to the server for a caller who may only read. CockroachDB lets a transaction that
// only reads become one that writes at any time, so that more depends on what is not sent, and on
// the rollback at the end.
#include "tests/unit/cockroachdb/fixture.h"

namespace penstock::cockroachdb {
namespace {

using Texts = std::vector<std::string>;

class OnlyReadTest : public DialogueTest {
 protected:
  std::unique_ptr<Call> RunAsReader(const std::string& sql) {
    auto call = std::make_unique<Call>(sql);
    call->run.must_only_read = true;
    driver::StatementRun* const run = &call->run;
    EXPECT_EQ(connection().RunBatch({&run, 1}), 1u);
    return call;
  }
  // Returns what has been executed since the last call, without the questions to the catalogue.
  Texts Dialogue() {
    const Texts all = executed("");
    Texts since;
    for (; seen_ < all.size(); ++seen_) {
      if (all[seen_].find("pg_catalog.") == std::string::npos) since.push_back(all[seen_]);
    }
    return since;
  }

  size_t seen_ = 0;
};

TEST_F(OnlyReadTest, AStatementHasATransactionThatIsRolledBack) {
  RunAsReader("SELECT a FROM t");
  Dialogue();
  EXPECT_EQ(RunAsReader("SELECT a FROM t")->row(), "text x");
  EXPECT_EQ(Dialogue(), (Texts{"BEGIN READ ONLY", "SELECT a FROM t", "ROLLBACK"}));
  EXPECT_TRUE(RunAsReader("SHOW TABLES")->run.status.ok());
  EXPECT_EQ(Dialogue(), (Texts{"BEGIN READ ONLY", "SHOW TABLES", "ROLLBACK"}));
  EXPECT_TRUE(Run("INSERT INTO t VALUES (1)")->run.status.ok());
  EXPECT_EQ(Dialogue(), (Texts{"INSERT INTO t VALUES (1)"}));
}

TEST_F(OnlyReadTest, WithoutTheTransactionItIsNotRun) {
  RunAsReader("SELECT a FROM t");
  Dialogue();
  server_.Say("BEGIN", FakeCockroach::Error("XX000", "no transaction"));
  EXPECT_FALSE(RunAsReader("SELECT a FROM t")->run.status.ok());
  for (const std::string& sql : Dialogue()) EXPECT_EQ(sql.find("SELECT a"), std::string::npos);
  server_.Say("BEGIN", FakeCockroach::Done("BEGIN"));
  EXPECT_EQ(RunAsReader("SELECT a FROM t")->row(), "text x");
}

TEST_F(OnlyReadTest, WhatDoesMoreIsNotSent) {
  server_.Say("pg_catalog.pg_proc", FakeAnswer{.columns = {{"a"}, {"b"}, {"c"}},
                                               .rows = {{"function", "set_config", "v"}},
                                               .tag = "SELECT 1"});
  connection();
  Dialogue();
  for (const char* sql :
       {"UPSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1)", "SET transaction_read_only = off",
        "SET TRANSACTION READ WRITE", "SELECT set_config('transaction_read_only', 'off', false)",
        "SELECT * FROM [INSERT INTO t VALUES (1) RETURNING a]",
        "CREATE TABLE t (a INT, FAMILY (a))", "IMPORT INTO t CSV DATA ('x')", "BACKUP INTO 'x'",
        "CANCEL QUERY 'x'", "EXPLAIN ANALYZE (DEBUG) UPSERT INTO t VALUES (1)", "USE other"}) {
    const auto call = RunAsReader(sql);
    EXPECT_EQ(call->reason(), Reason::kNotAllowed) << sql << ": " << call->run.status;
    EXPECT_EQ(Dialogue(), Texts{}) << sql;
  }
}

TEST_F(OnlyReadTest, TheServersRefusalIsToldAsOne) {
  server_.Say("SELECT writes()",
              FakeCockroach::Error("25006", "cannot execute INSERT in a read-only transaction"));
  const auto call = RunAsReader("SELECT writes()");
  EXPECT_EQ(call->reason(), Reason::kNotAllowed) << call->run.status;
  EXPECT_EQ(driver::GetErrorInfo(call->run.status).sqlstate, "25006");
  EXPECT_EQ(call->message(),
            "the caller may only read: cannot execute INSERT in a read-only transaction");
  EXPECT_EQ(Run("SELECT writes()")->reason(), Reason::kReadOnly);
}

// Nothing can have been committed.
TEST_F(OnlyReadTest, ALostLinkLeavesNothingOpen) {
  server_.Say("pg_catalog.pg_proc", FakeAnswer{.columns = {{"a"}, {"b"}, {"c"}},
                                               .rows = {{"function", "f", "?"}},
                                               .tag = "SELECT 1"});
  EXPECT_EQ(RunAsReader("SELECT f()")->row(), "text x");
  server_.Say("SELECT f()", FakeAnswer{.columns = {{"it", 25}}, .then_close = true});
  const auto call = RunAsReader("SELECT f()");
  EXPECT_EQ(call->reason(), Reason::kConnectionLost) << call->run.status;
}

TEST_F(OnlyReadTest, ATransaction) {
  connection();
  Dialogue();
  ASSERT_TRUE(connection().Begin({.must_only_read = true}).ok());
  EXPECT_EQ(RunInTransaction("SELECT a FROM t")->row(), "text x");
  EXPECT_EQ(RunInTransaction("SET TRANSACTION READ WRITE")->reason(), Reason::kNotAllowed);
  EXPECT_EQ(RunInTransaction("INSERT INTO t VALUES (1)")->reason(), Reason::kNotAllowed);
  EXPECT_TRUE(connection().Commit().ok());
  const Texts dialogue = Dialogue();
  ASSERT_GE(dialogue.size(), 3u);
  EXPECT_EQ(dialogue[0], "BEGIN READ ONLY");
  EXPECT_EQ(dialogue[1], "SELECT 1");
  EXPECT_EQ(dialogue.back(), "ROLLBACK");
  EXPECT_TRUE(executed("INSERT").empty());
}

TEST_F(OnlyReadTest, AReadOfThePast) {
  Call call("SELECT a FROM t");
  call.run.must_only_read = true;
  call.run.staleness = std::chrono::seconds(5);
  driver::StatementRun* const run = &call.run;
  EXPECT_EQ(connection().RunBatch({&run, 1}), 1u);
  EXPECT_EQ(call.row(), "text x") << call.run.status;
  EXPECT_EQ(executed("BEGIN AS OF SYSTEM TIME").size(), 1u);
  EXPECT_TRUE(executed("BEGIN READ ONLY").empty());
}

TEST_F(OnlyReadTest, NobodySharesItsRoundTrip) {
  Calls calls;
  for (int i = 0; i < 2; ++i) calls.push_back(std::make_unique<Call>("SELECT a FROM t"));
  MakeBrisk(calls);
  for (const auto& call : calls) call->run.must_only_read = true;
  std::vector<driver::StatementRun*> runs = {&calls[0]->run, &calls[1]->run};
  EXPECT_EQ(connection().Together(runs), 0u);
}

}  // namespace
}  // namespace penstock::cockroachdb
