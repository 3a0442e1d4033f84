// What a client's statement may not do.
#include "drivers/sqlite/policy.h"

#include <filesystem>
#include <optional>

#include "drivers/sqlite/pragmas.h"
#include "tests/unit/sqlite/fixture.h"

namespace penstock::sqlite {
namespace {

class PolicyTest : public SqliteTest {};

TEST_F(PolicyTest, TransactionControlBelongsToTheTransactionRpc) {
  for (const char* sql : {"BEGIN", "begin immediate", "COMMIT", "END", "ROLLBACK", "SAVEPOINT a",
                          "RELEASE a", "ROLLBACK TO a", "/* x */ ;BEGIN"}) {
    const auto call = Try(sql);
    EXPECT_EQ(call->reason(), Reason::kTransactionControl) << sql;
    EXPECT_NE(driver::GetErrorInfo(call->run.status).hint.find("Transaction RPC"),
              std::string::npos);
  }
  ASSERT_TRUE(writer_->Begin({}).ok());
  EXPECT_EQ(TryInTransaction("COMMIT")->reason(), Reason::kTransactionControl);
  EXPECT_EQ(TryInTransaction("ROLLBACK TO penstock_run")->reason(), Reason::kTransactionControl);
  EXPECT_FALSE(writer_->transaction_aborted());
  EXPECT_TRUE(writer_->Commit().ok());
}

TEST_F(PolicyTest, AttachAndItsKin) {
  const std::string other = folder_ + "/other.db";
  for (const std::string& sql :
       {"ATTACH '" + other + "' AS o", std::string("ATTACH ':memory:' AS o"),
        std::string("ATTACH $1 AS o"), std::string("DETACH main"), "VACUUM INTO '" + other + "'"}) {
    const bool has_parameter = sql.find('$') != std::string::npos;
    const auto call = Try(sql, std::vector<Value>(has_parameter ? 1 : 0, Value::Text(other)));
    EXPECT_EQ(call->reason(), Reason::kNotAllowed) << sql << call->run.status;
  }
  EXPECT_FALSE(std::filesystem::exists(other));
}

TEST_F(PolicyTest, AttachWhereTheConfigurationAllowsIt) {
  OpenWith({{"allow_attach", "on"}});
  const std::string other = folder_ + "/other.db";
  Exec("CREATE TABLE t(a)");
  Exec("VACUUM INTO '" + other + "'");
  EXPECT_TRUE(std::filesystem::exists(other));
  // It lasts no longer than the transaction's connection is held.
  ASSERT_TRUE(writer_->Begin({}).ok());
  const auto attached = TryInTransaction("ATTACH $1 AS o", {Value::Text(other)});
  EXPECT_TRUE(attached->run.status.ok()) << attached->run.status;
  EXPECT_TRUE(TryInTransaction("SELECT * FROM o.t")->run.status.ok());
  ASSERT_TRUE(writer_->Commit().ok());
  ASSERT_TRUE(writer_->Reset().ok());
  EXPECT_EQ(Try("SELECT * FROM o.t")->reason(), Reason::kUndefinedTable);
  // Nor does it leak out of a batch.
  Exec("ATTACH '" + other + "' AS o");
  EXPECT_EQ(Try("SELECT * FROM o.t")->reason(), Reason::kUndefinedTable);
}

TEST_F(PolicyTest, PragmasThatSetSomethingOfTheConnection) {
  for (const char* sql :
       {"PRAGMA journal_mode=delete", "PRAGMA synchronous=off", "PRAGMA foreign_keys=off",
        "PRAGMA writable_schema=on", "PRAGMA trusted_schema=on", "PRAGMA query_only=off",
        "PRAGMA locking_mode=exclusive", "PRAGMA temp_store_directory='/'",
        "PRAGMA defer_foreign_keys=on", "PRAGMA case_sensitive_like=on", "PRAGMA cache_size=1",
        "PRAGMA max_page_count=1", "PRAGMA hard_heap_limit=1", "PRAGMA busy_timeout=1",
        "PRAGMA wal_autocheckpoint=0", "PRAGMA main.synchronous=0",
        "PRAGMA ignore_check_constraints=1", "PRAGMA schema_version=9"}) {
    const auto call = Try(sql);
    EXPECT_EQ(call->reason(), Reason::kNotAllowed) << sql << " " << call->run.status;
    EXPECT_NE(driver::GetErrorInfo(call->run.status).hint.find("options"), std::string::npos);
  }
}

TEST_F(PolicyTest, PragmasThatTell) {
  Exec("CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT)");
  Exec("CREATE INDEX i ON t(b)");
  for (const char* sql : {"PRAGMA table_info(t)", "PRAGMA table_xinfo(t)", "PRAGMA table_list",
                          "PRAGMA index_list(t)", "PRAGMA index_info(i)", "PRAGMA database_list",
                          "PRAGMA integrity_check", "PRAGMA compile_options", "PRAGMA user_version",
                          "PRAGMA journal_mode", "PRAGMA synchronous", "PRAGMA foreign_keys",
                          "PRAGMA encoding", "PRAGMA schema_version",
                          "SELECT * FROM pragma_table_info('t')", "PRAGMA main.page_count"}) {
    const auto call = Try(sql);
    EXPECT_TRUE(call->run.status.ok()) << sql << " " << call->run.status;
    EXPECT_NE(call->row(), "") << sql;
  }
  EXPECT_EQ(Try("PRAGMA journal_mode")->row(), "text wal");
  EXPECT_EQ(Try("PRAGMA synchronous")->row(), "integer 2");
  EXPECT_EQ(Try("PRAGMA foreign_keys")->row(), "integer 1");
}

// Every PRAGMA of the SQLite that is linked, without a value, by name and as a table.
TEST_F(PolicyTest, EveryPragmaIsDecided) {
  const auto list = Try("SELECT name FROM pragma_pragma_list ORDER BY name");
  ASSERT_TRUE(list->run.status.ok()) << list->run.status;
  ASSERT_GT(list->output.rows.size(), 50u);
  for (const std::string& row : list->output.rows) {
    const std::string name = row.substr(std::string("text ").size());
    SCOPED_TRACE(name);
    const std::optional<PragmaRule> rule = RuleOf(name);
    ASSERT_TRUE(rule.has_value()) << "decide in drivers/sqlite/pragmas.cc what a client may do";
    const auto read = Try("PRAGMA " + name);
    const bool refused = *rule == PragmaRule::kRefused;
    EXPECT_EQ(read->reason() == Reason::kNotAllowed, refused) << read->run.status;
    const auto table = Try("SELECT * FROM pragma_" + name);
    if (table->reason() != Reason::kUndefinedTable) {
      EXPECT_EQ(table->reason() == Reason::kNotAllowed, refused) << table->run.status;
    }
    // A value that only tells, or whose PRAGMA only reads, whatever it is.
    const bool settable = *rule == PragmaRule::kTells || *rule == PragmaRule::kWrites;
    const auto set = Try("PRAGMA " + name + "=1");
    EXPECT_EQ(set->reason() == Reason::kNotAllowed, !settable) << set->run.status;
  }
}

TEST_F(PolicyTest, ReadsOfEverySortAreAllowed) {
  for (const char* sql :
       {"PRAGMA recursive_triggers", "PRAGMA defer_foreign_keys", "PRAGMA automatic_index",
        "PRAGMA temp_store", "PRAGMA locking_mode", "pragma Writable_Schema",
        "PRAGMA main.cell_size_check", "PRAGMA read_uncommitted", "PRAGMA threads",
        "PRAGMA legacy_alter_table", "PRAGMA ignore_check_constraints", "PRAGMA soft_heap_limit",
        "SELECT * FROM pragma_defer_foreign_keys"}) {
    const auto call = Try(sql);
    EXPECT_TRUE(call->run.status.ok()) << sql << " " << call->run.status;
    EXPECT_NE(call->row(), "") << sql;
    EXPECT_NE(Read(sql), "") << sql;
  }
  EXPECT_TRUE(Try("PRAGMA stats")->run.status.ok());
  EXPECT_EQ(Try("PRAGMA no_such_thing")->reason(), Reason::kNotAllowed);
  EXPECT_EQ(Try("PRAGMA no_such_thing=1")->reason(), Reason::kNotAllowed);
}

TEST_F(PolicyTest, WhatEndsWithATransactionIsSetInIt) {
  Exec("CREATE TABLE p(id INTEGER PRIMARY KEY)");
  Exec("CREATE TABLE c(p REFERENCES p)");
  // More than once, so that it is prepared already.
  for (int i = 1; i <= 3; ++i) {
    const std::string parent = std::to_string(i);
    ASSERT_TRUE(writer_->Begin({}).ok());
    EXPECT_EQ(TryInTransaction("INSERT INTO c VALUES (" + parent + ")")->reason(),
              Reason::kForeignKeyViolation);
    const auto set = TryInTransaction("PRAGMA defer_foreign_keys=ON");
    EXPECT_TRUE(set->run.status.ok()) << set->run.status;
    EXPECT_EQ(TryInTransaction("PRAGMA defer_foreign_keys")->row(), "integer 1");
    EXPECT_TRUE(TryInTransaction("INSERT INTO c VALUES (" + parent + ")")->run.status.ok());
    EXPECT_TRUE(TryInTransaction("INSERT INTO p VALUES (" + parent + ")")->run.status.ok());
    EXPECT_TRUE(writer_->Commit().ok());
    EXPECT_EQ(Try("PRAGMA defer_foreign_keys")->row(), "integer 0");
    EXPECT_EQ(Try("INSERT INTO c VALUES (77)")->reason(), Reason::kForeignKeyViolation);
  }
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(writer_->Begin({}).ok());
    EXPECT_EQ(TryInTransaction("PRAGMA legacy_alter_table")->row(), "integer 0");
    EXPECT_TRUE(TryInTransaction("PRAGMA legacy_alter_table=ON")->run.status.ok());
    EXPECT_EQ(TryInTransaction("PRAGMA legacy_alter_table")->row(), "integer 1");
    EXPECT_TRUE((i == 0 ? writer_->Rollback() : writer_->Commit()).ok());
    EXPECT_EQ(Try("PRAGMA legacy_alter_table")->row(), "integer 0");
  }
  // What is left of a deferred key fails the commit.
  ASSERT_TRUE(writer_->Begin({}).ok());
  EXPECT_TRUE(TryInTransaction("PRAGMA defer_foreign_keys(1)")->run.status.ok());
  EXPECT_TRUE(TryInTransaction("INSERT INTO c VALUES (50)")->run.status.ok());
  EXPECT_EQ(driver::GetErrorInfo(writer_->Commit()).reason, Reason::kForeignKeyViolation);
  EXPECT_EQ(Read("SELECT count(*) FROM c"), "integer 3");
}

// Neither alone nor among others that share a commit.
TEST_F(PolicyTest, WhatEndsWithATransactionIsRefusedOutsideOne) {
  Exec("CREATE TABLE p(id INTEGER PRIMARY KEY)");
  Exec("CREATE TABLE c(p REFERENCES p)");
  const Calls calls = MakeCalls({"INSERT INTO p VALUES (1)", "PRAGMA defer_foreign_keys=ON",
                                 "INSERT INTO c VALUES (9)", "INSERT INTO p VALUES (9)",
                                 "PRAGMA legacy_alter_table=ON", "INSERT INTO p VALUES (2)"});
  RunTogether(writer_.get(), calls);
  EXPECT_EQ(calls[1]->reason(), Reason::kNotAllowed);
  EXPECT_NE(driver::GetErrorInfo(calls[1]->run.status).hint.find("inside a transaction"),
            std::string::npos);
  EXPECT_EQ(calls[2]->reason(), Reason::kForeignKeyViolation);
  EXPECT_EQ(calls[4]->reason(), Reason::kNotAllowed);
  EXPECT_TRUE(calls[5]->run.status.ok()) << calls[5]->run.status;
  EXPECT_EQ(Try("PRAGMA legacy_alter_table")->row(), "integer 0");
  // Foreign keys themselves are never a client's to turn off.
  ASSERT_TRUE(writer_->Begin({}).ok());
  for (const char* sql : {"PRAGMA foreign_keys=OFF", "PRAGMA foreign_keys(0)",
                          "PRAGMA ignore_check_constraints=ON", "PRAGMA writable_schema=ON"}) {
    EXPECT_EQ(TryInTransaction(sql)->reason(), Reason::kNotAllowed) << sql;
  }
  EXPECT_EQ(TryInTransaction("INSERT INTO c VALUES (8)")->reason(), Reason::kForeignKeyViolation);
  EXPECT_TRUE(writer_->Rollback().ok());
}

TEST_F(PolicyTest, PragmasThatBelongToTheDatabase) {
  Exec("PRAGMA user_version=7");
  Exec("PRAGMA application_id=8");
  Exec("PRAGMA optimize");
  Exec("PRAGMA wal_checkpoint(TRUNCATE)");
  Exec("PRAGMA incremental_vacuum(1)");
  EXPECT_EQ(Read("PRAGMA user_version"), "integer 7");
}

TEST_F(PolicyTest, DangerousFunctionsAndTables) {
  EXPECT_FALSE(Try("SELECT load_extension('x')")->run.status.ok());
  EXPECT_FALSE(Try("INSERT INTO sqlite_schema(type) VALUES ('table')")->run.status.ok());
  EXPECT_FALSE(Try("SELECT * FROM pragma_hard_heap_limit(1)")->run.status.ok());
  EXPECT_FALSE(Try("SELECT fts3_tokenizer('simple', x'00')")->run.status.ok());
}

TEST_F(PolicyTest, TemporaryObjectsAreGoneAfterABatch) {
  Exec("CREATE TABLE t(a)");
  Exec("INSERT INTO t VALUES ('main')");
  const Calls calls =
      MakeCalls({"CREATE TEMP TABLE t AS SELECT 'temporary' AS a", "SELECT a FROM t",
                 "CREATE TEMP VIEW v AS SELECT 1", "SELECT * FROM v"});
  RunTogether(writer_.get(), calls);
  EXPECT_TRUE(calls[0]->run.status.ok()) << calls[0]->run.status;
  EXPECT_EQ(calls[1]->row(), "text main");
  EXPECT_EQ(calls[3]->reason(), Reason::kUndefinedTable);
}

TEST_F(PolicyTest, TemporaryObjectsLiveInATransactionUntilReset) {
  ASSERT_TRUE(writer_->Begin({}).ok());
  EXPECT_TRUE(TryInTransaction("CREATE TABLE temp.mine(a)")->run.status.ok());
  EXPECT_TRUE(TryInTransaction("INSERT INTO mine VALUES (1)")->run.status.ok());
  EXPECT_EQ(TryInTransaction("SELECT a FROM mine")->row(), "integer 1");
  ASSERT_TRUE(writer_->Commit().ok());
  ASSERT_TRUE(writer_->Reset().ok());
  EXPECT_TRUE(writer_->healthy());
  EXPECT_EQ(Try("SELECT a FROM mine")->reason(), Reason::kUndefinedTable);
}

TEST_F(PolicyTest, EverySortOfTemporaryObjectIsSeen) {
  Exec("CREATE TABLE t(a)");
  for (const char* sql : {"CREATE TEMP TABLE x(a)", "CREATE TABLE temp.x AS SELECT 1",
                          "CREATE TEMP VIEW x AS SELECT 1", "CREATE VIEW temp.x AS SELECT 1",
                          "CREATE VIRTUAL TABLE temp.x USING fts5(a)",
                          "CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN DELETE FROM t; END"}) {
    ASSERT_TRUE(writer_->Begin({}).ok());
    const auto call = TryInTransaction(sql);
    EXPECT_TRUE(call->run.status.ok()) << sql << " " << call->run.status;
    ASSERT_TRUE(writer_->Commit().ok());
    ASSERT_TRUE(writer_->Reset().ok());
    EXPECT_EQ(Try("SELECT count(*) FROM sqlite_temp_schema")->row(), "integer 0") << sql;
  }
}

TEST_F(PolicyTest, TemporaryObjectsAreNotForReaders) {
  Call call("CREATE TEMP TABLE t(a)");
  driver::StatementRun* const run = &call.run;
  reader_->RunBatch({&run, 1});
  EXPECT_TRUE(run->wrong_lane);
}

TEST_F(PolicyTest, VacuumRunsAloneInABatch) {
  Exec("CREATE TABLE t(a)");
  const Calls calls =
      MakeCalls({"INSERT INTO t VALUES (1)", "/* tidy */ VACUUM", "INSERT INTO t VALUES (2)",
                 "vacuum", "PRAGMA user_version=3", "INSERT INTO t VALUES (3)"});
  RunTogether(writer_.get(), calls);
  for (const auto& call : calls) EXPECT_TRUE(call->run.status.ok()) << call->run.status;
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 3");
  ASSERT_TRUE(writer_->Begin({}).ok());
  EXPECT_FALSE(TryInTransaction("VACUUM")->run.status.ok());
  EXPECT_FALSE(writer_->transaction_aborted());
  EXPECT_TRUE(writer_->Rollback().ok());
}

}  // namespace
}  // namespace penstock::sqlite
