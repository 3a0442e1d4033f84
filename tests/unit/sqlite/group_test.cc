// RunBatch on the writer: many statements, one commit, and each its own outcome.
#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include "fmt/format.h"
#include "tests/unit/sqlite/fixture.h"

namespace penstock::sqlite {
namespace {

using std::chrono::milliseconds;

class GroupTest : public SqliteTest {
 protected:
  GroupTest() { Exec("CREATE TABLE t(i INTEGER PRIMARY KEY, v TEXT UNIQUE)"); }
};

// Changes rows for as long as it may.
const char kEndlessWrite[] =
    "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n) "
    "INSERT INTO t(v) SELECT 'x' || i FROM n";

TEST_F(GroupTest, EachHasItsOwnSummary) {
  const Calls calls =
      MakeCalls({"INSERT INTO t(v) VALUES ('a'), ('b')", "UPDATE t SET v = v || '!'",
                 "CREATE TABLE u(a)", "SELECT count(*) FROM t", "DELETE FROM t WHERE i = 9",
                 "INSERT OR IGNORE INTO t VALUES (1, 'c')", "INSERT INTO t VALUES (77, 'd')"});
  RunTogether(writer_.get(), calls);
  for (const auto& call : calls) EXPECT_TRUE(call->run.status.ok()) << call->run.status;
  EXPECT_EQ(calls[0]->run.summary.rows_affected, 2);
  EXPECT_EQ(calls[0]->run.summary.last_insert_id, 2);
  EXPECT_EQ(calls[1]->run.summary.rows_affected, 2);
  EXPECT_EQ(calls[1]->run.summary.last_insert_id, std::nullopt);
  EXPECT_EQ(calls[2]->run.summary.rows_affected, 0);
  EXPECT_EQ(calls[3]->run.summary.rows_affected, 0);
  EXPECT_EQ(calls[3]->row(), "integer 2");
  EXPECT_EQ(calls[4]->run.summary.rows_affected, 0);
  EXPECT_EQ(calls[5]->run.summary.rows_affected, 0);
  EXPECT_EQ(calls[5]->run.summary.last_insert_id, std::nullopt);
  EXPECT_EQ(calls[6]->run.summary.last_insert_id, 77);
  for (const auto& call : calls) EXPECT_EQ(call->output.begun, 1);
}

TEST_F(GroupTest, AFailureLeavesNoTraceAndDisturbsNobody) {
  const Calls calls = MakeCalls({"INSERT INTO t(v) VALUES ('a')",
                                 "INSERT OR FAIL INTO t(v) VALUES ('b'), ('a'), ('c')",
                                 "INSERT INTO t(v) VALUES ('d')", "INSERT INTO nowhere VALUES (1)",
                                 "INSERT INTO t(v) VALUES ('e')"});
  RunTogether(writer_.get(), calls);
  EXPECT_EQ(calls[1]->reason(), Reason::kUniqueViolation);
  EXPECT_EQ(calls[1]->run.summary.rows_affected, 0);
  EXPECT_EQ(calls[3]->reason(), Reason::kUndefinedTable);
  EXPECT_EQ(Read("SELECT group_concat(v) FROM (SELECT v FROM t ORDER BY v)"), "text a,d,e");
}

TEST_F(GroupTest, OneThatRollsEverythingBackDisturbsNobody) {
  // The second undoes the whole group; the fourth failed because of the third,
  // which stays.
  const Calls calls = MakeCalls({"INSERT INTO t(v) VALUES ('a') RETURNING v",
                                 "INSERT OR ROLLBACK INTO t(v) VALUES ('a')",
                                 "INSERT INTO t(v) VALUES ('b')", "INSERT INTO t(v) VALUES ('b')"});
  RunTogether(writer_.get(), calls);
  EXPECT_TRUE(calls[0]->run.status.ok()) << calls[0]->run.status;
  EXPECT_EQ(calls[0]->output.rows, std::vector<std::string>{"text a"});
  EXPECT_EQ(calls[1]->reason(), Reason::kUniqueViolation);
  EXPECT_TRUE(calls[2]->run.status.ok()) << calls[2]->run.status;
  EXPECT_EQ(calls[3]->reason(), Reason::kUniqueViolation);
  EXPECT_EQ(Read("SELECT group_concat(v) FROM t"), "text a,b");
}

TEST_F(GroupTest, ATriggerThatRollsEverythingBackDisturbsNobody) {
  Exec(
      "CREATE TRIGGER tr AFTER INSERT ON t WHEN new.v = 'bad' "
      "BEGIN SELECT RAISE(ROLLBACK, 'bad'); END");
  driver::Chain chain;
  const Calls calls = MakeCalls({"INSERT INTO t(v) VALUES ('a')", "INSERT INTO t(v) VALUES ('bad')",
                                 "INSERT INTO t(v) VALUES ('b')", "INSERT INTO t(v) VALUES ('c')"});
  calls[1]->run.chain = &chain;
  calls[3]->run.chain = &chain;
  RunTogether(writer_.get(), calls);
  EXPECT_EQ(calls[1]->reason(), Reason::kConstraintViolation);
  EXPECT_EQ(calls[3]->reason(), Reason::kCancelled);
  EXPECT_EQ(Read("SELECT group_concat(v) FROM t"), "text a,b");
}

TEST_F(GroupTest, ManyThatRollEverythingBack) {
  std::vector<std::string> texts = {"INSERT INTO t(v) VALUES ('a')"};
  for (int i = 0; i < 20; ++i) {
    texts.push_back("INSERT OR ROLLBACK INTO t(v) VALUES ('a')");
    texts.push_back(fmt::format("INSERT INTO t(v) VALUES ('b{}')", i));
  }
  const Calls calls = MakeCalls(texts);
  RunTogether(writer_.get(), calls);
  for (size_t i = 1; i < calls.size(); i += 2) {
    EXPECT_EQ(calls[i]->reason(), Reason::kUniqueViolation);
    EXPECT_TRUE(calls[i + 1]->run.status.ok()) << calls[i + 1]->run.status;
  }
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 21");
}

TEST_F(GroupTest, AnInterruptedNeighbourIsDoneWithoutTheOthers) {
  driver::Chain chain;
  const Calls calls = MakeCalls({"INSERT INTO t(v) VALUES ('a')", kEndlessWrite,
                                 "INSERT INTO t(v) VALUES ('b')", "INSERT INTO t(v) VALUES ('c')"});
  calls[1]->run.deadline = In(milliseconds(20));
  calls[1]->run.chain = &chain;
  calls[3]->run.chain = &chain;
  RunTogether(writer_.get(), calls);
  EXPECT_EQ(calls[1]->reason(), Reason::kRequestTimeout);
  EXPECT_EQ(calls[3]->reason(), Reason::kCancelled);
  EXPECT_EQ(Read("SELECT group_concat(v) FROM t"), "text a,b");
}

TEST_F(GroupTest, AChainIsRepeatedWhole) {
  driver::Chain chain;
  const Calls calls =
      MakeCalls({"INSERT INTO t(v) VALUES ('a')", "INSERT INTO t(v) VALUES ('b')",
                 "INSERT OR ROLLBACK INTO t(v) VALUES ('a')", "INSERT INTO t(v) VALUES ('c')"});
  for (const size_t i : {0, 1, 3}) calls[i]->run.chain = &chain;
  RunTogether(writer_.get(), calls);
  EXPECT_FALSE(chain.failed);
  EXPECT_EQ(Read("SELECT group_concat(v) FROM t"), "text a,b,c");
}

TEST_F(GroupTest, FailuresBeforeTheRepeatAreFoundAgain) {
  // The fourth undoes everybody; those that run again fail again, each for its
  // own reason, and a chain that had failed before is not run at all.
  driver::Chain failed_before{.failed = true};
  driver::Chain chain;
  const Calls calls =
      MakeCalls({"INSERT INTO t(v) VALUES ('a')", "INSERT INTO t(v) VALUES ('a')",
                 "INSERT INTO t(v) VALUES ('z')", "INSERT OR ROLLBACK INTO t(v) VALUES ('a')",
                 "INSERT INTO t(v) VALUES ('y')"});
  calls[1]->run.chain = &chain;
  calls[2]->run.chain = &chain;
  calls[4]->run.chain = &failed_before;
  RunTogether(writer_.get(), calls);
  EXPECT_EQ(calls[1]->reason(), Reason::kUniqueViolation);
  EXPECT_EQ(calls[2]->reason(), Reason::kCancelled);
  EXPECT_TRUE(chain.failed);
  EXPECT_EQ(calls[4]->reason(), Reason::kCancelled);
  EXPECT_TRUE(failed_before.failed);
  EXPECT_EQ(Read("SELECT group_concat(v) FROM t"), "text a");
}

TEST_F(GroupTest, ADeferredViolationIsTheFailureOfItsStatementAlone) {
  Exec("CREATE TABLE p(id INTEGER PRIMARY KEY)");
  Exec("CREATE TABLE c(p INT REFERENCES p(id) DEFERRABLE INITIALLY DEFERRED)");
  driver::Chain chain;
  const Calls calls =
      MakeCalls({"INSERT INTO p VALUES (1)", "INSERT INTO c VALUES (1)", "INSERT INTO c VALUES (2)",
                 "INSERT INTO c VALUES (1)", "INSERT INTO p VALUES (2)"});
  calls[2]->run.chain = &chain;
  calls[4]->run.chain = &chain;
  RunTogether(writer_.get(), calls);
  EXPECT_TRUE(calls[1]->run.status.ok()) << calls[1]->run.status;
  EXPECT_EQ(calls[2]->reason(), Reason::kForeignKeyViolation);
  EXPECT_EQ(calls[2]->run.summary.rows_affected, 0);
  EXPECT_TRUE(calls[3]->run.status.ok()) << calls[3]->run.status;
  EXPECT_EQ(calls[4]->reason(), Reason::kCancelled);
  EXPECT_EQ(Read("SELECT count(*), sum(p) FROM c"), "integer 2|integer 2");
  // Alone, it fails at its commit, and nothing is left of it.
  const auto alone = Try("INSERT INTO c VALUES (2)");
  EXPECT_EQ(alone->reason(), Reason::kForeignKeyViolation);
  EXPECT_EQ(alone->run.summary.rows_affected, 0);
  EXPECT_EQ(Read("SELECT count(*) FROM c"), "integer 2");
}

TEST_F(GroupTest, AFullDiskIsTheFailureOfWhoFilledIt) {
  OpenWith({{"max_page_count", "40"}});
  const Calls calls =
      MakeCalls({"INSERT INTO t(v) VALUES ('a')", "INSERT INTO t(v) VALUES (hex(zeroblob(400000)))",
                 "INSERT INTO t(v) VALUES ('b')"});
  RunTogether(writer_.get(), calls);
  EXPECT_TRUE(calls[0]->run.status.ok()) << calls[0]->run.status;
  EXPECT_EQ(calls[1]->reason(), Reason::kDiskFull);
  EXPECT_TRUE(calls[2]->run.status.ok()) << calls[2]->run.status;
  EXPECT_EQ(Read("SELECT group_concat(v) FROM t"), "text a,b");
}

// Files of this process cannot grow beyond `bytes` while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(size_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &before_), 0);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ~FileSizeLimit() {
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &before_), 0);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*const handler_)(int);
};

