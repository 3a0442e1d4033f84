// Statements that share a round trip, and for reads a transaction: no client may
// notice.
#include <thread>

#include "tests/unit/postgres/fixture.h"

namespace penstock::postgres {
namespace {

class TogetherTest : public PostgresDriverTest {
 protected:
  TogetherTest() {
    Ask("CREATE TABLE marks (i bigint)");
    // Reads that write, which their text does not show.
    Ask("CREATE VIEW mark_1 AS SELECT 1::bigint");
    Ask("CREATE VIEW mark_2 AS SELECT 2::bigint");
  }
};

TEST_F(TogetherTest, TheFirstRunOfAStatementIsAlone) {
  const Calls calls = MakeCalls({"SELECT 1", "SELECT 2"});
  std::vector<driver::StatementRun*> runs = {&calls[0]->run, &calls[1]->run};
  EXPECT_EQ(connection_->Together(runs), 0u);
  EXPECT_EQ(connection_->RunBatch(runs), 1u);
}

TEST_F(TogetherTest, EachHasItsOwnResult) {
  std::vector<std::string> texts;
  for (int i = 0; i < 60; ++i) texts.push_back("SELECT " + std::to_string(i));
  const Calls calls = MakeCalls(texts);
  MakeBrisk(calls);
  RunTogether(connection_.get(), calls);
  for (int i = 0; i < 60; ++i) {
    EXPECT_TRUE(calls[i]->run.status.ok()) << calls[i]->run.status;
    EXPECT_EQ(calls[i]->row(), "integer " + std::to_string(i));
    EXPECT_EQ(calls[i]->output.rows.size(), 1u);
    EXPECT_EQ(calls[i]->run.summary.rows_returned, 1);
  }
}

TEST_F(TogetherTest, OnesFailureIsItsOwn) {
  Ask("CREATE TABLE divisors (d integer)");
  Ask("INSERT INTO divisors VALUES (1)");
  const Calls calls =
      MakeCalls({"SELECT 1", "SELECT * FROM mark_1", "SELECT 1 / d FROM divisors",
                 "SELECT * FROM mark_2", "SELECT 2", "INSERT INTO marks VALUES (3)", "SELECT 4"});
  MakeBrisk(calls);
  Ask("DELETE FROM marks");
  Ask("UPDATE divisors SET d = 0");
  RunTogether(connection_.get(), calls);
  for (const auto& call : calls) {
    const bool divides = call == calls[2];
    EXPECT_EQ(call->run.status.ok(), !divides) << call->sql << ": " << call->run.status;
  }
  EXPECT_EQ(calls[2]->reason(), Reason::kDataException);
  EXPECT_EQ(calls[3]->row(), "integer 2");
  EXPECT_EQ(calls[6]->row(), "integer 4");
  // What was written is there once, although the reads before it were run again.
  EXPECT_EQ(Ask("SELECT string_agg(i::text, ' ' ORDER BY i) FROM marks"), "text 3");
}

TEST_F(TogetherTest, ACancelledOneDoesNotTakeOthersWithIt) {
  const Calls calls =
      MakeCalls({"SELECT * FROM mark_1", "SELECT pg_sleep($1)", "SELECT * FROM mark_2"});
  const std::vector<Value> moment = {Value::Real(0)};
  const std::vector<Value> long_time = {Value::Real(1000)};
  calls[1]->run.args = moment;
  MakeBrisk(calls);
  calls[1]->run.args = long_time;
  auto other = Connect();
  std::thread canceller([&] {
    // Only once the server has come to it.
    const std::string sleeps =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' "
        "AND datname = current_database()";
    for (std::string row; row != "integer 1";) {
      Call call(sleeps);
      driver::StatementRun* const run = &call.run;
      other->RunBatch({&run, 1});
      row = call.row();
    }
    calls[1]->cancellation.Cancel(driver::MakeError(Reason::kCancelled, "enough"));
  });
  RunTogether(connection_.get(), calls);
  canceller.join();
  EXPECT_EQ(calls[0]->row(), "integer 1") << calls[0]->run.status;
  EXPECT_EQ(calls[1]->message(), "enough");
  EXPECT_EQ(calls[2]->row(), "integer 2") << calls[2]->run.status;
}

TEST_F(TogetherTest, AStalePlanIsMadeAnew) {
  Ask("CREATE TABLE t (a integer)");
  Ask("INSERT INTO t VALUES (1)");
  const Calls calls = MakeCalls({"SELECT 1", "SELECT * FROM t", "SELECT * FROM mark_1"});
  MakeBrisk(calls);
  AskOutside("ALTER TABLE t ADD COLUMN b text DEFAULT 'new'");
  RunTogether(connection_.get(), calls);
  EXPECT_EQ(calls[1]->row(), "integer 1|text new") << calls[1]->run.status;
  EXPECT_EQ(calls[2]->row(), "integer 1");
}

// Each of them finds that the type which its parameter had is too small.
TEST_F(TogetherTest, TypesOfBeforeAreNobodysError) {
  Ask("CREATE TABLE t (a integer)");
  const Calls calls = MakeCalls({"SELECT 1", "SELECT count(*) FROM t WHERE a = $1",
                                 "SELECT count(*) FROM t WHERE a = $1", "INSERT INTO t VALUES ($1)",
                                 "INSERT INTO t VALUES ($1)", "SELECT 2"});
  const std::vector<Value> small = {Value::Integer(1)};
  const std::vector<Value> large = {Value::Integer(3'000'000'000)};
  for (size_t i = 1; i < 5; ++i) calls[i]->run.args = small;
  MakeBrisk(calls);
  for (size_t i = 1; i < 5; ++i) calls[i]->run.args = large;
  // The type is the right one still: the values are refused, by each for itself.
  RunTogether(connection_.get(), calls);
  for (size_t i = 1; i < 5; ++i) EXPECT_EQ(calls[i]->reason(), Reason::kDataException) << i;
  EXPECT_EQ(calls[5]->row(), "integer 2");
  for (size_t i = 1; i < 5; ++i) calls[i]->run.args = small;
  MakeBrisk(calls);
  for (size_t i = 1; i < 5; ++i) calls[i]->run.args = large;
  AskOutside("ALTER TABLE t ALTER a TYPE bigint");
  RunTogether(connection_.get(), calls);
  for (const auto& call : calls)
    EXPECT_TRUE(call->run.status.ok()) << call->sql << call->run.status;
  EXPECT_EQ(Ask("SELECT count(*) FROM t WHERE a > 2000000000"), "integer 2");
}

TEST_F(TogetherTest, ALostLinkIsEveryonesError) {
  const Calls calls = MakeCalls({"SELECT 1", "SELECT pg_sleep($1)", "SELECT 2"});
  const std::vector<Value> moment = {Value::Real(0)};
  const std::vector<Value> long_time = {Value::Real(1000)};
  calls[1]->run.args = moment;
  MakeBrisk(calls);
  calls[1]->run.args = long_time;
  auto other = Connect();
  std::thread killer([&] {
    const std::string kill =
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event = "
        "'PgSleep' AND datname = current_database()";
    for (std::string row; row != "integer 1";) {
      Call call(kill);
      driver::StatementRun* const run = &call.run;
      other->RunBatch({&run, 1});
      row = call.row();
    }
  });
  RunTogether(connection_.get(), calls);
  killer.join();
  for (const auto& call : calls) EXPECT_EQ(call->reason(), Reason::kConnectionLost) << call->sql;
  EXPECT_FALSE(connection_->healthy());
}

}  // namespace
}  // namespace penstock::postgres
