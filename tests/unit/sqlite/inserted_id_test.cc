// last_insert_id of a statement, and last_insert_rowid() in the next.
#include "tests/unit/sqlite/fixture.h"

namespace penstock::sqlite {
namespace {

class InsertedIdTest : public SqliteTest {
 protected:
  void SetUp() override {
    Exec("CREATE TABLE parent(id INTEGER PRIMARY KEY, a UNIQUE)");
    Exec("CREATE TABLE child(id INTEGER PRIMARY KEY, pid)");
    Exec("CREATE TABLE plain(key TEXT PRIMARY KEY, n) WITHOUT ROWID");
  }

  std::optional<int64_t> IdOf(const std::string& sql) {
    const auto call = Try(sql);
    EXPECT_TRUE(call->run.status.ok()) << sql << ": " << call->run.status;
    return call->run.summary.last_insert_id;
  }
};

TEST_F(InsertedIdTest, ParentAndChildInOneTransaction) {
  ASSERT_TRUE(writer_->Begin({}).ok());
  for (const char* sql :
       {"INSERT INTO parent VALUES (41, 'x')", "UPDATE parent SET a = 'y'", "SELECT * FROM parent",
        "INSERT INTO plain VALUES ('k', 1)", "INSERT INTO child(pid) VALUES (last_insert_rowid())",
        "INSERT INTO child(id, pid) VALUES (50, last_insert_rowid())"}) {
    const auto call = TryInTransaction(sql);
    ASSERT_TRUE(call->run.status.ok()) << sql << ": " << call->run.status;
  }
  EXPECT_EQ(TryInTransaction("SELECT group_concat(pid) FROM child")->row(), "text 41,1");
  ASSERT_TRUE(writer_->Commit().ok());
  // The next caller does not see it.
  ASSERT_TRUE(writer_->Begin({}).ok());
  EXPECT_EQ(TryInTransaction("SELECT last_insert_rowid()")->row(), "integer 0");
  ASSERT_TRUE(writer_->Rollback().ok());
}

TEST_F(InsertedIdTest, WhatWasInsertedAndNothingElse) {
  EXPECT_EQ(IdOf("INSERT INTO parent VALUES (0, 'zero')"), 0);
  EXPECT_EQ(IdOf("INSERT INTO child VALUES (5, 1)"), 5);
  // The same key in another table.
  EXPECT_EQ(IdOf("INSERT INTO parent VALUES (5, 'five')"), 5);
  EXPECT_EQ(IdOf("INSERT INTO parent VALUES (-3, 'minus')"), -3);
  EXPECT_EQ(IdOf("INSERT INTO plain VALUES ('a', 1)"), std::nullopt);
  EXPECT_EQ(IdOf("UPDATE parent SET a = 'six' WHERE id = 5"), std::nullopt);
  EXPECT_EQ(IdOf("DELETE FROM child"), std::nullopt);
  EXPECT_EQ(IdOf("INSERT OR IGNORE INTO parent VALUES (5, 'again')"), std::nullopt);
  EXPECT_EQ(IdOf("INSERT INTO parent VALUES (5, 'x') ON CONFLICT(id) DO UPDATE SET a = 'seven'"),
            std::nullopt);
  EXPECT_EQ(IdOf("REPLACE INTO parent VALUES (5, 'eight')"), 5);
}

TEST_F(InsertedIdTest, OfATriggerIsNotTheStatements) {
  Exec("CREATE TRIGGER r AFTER UPDATE ON parent BEGIN INSERT INTO child VALUES (900, 1); END");
  EXPECT_EQ(IdOf("INSERT INTO parent VALUES (1, 'a')"), 1);
  EXPECT_EQ(IdOf("UPDATE parent SET a = 'b'"), std::nullopt);
}

TEST_F(InsertedIdTest, InAGroupEachHasItsOwn) {
  const Calls calls =
      MakeCalls({"INSERT INTO parent VALUES (10, 'a')", "UPDATE parent SET a = 'b' WHERE id = 10",
                 "INSERT INTO child VALUES (10, 10)", "INSERT INTO plain VALUES ('z', 1)"});
  RunTogether(writer_.get(), calls);
  EXPECT_EQ(calls[0]->run.summary.last_insert_id, 10);
  EXPECT_EQ(calls[1]->run.summary.last_insert_id, std::nullopt);
  EXPECT_EQ(calls[2]->run.summary.last_insert_id, 10);
  EXPECT_EQ(calls[3]->run.summary.last_insert_id, std::nullopt);
}

TEST_F(InsertedIdTest, StaysWhileTheSessionIsKept) {
  writer_->KeepSession(true);
  Exec("INSERT INTO parent VALUES (77, 'x')");
  Exec("INSERT INTO child(pid) VALUES (last_insert_rowid())");
  writer_->KeepSession(false);
  EXPECT_EQ(Read("SELECT pid FROM child"), "integer 77");
}

}  // namespace
}  // namespace penstock::sqlite
