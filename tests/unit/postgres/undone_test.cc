// What a failure costs those that share its round trip, counted on the way to the server.
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "fmt/format.h"
#include "tests/support/pgwire_proxy.h"
#include "tests/unit/postgres/fixture.h"

namespace {

thread_local int64_t clock_reads = 0;

}  // namespace

// Takes the place of the C library's, also for the C++ library's clocks.
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  ++clock_reads;
  return static_cast<int>(syscall(SYS_clock_gettime, clock, time));
}

namespace penstock::postgres {
namespace {

using testing::PostgresCluster;

constexpr int kTogether = 64;

class UndoneTest : public PostgresDriverTest {
 protected:
  UndoneTest() {
    Ask("CREATE TABLE points (id integer PRIMARY KEY, name text)");
    Ask("INSERT INTO points SELECT i, 'p' || i FROM generate_series(0, 99) i");
    const size_t database = config_.connection_string.find("dbname=");
    std::string name = config_.connection_string.substr(database + 7);
    name.resize(std::min(name.find(' '), name.size()));
    config_.connection_string = proxy_.connection_string(name);
    OpenDriver();
  }

  // Point selects, each for another row.
  Calls MakeSelects(int count) {
    Calls calls;
    for (int i = 0; i < count; ++i) {
      calls.push_back(std::make_unique<Call>("SELECT name FROM points WHERE id = $1",
                                             std::vector<Value>{Value::Integer(i)}));
    }
    return calls;
  }
  // Puts the statement `sql` in the place of one of them. It takes 1 as its argument.
  static void Replace(Calls* calls, size_t place, const std::string& sql) {
    (*calls)[place] = std::make_unique<Call>(sql, std::vector<Value>{Value::Integer(1)});
  }

  // Runs them as one batch, and returns how many statements the server was sent for it.
  int64_t Run(const Calls& calls) {
    // The last time may have been slow, on a busy machine.
    MakeBrisk(calls);
    const int64_t before = proxy_.counts().executed;
    RunTogether(connection_.get(), calls);
    return proxy_.counts().executed - before;
  }
  void ExpectSelected(const Calls& calls, const std::string& sql = "") {
    for (size_t i = 0; i < calls.size(); ++i) {
      if (calls[i]->sql == sql) continue;
      EXPECT_TRUE(calls[i]->run.status.ok()) << i << ": " << calls[i]->run.status;
      EXPECT_EQ(calls[i]->row(), fmt::format("text p{}", i));
    }
  }