TEST_F(GroupTest, ACommitThatFailsFailsWhateverHadSucceeded) {
  Exec("INSERT INTO t(v) VALUES ('a')");
  driver::Chain chain;
  const Calls calls = MakeCalls({"INSERT INTO t(v) VALUES ('b')", "INSERT INTO t(v) VALUES ('a')",
                                 "INSERT INTO t(v) VALUES ('c')"});
  calls[0]->run.chain = &chain;
  {
    const FileSizeLimit limit(std::filesystem::file_size(folder_ + "/test.db-wal"));
    RunTogether(writer_.get(), calls);
    EXPECT_EQ(Try("INSERT INTO t(v) VALUES ('d')")->reason(), Reason::kIo);
  }
  EXPECT_EQ(calls[0]->reason(), Reason::kIo) << calls[0]->run.status;
  EXPECT_EQ(calls[0]->run.summary.rows_affected, 0);
  EXPECT_TRUE(chain.failed);
  EXPECT_EQ(calls[1]->reason(), Reason::kUniqueViolation);
  EXPECT_EQ(calls[2]->reason(), Reason::kIo);
  EXPECT_EQ(Read("SELECT group_concat(v) FROM t"), "text a");
  Exec("INSERT INTO t(v) VALUES ('e')");
}

TEST_F(GroupTest, AChainStopsAtItsFailure) {
  driver::Chain chain;
  const Calls calls = MakeCalls({"INSERT INTO t(v) VALUES ('a')", "INSERT INTO t(v) VALUES ('a')",
                                 "INSERT INTO t(v) VALUES ('b')", "INSERT INTO t(v) VALUES ('c')"});
  for (const size_t i : {0, 1, 2}) calls[i]->run.chain = &chain;
  RunTogether(writer_.get(), calls);
  EXPECT_TRUE(calls[0]->run.status.ok());
  EXPECT_EQ(calls[1]->reason(), Reason::kUniqueViolation);
  EXPECT_EQ(calls[2]->reason(), Reason::kCancelled);
  EXPECT_TRUE(calls[3]->run.status.ok());
  EXPECT_TRUE(chain.failed);
  EXPECT_EQ(Read("SELECT group_concat(v) FROM t"), "text a,c");
}

