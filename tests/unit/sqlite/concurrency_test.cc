// Readers beside the writer, each on a thread of its own.
#include <atomic>
#include <thread>

#include "tests/unit/sqlite/fixture.h"

namespace penstock::sqlite {
namespace {

class ConcurrencyTest : public SqliteTest, public ::testing::WithParamInterface<const char*> {
 protected:
  ConcurrencyTest() {
    driver::Config config = ConfigFor("shared.db");
    if (std::string_view(GetParam()) == "memory") config.database = ":memory:";
    OpenConfig(config);
    Exec("CREATE TABLE pairs(a INT, b INT)");
    Exec("INSERT INTO pairs VALUES (0, 0)");
  }
};

// Adds one to both numbers, in two statements of one transaction or one.
void Write(driver::Connection* connection, int round) {
  if (round % 2 == 0) {
    Call call("UPDATE pairs SET a = a + 1, b = b + 1");
    call.run.deadline = In(std::chrono::seconds(30));
    Call other("UPDATE pairs SET a = a");
    driver::StatementRun* const runs[] = {&call.run, &other.run};
    connection->RunBatch(runs);
    EXPECT_TRUE(call.run.status.ok()) << call.run.status;
    return;
  }
  const absl::Status begun = connection->Begin({.deadline = In(std::chrono::seconds(30))});
  ASSERT_TRUE(begun.ok()) << begun;
  for (const char* sql : {"UPDATE pairs SET a = a + 1", "UPDATE pairs SET b = b + 1"}) {
    Call call(sql);
    connection->Run(call.run);
    EXPECT_TRUE(call.run.status.ok()) << call.run.status;
  }
  const absl::Status committed = connection->Commit();
  EXPECT_TRUE(committed.ok()) << committed;
}

TEST_P(ConcurrencyTest, ReadersNeverSeeHalfATransaction) {
  constexpr int kRounds = 100;
  std::atomic<bool> done{false};
  std::atomic<int> reads{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      const auto connection = Connect(Lane::kRead);
      do {
        Call call("SELECT a = b, a FROM pairs");
        Call again("SELECT a = b, a FROM pairs");
        for (Call* each : {&call, &again}) each->run.deadline = In(std::chrono::seconds(30));
        driver::StatementRun* const runs[] = {&call.run, &again.run};
        EXPECT_EQ(connection->RunBatch(runs), 2u);
        ASSERT_TRUE(call.run.status.ok()) << call.run.status;
        ASSERT_EQ(call.row().substr(0, 9), "integer 1");
        ASSERT_EQ(call.row(), again.row());
        ++reads;
      } while (!done);
    });
  }
  for (int round = 0; round < kRounds; ++round) Write(writer_.get(), round);
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_GE(reads, 4);
  EXPECT_EQ(Read("SELECT a, b FROM pairs"), "integer 100|integer 100");
}

TEST_P(ConcurrencyTest, ManyConnectionsSeeOneDatabase) {
  const auto other = Connect(Lane::kRead);
  Call call("SELECT count(*) FROM pairs");
  driver::StatementRun* const run = &call.run;
  other->RunBatch({&run, 1});
  EXPECT_EQ(call.row(), "integer 1");
}

INSTANTIATE_TEST_SUITE_P(Kinds, ConcurrencyTest, ::testing::Values("file", "memory"),
                         [](const auto& kind) { return std::string(kind.param); });

class MemoryTest : public SqliteTest {};

TEST_F(MemoryTest, EachDriverHasItsOwn) {
  driver::Config config = ConfigFor("");
  config.database = ":memory:";
  OpenConfig(config);
  Exec("CREATE TABLE t(a)");
  Exec("INSERT INTO t VALUES (1)");
  Exec("VACUUM");
  EXPECT_TRUE(writer_->Reset().ok());
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 1");
  OpenConfig(config);
  EXPECT_EQ(Try("SELECT * FROM t")->reason(), Reason::kUndefinedTable);
}

TEST_F(MemoryTest, AReaderWaitsForTheWriterWithinItsDeadline) {
  driver::Config config = ConfigFor("");
  config.database = ":memory:";
  config.options["busy_timeout_ms"] = "1";
  OpenConfig(config);
  Exec("CREATE TABLE t(a)");
  ASSERT_TRUE(writer_->Begin({}).ok());
  TryInTransaction("INSERT INTO t VALUES (1)");
  Call late("SELECT count(*) FROM t");
  late.run.deadline = In(std::chrono::milliseconds(20));
  driver::StatementRun* const late_run = &late.run;
  reader_->RunBatch({&late_run, 1});
  EXPECT_EQ(late.reason(), Reason::kRequestTimeout);
  // Longer than busy_timeout_ms, until the writer is done.
  Call patient("SELECT count(*) FROM t");
  patient.run.deadline = In(std::chrono::seconds(30));
  driver::StatementRun* const run = &patient.run;
  std::thread reader([&] { reader_->RunBatch({&run, 1}); });
  EXPECT_TRUE(writer_->Commit().ok());
  reader.join();
  EXPECT_EQ(patient.row(), "integer 1") << patient.run.status;
}

}  // namespace
}  // namespace penstock::sqlite
