// The parts that run statements (StatementRunner, BulkInsert, BatchRunner, TransactionSteps), on
// the parts below them and a scripted server.
#include <string>
#include <vector>

#include "drivers/postgres/batch.h"
#include "drivers/postgres/result_receiver.h"
#include "drivers/postgres/session_keeper.h"
#include "drivers/postgres/statement_runner.h"
#include "drivers/postgres/statement_sender.h"
#include "drivers/postgres/transaction.h"
#include "tests/support/driver_calls.h"
#include "tests/unit/postgres/session_parts.h"

namespace penstock::postgres {
namespace {

using testing::Call;

class StatementPartsTest : public PreparerTest {
 protected:
  StatementPartsTest() { answer_.rows = {{"a"}, {"b"}}; }

  StatementSender sender_{&runner_->link()};
  ResultReceiver receiver_{options_, flavor_, runner_.get(), &transaction_};
  SessionKeeper session_{options_, flavor_, runner_.get(), &transaction_, &preparer_};
  StatementRunner statements_{flavor_,   runner_.get(), &transaction_, &preparer_,
                              &session_, &sender_,      &receiver_};
  BatchRunner batches_{options_,  flavor_,  runner_.get(), &preparer_,
                       &session_, &sender_, &receiver_,    &statements_};
  TransactionSteps steps_{flavor_,   runner_.get(), &transaction_, &preparer_,
                          &session_, &sender_,      &receiver_,    &statements_};
};

TEST_F(StatementPartsTest, AStatementIsPreparedAndRun) {
  Call call("SELECT it FROM t");
  statements_.Run(&call.run, /*may_leave_cursor=*/false);
  EXPECT_TRUE(call.run.status.ok()) << call.run.status;
  EXPECT_EQ(call.output.rows, (std::vector<std::string>{"text a", "text b"}));
  EXPECT_EQ(CountExecuted("SELECT it FROM t"), 1u);
}

TEST_F(StatementPartsTest, ARefusedStatementNeverReachesTheServer) {
  Call call("SELECT 1; SELECT 2");
  statements_.Run(&call.run, /*may_leave_cursor=*/false);
  EXPECT_EQ(call.reason(), Reason::kMultipleStatements);
  EXPECT_EQ(CountExecuted(""), 0u);
}

TEST_F(StatementPartsTest, AnErrorOfTheServerIsTheStatements) {
  answer_.sqlstate = "23505";
  answer_.message = "exists";
  Call call("SELECT it FROM t");
  statements_.Run(&call.run, /*may_leave_cursor=*/false);
  EXPECT_EQ(call.reason(), Reason::kUniqueViolation);
  EXPECT_TRUE(runner_->linked());
}

TEST_F(StatementPartsTest, StatementsOfABatchHaveTheirOwnOutcomes) {
  Call good("SELECT it FROM t");
  Call bad("SELECT 1; SELECT 2");
  Call last("SELECT it FROM u");
  const std::vector<driver::StatementRun*> runs = {&good.run, &bad.run, &last.run};
  for (size_t done = 0; done < runs.size();) {
    done += batches_.RunBatch(std::span(runs).subspan(done));
  }
  EXPECT_TRUE(good.run.status.ok()) << good.run.status;
  EXPECT_EQ(bad.reason(), Reason::kMultipleStatements);
  EXPECT_TRUE(last.run.status.ok()) << last.run.status;
  EXPECT_EQ(last.output.rows.size(), 2u);
}

TEST_F(StatementPartsTest, RowsAreOneTransaction) {
  BulkInsert bulk(flavor_, runner_.get(), &transaction_, &preparer_, &sender_, &receiver_);
  answer_ = {.parameters = {oid::kText}, .tag = "UPDATE 1"};
  const std::vector<std::vector<Value>> rows = {{Value::Text("a")}, {Value::Text("b")}};
  Call call("UPDATE t SET it = $1");
  call.run.rows = rows;
  auto statement = preparer_.Prepare(call.run.sql, rows[0], /*prepared=*/true, Watch());
  ASSERT_TRUE(statement.ok()) << statement.status();
  bulk.RunRows(&call.run, *statement, Watch());
  EXPECT_TRUE(call.run.status.ok()) << call.run.status;
  EXPECT_EQ(call.run.summary.rows_affected, 2);
  EXPECT_EQ(CountExecuted("UPDATE t"), 2u);
}

TEST_F(StatementPartsTest, TheStepsOfATransaction) {
  answer_.state = 'T';
  ASSERT_TRUE(steps_.Begin({}).ok());
  EXPECT_TRUE(transaction_.open);
  EXPECT_TRUE(steps_.Savepoint("s").ok());
  EXPECT_TRUE(steps_.RollbackTo("s").ok());
  EXPECT_TRUE(steps_.Release("s").ok());
  answer_.state.reset();
  answer_.tag = "COMMIT";
  EXPECT_TRUE(steps_.Commit().ok());
  EXPECT_FALSE(transaction_.open);
  EXPECT_EQ(CountExecuted("COMMIT"), 1u);
}

TEST_F(StatementPartsTest, ACommitThatIsNotSentIsLostAndNotUnknown) {
  ASSERT_TRUE(steps_.Begin({}).ok());
  runner_->link().Break();
  const Reason reason = ReasonOf(steps_.Commit());
  EXPECT_EQ(reason, Reason::kConnectionLost);
  EXPECT_FALSE(runner_->linked());
}

}  // namespace
}  // namespace penstock::postgres