TEST_F(GroupTest, RowsAreAllOrNone) {
  const std::vector<std::vector<Value>> good = {
      {Value::Text("a")}, {Value::Text("b")}, {Value::Null()}};
  const std::vector<std::vector<Value>> bad = {{Value::Text("c")}, {Value::Text("a")}};
  const std::vector<std::vector<Value>> short_row = {{Value::Text("d")}, {}};
  for (const bool grouped : {false, true}) {
    SCOPED_TRACE(grouped);
    Exec("DELETE FROM t");
    const char* sql = "INSERT INTO t(v) VALUES ($1)";
    Calls calls = MakeCalls({sql, sql, sql});
    calls[0]->run.rows = good;
    calls[1]->run.rows = bad;
    calls[2]->run.rows = short_row;
    if (grouped) {
      RunTogether(writer_.get(), calls);
    } else {
      for (const auto& call : calls) {
        driver::StatementRun* const run = &call->run;
        writer_->RunBatch({&run, 1});
      }
    }
    EXPECT_EQ(calls[0]->run.summary.rows_affected, 3) << calls[0]->run.status;
    EXPECT_EQ(calls[0]->run.summary.last_insert_id, 3);
    EXPECT_EQ(calls[1]->reason(), Reason::kUniqueViolation);
    EXPECT_NE(calls[1]->message().find("row 2"), std::string::npos) << calls[1]->message();
    EXPECT_EQ(calls[1]->run.summary.rows_affected, 0);
    EXPECT_EQ(calls[2]->reason(), Reason::kInvalidParameter);
    EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 3");
  }
}