  testing::PgwireProxy proxy_{PostgresCluster::Shared().socket_folder()};
};

TEST_F(UndoneTest, TheTimeIsAskedForAsOftenAsThereAreStatements) {
  const Calls calls = MakeSelects(kTogether);
  MakeBrisk(calls);
  const int64_t before = clock_reads;
  RunTogether(connection_.get(), calls);
  const int64_t reads = clock_reads - before;
  ExpectSelected(calls);
  EXPECT_GT(reads, 0) << "the clock is read in another way";
  // One for each that is sent, and some for each wait.
  EXPECT_LE(reads, 6 * kTogether);
}

// Whichever of them it is whose time is up, and while whichever is waited for.
TEST_F(UndoneTest, TheTimeOfOneBehindHolds) {
  Calls calls = MakeSelects(kTogether);
  const std::string sleeps = "SELECT pg_sleep($1)";
  const std::vector<Value> moment = {Value::Real(0)};
  const std::vector<Value> some_time = {Value::Real(1)};
  Replace(&calls, 3, sleeps);
  calls[3]->run.args = moment;
  MakeBrisk(calls);
  calls[3]->run.args = some_time;
  calls[40]->run.deadline = {.at = std::chrono::steady_clock::now() + std::chrono::milliseconds(50),
                             .reason = Reason::kQueryTimeout};
  RunTogether(connection_.get(), calls);
  EXPECT_EQ(calls[40]->reason(), Reason::kQueryTimeout) << calls[40]->run.status;
  EXPECT_TRUE(calls[3]->run.status.ok()) << calls[3]->run.status;
  calls.erase(calls.begin() + 40, calls.end());
  ExpectSelected(calls, sleeps);
}

TEST_F(UndoneTest, WhatHasFailedUndoesNobodyAgain) {
  // At the execution, at its end after rows, and at the binding of the parameter.
  for (const auto& [sql, value] : std::vector<std::pair<std::string, Value>>{
           {"SELECT 1 / $1::integer", Value::Integer(0)},
           {"SELECT 1 / (g - $1::integer) FROM generate_series(2, 500) g", Value::Integer(400)},
           {"SELECT $1::integer + 1", Value::Text("no number")}}) {
    Calls calls = MakeSelects(kTogether);
    Replace(&calls, 20, sql);
    MakeBrisk(calls);
    const std::vector<Value> bad = {value};
    calls[20]->run.args = bad;
    // All but the one at fault run again, and nothing more than once more.
    EXPECT_EQ(Run(calls), 2 * kTogether - 1) << sql;
    EXPECT_EQ(calls[20]->reason(), Reason::kDataException) << calls[20]->run.status;
    ExpectSelected(calls, sql);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(Run(calls), kTogether) << sql;
      EXPECT_EQ(calls[20]->reason(), Reason::kDataException) << calls[20]->run.status;
      ExpectSelected(calls, sql);
    }
  }
}

TEST_F(UndoneTest, HalfOfThemMayFail) {
  Calls calls = MakeSelects(kTogether);
  std::vector<std::string> texts;
  for (size_t i = 0; i < calls.size(); i += 2) {
    Replace(&calls, i, fmt::format("SELECT {} / $1::integer", i));
  }
  MakeBrisk(calls);
  const std::vector<Value> zero = {Value::Integer(0)};
  for (size_t i = 0; i < calls.size(); i += 2) calls[i]->run.args = zero;
  EXPECT_EQ(Run(calls), 2 * kTogether - 1);
  EXPECT_EQ(Run(calls), kTogether);
  for (size_t i = 0; i < calls.size(); ++i) {
    EXPECT_EQ(calls[i]->reason(), i % 2 == 0 ? Reason::kDataException : Reason::kUnspecified) << i;
  }
}

// The statement is everybody's, and the value one caller's.
TEST_F(UndoneTest, ABadValueDoesNotMakeOthersForgetTheStatement) {
  const Calls calls = MakeSelects(kTogether);
  MakeBrisk(calls);
  // The first is refused by the server, the second by the driver.
  for (const Value& value : {Value::Text("no number"), Value::Integer(int64_t{1} << 40)}) {
    const std::vector<Value> bad = {value};
    calls[20]->run.args = bad;
    EXPECT_LE(Run(calls), 2 * kTogether - 1);
    EXPECT_EQ(calls[20]->reason(), Reason::kDataException) << calls[20]->run.status;
    for (int i = 0; i < 3; ++i) EXPECT_LE(Run(calls), kTogether);
    EXPECT_EQ(calls[20]->reason(), Reason::kDataException) << calls[20]->run.status;
    calls[20]->run.args = calls[20]->args;
    EXPECT_EQ(Run(calls), kTogether);
    ExpectSelected(calls);
  }
}

TEST_F(UndoneTest, WhatSucceedsSharesAgainLater) {
  Calls calls = MakeSelects(8);
  Replace(&calls, 4, "SELECT 'p4' WHERE 1 / $1::integer = 1");
  MakeBrisk(calls);
  const std::vector<Value> zero = {Value::Integer(0)};
  calls[4]->run.args = zero;
  driver::StatementRun* const fails = &calls[4]->run;
  connection_->RunBatch({&fails, 1});
  EXPECT_EQ(calls[4]->reason(), Reason::kDataException);
  calls[4]->run.args = calls[4]->args;
  EXPECT_EQ(Run(calls), 8);
  EXPECT_EQ(proxy_.counts().most_together, 4) << "those before it";
  for (int i = 0; i < 100; ++i) connection_->RunBatch({&fails, 1});
  EXPECT_EQ(Run(calls), 8);
  EXPECT_EQ(proxy_.counts().most_together, 8);
  ExpectSelected(calls);
}

// Those who may only read have one transaction, in which nothing has a sync of its own.
TEST_F(UndoneTest, WhatHasFailedIsLeftOutWhereAllMayOnlyRead) {
  Calls calls = MakeSelects(kTogether);
  Replace(&calls, 20, "SELECT 1 / $1::integer");
  for (const auto& call : calls) call->run.must_only_read = true;
  MakeBrisk(calls);
  const std::vector<Value> zero = {Value::Integer(0)};
  calls[20]->run.args = zero;
  RunTogether(connection_.get(), calls);
  EXPECT_EQ(calls[20]->reason(), Reason::kDataException) << calls[20]->run.status;
  ExpectSelected(calls, calls[20]->sql);
  std::vector<driver::StatementRun*> runs;
  for (const auto& call : calls) runs.push_back(&call->run);
  EXPECT_EQ(connection_->Together(runs), 20u);
  EXPECT_EQ(connection_->Together(std::span(runs).subspan(20)), 0u);
  EXPECT_EQ(connection_->Together(std::span(runs).subspan(21)), kTogether - 21u);
}

}  // namespace
}  // namespace penstock::postgres
