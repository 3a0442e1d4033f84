// The ways in which a statement can be run for a caller who may only read: prepared, for rows,
// together with others, in batches, with a limit of time.
#include <chrono>
#include <initializer_list>
#include <utility>

#include "tests/unit/postgres/only_read_fixture.h"

namespace penstock::postgres {
namespace {

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