TEST_F(GroupTest, ReturningIsWholeAndLimited) {
  Calls calls = MakeCalls({"INSERT INTO t(v) VALUES ('a'), ('b') RETURNING i, v",
                           "INSERT INTO t(v) VALUES ('ccccccccccccccccccccc') RETURNING v"});
  for (const auto& call : calls) call->run.max_returning_bytes = 20;
  calls[0]->run.limits.max_bytes = 1;
  RunTogether(writer_.get(), calls);
  EXPECT_EQ(calls[0]->output.rows,
            (std::vector<std::string>{"integer 1|text a", "integer 2|text b"}));
  EXPECT_EQ(calls[0]->run.summary.rows_returned, 2);
  EXPECT_EQ(calls[0]->run.cursor, nullptr);
  EXPECT_EQ(calls[1]->reason(), Reason::kLimitExceeded);
  const auto alone = std::make_unique<Call>("DELETE FROM t RETURNING i, v");
  alone->run.max_returning_bytes = 2;
  driver::StatementRun* const run = &alone->run;
  writer_->RunBatch({&run, 1});
  EXPECT_EQ(alone->reason(), Reason::kLimitExceeded);
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 2");
}

TEST_F(GroupTest, DdlAndItsUseInOneBatch) {
  const Calls calls =
      MakeCalls({"CREATE TABLE u(a)", "INSERT INTO u VALUES (1)", "ALTER TABLE u ADD COLUMN b",
                 "INSERT INTO u VALUES (2, 3)", "SELECT sum(a) FROM u", "DROP TABLE u"});
  RunTogether(writer_.get(), calls);
  for (const auto& call : calls) EXPECT_TRUE(call->run.status.ok()) << call->run.status;
  EXPECT_EQ(calls[4]->row(), "integer 3");
}

TEST_F(GroupTest, TriggersDoNotCount) {
  Exec("CREATE TABLE log(i INTEGER PRIMARY KEY, v)");
  Exec("INSERT INTO log VALUES (500, 'first')");
  Exec("CREATE TRIGGER tr AFTER UPDATE ON t BEGIN INSERT INTO log(v) VALUES (new.v); END");
  Exec("INSERT INTO t(v) VALUES ('a')");
  const auto call = Try("UPDATE t SET v = 'b'");
  EXPECT_EQ(call->run.summary.rows_affected, 1);
  EXPECT_EQ(call->run.summary.last_insert_id, std::nullopt);
}

}  // namespace
}  // namespace penstock::sqlite
