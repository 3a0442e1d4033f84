// The parts of a connection, each by itself, against a scripted server.
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "drivers/postgres/result_receiver.h"
#include "drivers/postgres/session_keeper.h"
#include "drivers/postgres/statement_sender.h"
#include "tests/support/driver_calls.h"
#include "tests/unit/postgres/session_parts.h"

namespace penstock::postgres {
namespace {

using testing::Call;

TEST_F(SessionPartsTest, TheRunnerTellsTheServersError) {
  EXPECT_TRUE(runner_->Control("SELECT 1", Watch()).ok());
  answer_.sqlstate = "23505";
  answer_.message = "exists";
  EXPECT_EQ(ReasonOf(runner_->Control("SELECT 1", Watch())), Reason::kUniqueViolation);
  EXPECT_TRUE(runner_->linked());
}

TEST_F(SessionPartsTest, TheRunnerCancelsWhatTakesTooLong) {
  answer_.takes = kLimit;
  const auto watch = Watch(std::chrono::milliseconds(50));
  EXPECT_EQ(ReasonOf(runner_->Control("SELECT 1", watch)), Reason::kQueryTimeout);
  EXPECT_GE(server_.cancels(), 1);
  answer_.takes = {};
  EXPECT_TRUE(runner_->Control("SELECT 2", Watch()).ok());
}

TEST_F(SessionPartsTest, TheRunnerCancelsForTheCaller) {
  answer_.takes = kLimit;
  driver::Cancellation cancellation;
  const CommandWatch watch(&runner_->link(), Limit(), &cancellation);
  cancellation.Cancel(driver::MakeError(Reason::kCancelled, "not wanted"));
  EXPECT_EQ(ReasonOf(runner_->Control("SELECT 1", watch)), Reason::kCancelled);
}

TEST_F(SessionPartsTest, OnlyCockroachIsHitByCancelsOfOthers) {
  answer_.sqlstate = "57014";
  answer_.message = "query execution canceled";
  const absl::Status status = runner_->Control("SELECT 1", Watch());
  EXPECT_FALSE(runner_->HitByCancel(status));
  flavor_.cockroach = true;
  EXPECT_TRUE(runner_->HitByCancel(status));
  answer_.message = "query execution canceled due to statement timeout";
  EXPECT_FALSE(runner_->HitByCancel(runner_->Control("SELECT 1", Watch())));
}

TEST_F(PreparerTest, AStatementIsDescribedOnce) {
  Statement* statement = Prepare("SELECT 1 AS it");
  ASSERT_NE(statement, nullptr);
  EXPECT_TRUE(statement->fresh);
  EXPECT_FALSE(statement->name.empty());
  EXPECT_EQ(statement->columns->front().name, "it");
  EXPECT_EQ(Prepare("SELECT 1 AS it"), statement);
  EXPECT_FALSE(statement->fresh);
  definitions_.Change();
  preparer_.Refresh();
  statement = Prepare("SELECT 1 AS it");
  ASSERT_NE(statement, nullptr);
  EXPECT_TRUE(statement->fresh);
  EXPECT_EQ(CountExecuted("DEALLOCATE"), 1u);
}

TEST_F(PreparerTest, TextsAreRefusedBeforeTheServerSeesThem) {
  for (const auto& [sql, reason] : std::vector<std::pair<std::string, Reason>>{
           {"", Reason::kEmptyStatement},
           {"SELECT 1; SELECT 2", Reason::kMultipleStatements},
           {"COMMIT", Reason::kTransactionControl},
           {"LISTEN a", Reason::kUnsupported}}) {
    EXPECT_EQ(ReasonOf(preparer_.Prepare(sql, {}, true, Watch()).status()), reason) << sql;
    EXPECT_EQ(ReasonOf(preparer_.MakeOnce(sql, {}).status()), reason) << sql;
  }
  EXPECT_EQ(CountExecuted(""), 0u);
}

TEST_F(PreparerTest, TheSchemaDoesNotChangeInATransactionThatWouldBeCommitted) {
  transaction_.open = true;
  EXPECT_EQ(ReasonOf(preparer_.MakeOnce("CREATE TABLE t (i int)", {}).status()),
            Reason::kUnsupported);
  flavor_.info.capabilities.transactional_ddl = true;
  EXPECT_TRUE(preparer_.MakeOnce("CREATE TABLE t (i int)", {}).ok());
}

TEST_F(PreparerTest, TheSenderRefusesWhatDoesNotSuit) {
  StatementSender sender(&runner_->link());
  const std::vector<Value> args = {Value::Integer(1)};
  const auto statement = preparer_.MakeOnce("SELECT $1", args);
  ASSERT_TRUE(statement.ok()) << statement.status();
  EXPECT_TRUE(sender.Encode(args, *statement).ok());
  EXPECT_EQ(ReasonOf(sender.Encode({}, *statement)), Reason::kInvalidParameter);
  const std::vector<std::vector<Value>> rows = {{Value::Integer(1)}, {Value::Integer(2)}};
  EXPECT_EQ(sender.EncodeSeveral(rows, statement->parameters, 8), 2u);
  EXPECT_EQ(sender.EncodeSeveral(rows, statement->parameters, 1), 1u);
  const std::vector<std::vector<Value>> blobs = {{Value::Blob("x")}};
  EXPECT_EQ(sender.EncodeSeveral(blobs, statement->parameters, 8), 0u);
}

class ResultReceiverTest : public PreparerTest {
 protected:
  ResultReceiverTest() : receiver_(options_, flavor_, runner_.get(), &transaction_) {}
  // Runs a statement as it is, and returns how its results have ended.
  ResultReceiver::Ending Receive(Call* call, size_t max_bytes = ResultReceiver::kNoCursor) {
    statement_ = std::make_unique<Statement>(Syntax{.verb = Syntax::Verb::kWrite});
    statement_->sql = call->run.sql;
    statement_->column_types = {types_.Find(oid::kText).get()};
    watch_ = std::make_unique<CommandWatch>(&runner_->link(), Limit(), nullptr);
    command_ = std::make_unique<PendingCommand>(watch_.get());
    EXPECT_TRUE(runner_->link().SendText(statement_->sql));
    runner_->link().RowByRow();
    runner_->link().SendSync();
    return receiver_.Receive(&call->run, *statement_, command_.get(), max_bytes);
  }

  ResultReceiver receiver_;
  std::unique_ptr<Statement> statement_;
  std::unique_ptr<CommandWatch> watch_;
  std::unique_ptr<PendingCommand> command_;
};

TEST_F(ResultReceiverTest, RowsAndTheirNumber) {
  answer_.rows = {{"a"}, {"b"}};
  answer_.tag = "INSERT 0 2";
  Call call("INSERT");
  EXPECT_EQ(Receive(&call), ResultReceiver::Ending::kDone);
  EXPECT_TRUE(call.run.status.ok()) << call.run.status;
  EXPECT_EQ(call.output.rows, (std::vector<std::string>{"text a", "text b"}));
  EXPECT_EQ(call.run.summary.rows_affected, 2);
}

TEST_F(ResultReceiverTest, WhatIsTooLargeIsRefused) {
  answer_.rows = {{"a"}, {"b"}};
  Call call("INSERT");
  ASSERT_EQ(Receive(&call, 1), ResultReceiver::Ending::kMore);
  receiver_.RefuseRest(&call.run, *statement_, command_.get(), ResultReceiver::kNoCursor);
  // The cancel may come when all is done; then all is here.
  if (call.run.status.ok()) {
    EXPECT_EQ(call.output.rows.size(), 2u);
  } else {
    EXPECT_EQ(call.reason(), Reason::kLimitExceeded);
  }
}

TEST_F(ResultReceiverTest, AWriteWhoseAnswerIsLostMayBeDoneUnlessATransactionIsOpen) {
  for (const bool open : {false, true}) {
    transaction_.open = open;
    runner_->link().Break();
    Call call("INSERT");
    statement_ = std::make_unique<Statement>(Syntax{.verb = Syntax::Verb::kWrite});
    watch_ = std::make_unique<CommandWatch>(&runner_->link(), Limit(), nullptr);
    command_ = std::make_unique<PendingCommand>(watch_.get());
    receiver_.Receive(&call.run, *statement_, command_.get(), ResultReceiver::kNoCursor);
    EXPECT_EQ(call.reason(), open ? Reason::kConnectionLost : Reason::kCommitOutcomeUnknown);
  }
}

class SessionKeeperTest : public PreparerTest {
 protected:
  SessionKeeperTest() : session_(options_, flavor_, runner_.get(), &transaction_, &preparer_) {}
  SessionKeeper session_;
};

TEST_F(SessionKeeperTest, OnlyAChangedSessionIsCleaned) {
  session_.CleanUp();
  EXPECT_EQ(CountExecuted("RESET ALL"), 0u);
  session_.MarkChanged();
  session_.Keep(true);
  session_.CleanUp();
  EXPECT_EQ(CountExecuted("RESET ALL"), 0u);
  session_.Keep(false);
  transaction_.open = true;
  session_.CleanUp();
  EXPECT_EQ(CountExecuted("RESET ALL"), 0u);
  transaction_.open = false;
  session_.CleanUp();
  EXPECT_EQ(CountExecuted("RESET ALL"), 1u);
  EXPECT_TRUE(runner_->linked());
  session_.CleanUp();
  EXPECT_EQ(CountExecuted("RESET ALL"), 1u);
}

TEST_F(SessionKeeperTest, TheCallerIsShownOnce) {
  const auto watch = Watch();
  session_.ShowCaller("it's", watch);
  session_.ShowCaller("it's", watch);
  EXPECT_EQ(server_.executed("application_name"),
            std::vector<std::string>{"SET application_name = 'it''s'"});
  session_.ShowCaller("", watch);
  EXPECT_EQ(CountExecuted("RESET application_name"), 1u);
}

TEST_F(SessionKeeperTest, ATransactionThatTheServerHasEndedIsGone) {
  const absl::Status none = session_.CheckTransaction(absl::OkStatus());
  EXPECT_TRUE(none.ok()) << none;
  EXPECT_TRUE(runner_->Control("SELECT 1", Watch()).ok());
  transaction_.open = true;
  EXPECT_EQ(ReasonOf(session_.CheckTransaction(absl::OkStatus())), Reason::kCommitOutcomeUnknown);
  EXPECT_TRUE(transaction_.gone);
}

}  // namespace
}  // namespace penstock::postgres
