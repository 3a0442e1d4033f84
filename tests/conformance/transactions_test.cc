// Transaction streams: order, atomicity, and every way they can end.
#include <thread>

#include "fmt/format.h"
#include "tests/conformance/backend.h"

namespace penstock::testing {
namespace {

class Transactions : public Conformance {
 protected:
  using Request = TransactionStream::Request;
  using Response = TransactionStream::Response;
  void MakeTable() { Do("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)"); }
  // Once the transaction has gone, another can write again.
  void ExpectRolledBack() {
    Do("INSERT INTO t VALUES (1000, 0)");
    EXPECT_EQ(Ask("SELECT count(*) FROM t"), "1");
    Do("DELETE FROM t");
  }
};
PENSTOCK_CONFORMANCE(Transactions);

// With limits that pass soon: too soon for what does not wait for them.
class LimitedTransactions : public Transactions {
 protected:
  void SetUp() override {
    database().limits.transaction_idle_timeout = std::chrono::milliseconds(300);
    database().limits.transaction_timeout = std::chrono::milliseconds(1500);
  }
};
PENSTOCK_CONFORMANCE(LimitedTransactions);

TEST_P(Transactions, CommitKeepsAndRollbackUndoes) {
  MakeTable();
  TransactionStream kept(wire());
  EXPECT_TRUE(kept.Begin().has_begun());
  EXPECT_EQ(kept.Exec("INSERT INTO t VALUES ($1, $2)", {Int(1), Int(2)}).executed().rows_affected(),
            1);
  EXPECT_EQ(kept.Query("SELECT v FROM t").text(), "2");
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "0") << "seen before the commit";
  EXPECT_TRUE(kept.Commit().has_committed());
  EXPECT_TRUE(kept.Finish().ok());
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "1");
  TransactionStream undone(wire());
  undone.Begin();
  undone.Exec("DELETE FROM t");
  EXPECT_TRUE(undone.Rollback().has_rolled_back());
  EXPECT_TRUE(undone.Finish().ok());
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "1");
}

TEST_P(Transactions, AFailedStatementIsAnAnswer) {
  MakeTable();
  TransactionStream transaction(wire());
  transaction.Begin();
  transaction.Exec("INSERT INTO t VALUES (1, 1)");
  transaction.Savepoint("before");
  const Response failed = transaction.Exec("INSERT INTO t VALUES (1, 2)");
  EXPECT_EQ(failed.error().detail().reason(), v1::REASON_UNIQUE_VIOLATION);
  EXPECT_TRUE(transaction.RollbackTo("before").has_done());
  EXPECT_FALSE(transaction.Query("SELEC").status.ok());
  EXPECT_TRUE(transaction.RollbackTo("before").has_done());
  EXPECT_TRUE(transaction.Exec("INSERT INTO t VALUES (2, 2)").has_executed());
  EXPECT_TRUE(transaction.Commit().has_committed());
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "2");
}

// PostgreSQL's parser is not asked about so long a text, and it runs.
TEST_P(Transactions, WhatWasCommittedIsNotToldAsRolledBack) {
  MakeTable();
  const std::string commit = "/* " + std::string(100'000, 'x') + " */ COMMIT";
  for (const bool commits : {true, false}) {
    TransactionStream transaction(wire());
    transaction.Begin();
    EXPECT_TRUE(
        transaction.Exec("INSERT INTO t VALUES ($1, 1)", {Int(commits ? 1 : 2)}).has_executed());
    const Response ended = transaction.Exec(commit);
    ASSERT_TRUE(ended.has_error());
    EXPECT_EQ(ended.error().detail().retry(), v1::RETRY_NEVER);
    if (ended.error().detail().reason() == v1::REASON_TRANSACTION_CONTROL) {
      // It was refused, and the transaction is there still.
      EXPECT_TRUE(transaction.Rollback().has_rolled_back());
      EXPECT_EQ(Ask("SELECT count(*) FROM t"), "0");
      continue;
    }
    EXPECT_EQ(ended.error().detail().reason(), v1::REASON_COMMIT_OUTCOME_UNKNOWN);
    EXPECT_TRUE(transaction.Exec("INSERT INTO t VALUES (9, 9)").has_error());
    const Response end = commits ? transaction.Commit() : transaction.Rollback();
    EXPECT_FALSE(end.has_committed() || end.has_rolled_back()) << end.ShortDebugString();
    EXPECT_EQ(transaction.Finish().error_code(), grpc::StatusCode::UNKNOWN);
    EXPECT_EQ(Ask("SELECT count(*) FROM t WHERE id = 9"), "0");
  }
}

TEST_P(Transactions, AChangeOfTheSchemaIsPartOfItOrRefused) {
  MakeTable();
  TransactionStream transaction(wire());
  transaction.Begin();
  EXPECT_TRUE(transaction.Exec("INSERT INTO t VALUES (1, 1)").has_executed());
  const Response changed = transaction.Exec("CREATE TABLE u (id INTEGER PRIMARY KEY)");
  if (!backend().has_transactional_ddl()) {
    EXPECT_EQ(changed.error().code(), grpc::StatusCode::UNIMPLEMENTED);
    EXPECT_NE(changed.error().message().find("transactional_ddl"), std::string::npos);
  } else {
    EXPECT_TRUE(changed.has_executed());
  }
  EXPECT_TRUE(transaction.Exec("INSERT INTO t VALUES (2, 2)").has_executed());
  EXPECT_TRUE(transaction.Rollback().has_rolled_back());
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "0");
  EXPECT_EQ(wire().Query("SELECT * FROM u").detail.reason(), v1::REASON_UNDEFINED_TABLE);
}

TEST_P(Transactions, SavepointsNest) {
  MakeTable();
  TransactionStream transaction(wire());
  transaction.Begin();
  transaction.Exec("INSERT INTO t VALUES (1, 1)");
  EXPECT_TRUE(transaction.Savepoint("outer_1").has_done());
  transaction.Exec("INSERT INTO t VALUES (2, 2)");
  EXPECT_TRUE(transaction.Savepoint("inner_1").has_done());
  transaction.Exec("INSERT INTO t VALUES (3, 3)");
  EXPECT_TRUE(transaction.RollbackTo("inner_1").has_done());
  EXPECT_EQ(transaction.Query("SELECT count(*) FROM t").text(), "2");
  EXPECT_TRUE(transaction.RollbackTo("outer_1").has_done());
  EXPECT_TRUE(transaction.Release("outer_1").has_done());
  EXPECT_TRUE(transaction.Savepoint("no; such").has_error());
  EXPECT_TRUE(transaction.Release("never_set").has_error());
  transaction.Rollback();
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "0");
}

TEST_P(Transactions, PreparedStatementsLiveInIt) {
  MakeTable();
  TransactionStream transaction(wire());
  transaction.Begin();
  Request request;
  request.mutable_prepare()->set_sql("INSERT INTO t VALUES ($1, $2)");
  const uint64_t insert = transaction.Step(request).prepared().statement();
  for (int i = 0; i < 5; ++i) {
    request.mutable_execute()->set_statement(insert);
    Assign(request.mutable_execute()->mutable_args(), {Int(i), Int(i * i)});
    EXPECT_EQ(transaction.Step(request).result().summary().rows_affected(), 1);
  }
  request.mutable_close_statement()->set_statement(insert);
  EXPECT_TRUE(transaction.Step(request).has_done());
  request.mutable_execute()->set_statement(insert);
  EXPECT_NE(transaction.Step(request).error().message().find("closed"), std::string::npos);
  EXPECT_TRUE(transaction.Commit().has_committed());
  EXPECT_EQ(Ask("SELECT sum(v) FROM t"), "30");
}

TEST_P(Transactions, RowsAreAtomicWithinIt) {
  MakeTable();
  TransactionStream transaction(wire());
  transaction.Begin();
  Request request;
  request.mutable_exec()->set_sql("INSERT INTO t VALUES ($1, 0)");
  for (const int id : {1, 2, 1}) *request.mutable_exec()->add_rows()->add_values() = Int(id);
  transaction.Savepoint("rows");
  EXPECT_TRUE(transaction.Step(request).has_error());
  transaction.RollbackTo("rows");
  EXPECT_EQ(transaction.Query("SELECT count(*) FROM t").text(), "0");
}

TEST_P(Transactions, AReadOnlyOneCannotWriteAndSeesOneSnapshot) {
  MakeTable();
  TransactionStream transaction(wire());
  Request begin;
  begin.mutable_begin()->set_read_only(true);
  begin.mutable_begin()->set_isolation(v1::ISOLATION_LEVEL_REPEATABLE_READ);
  EXPECT_TRUE(transaction.Step(begin).has_begun());
  // PostgreSQL takes the snapshot with the first statement.
  EXPECT_EQ(transaction.Query("SELECT count(*) FROM t").text(), "0");
  Do("INSERT INTO t VALUES (1, 1)");
  EXPECT_EQ(transaction.Query("SELECT count(*) FROM t").text(), "0");
  const Response refused = transaction.Exec("DELETE FROM t");
  EXPECT_EQ(refused.error().detail().reason(), v1::REASON_READ_ONLY);
}

TEST_P(Transactions, MessagesOutOfOrderEndItAndRollBack) {
  MakeTable();
  const auto expect_protocol = [](TransactionStream& stream) {
    const grpc::Status status = stream.Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(DetailOf(status).reason(), v1::REASON_PROTOCOL) << status.error_message();
  };
  TransactionStream no_begin(wire());
  no_begin.Exec("INSERT INTO t VALUES (1, 1)");
  expect_protocol(no_begin);
  TransactionStream twice(wire());
  twice.Begin();
  twice.Exec("INSERT INTO t VALUES (1, 1)");
  twice.Begin();
  expect_protocol(twice);
  TransactionStream empty(wire());
  empty.Begin();
  empty.Exec("INSERT INTO t VALUES (1, 1)");
  empty.Step(Request());
  expect_protocol(empty);
  ExpectRolledBack();
}

TEST_P(Transactions, NothingIsDoneAfterCommit) {
  MakeTable();
  TransactionStream transaction(wire());
  Request commit;
  commit.mutable_commit();
  Request insert;
  insert.mutable_exec()->set_sql("INSERT INTO t VALUES (1, 1)");
  transaction.Begin();
  transaction.Write(commit);
  transaction.Write(insert);
  Response response;
  EXPECT_TRUE(transaction.Read(&response));
  EXPECT_TRUE(response.has_committed());
  EXPECT_FALSE(transaction.Read(&response));
  transaction.Finish();
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "0");
}

// A stream that is cut off at every point of a transaction leaves nothing.
TEST_P(Transactions, CutOffAnywhereItIsRolledBack) {
  MakeTable();
  for (int steps = 0; steps <= 4; ++steps) {
    for (const bool cancel : {true, false}) {
      {
        TransactionStream transaction(wire());
        if (steps >= 1) transaction.Begin();
        if (steps >= 2) transaction.Exec("INSERT INTO t VALUES (1, 1)");
        if (steps >= 3) transaction.Savepoint("s");
        if (steps >= 4) {
          Request request;  // written, and its answer not awaited
          request.mutable_exec()->set_sql("INSERT INTO t VALUES (2, 2)");
          transaction.Write(request);
        }
        if (cancel) {
          transaction.Cancel();
        } else {
          transaction.Finish();
        }
      }
      ExpectRolledBack();
    }
  }
}

TEST_P(LimitedTransactions, TheIdleLimitEndsItAndIsNamed) {
  MakeTable();
  TransactionStream transaction(wire());
  transaction.Begin();
  transaction.Exec("INSERT INTO t VALUES (1, 1)");
  Response response;
  EXPECT_FALSE(transaction.Read(&response));  // until the daemon ends the stream
  const grpc::Status status = transaction.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(DetailOf(status).reason(), v1::REASON_TRANSACTION_IDLE_TIMEOUT);
  ExpectRolledBack();
}

TEST_P(LimitedTransactions, TheTotalLimitEndsItWhileItRuns) {
  MakeTable();
  TransactionStream transaction(wire());
  transaction.Begin();
  transaction.Exec("INSERT INTO t VALUES (1, 1)");
  transaction.Query(backend().endless_query());
  const grpc::Status status = transaction.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(DetailOf(status).reason(), v1::REASON_TRANSACTION_TIMEOUT) << status.error_message();
  ExpectRolledBack();
}

TEST_P(Transactions, AStatementsTimeoutIsAnAnswer) {
  MakeTable();
  TransactionStream transaction(wire());
  transaction.Begin(true);
  transaction.Savepoint("before");
  Request request;
  request.mutable_query()->set_sql(backend().endless_query());
  request.mutable_query()->mutable_timeout()->set_nanos(50'000'000);
  EXPECT_EQ(transaction.Step(request).error().detail().reason(), v1::REASON_REQUEST_TIMEOUT);
  transaction.RollbackTo("before");
  EXPECT_EQ(transaction.Query("SELECT 1").text(), "1");
}

// Adds one to the counter; false: it is to be tried again, as the error says, which
// may come at any step where transactions are serializable.
bool CountUp(Wire& wire) {
  TransactionStream transaction(wire);
  EXPECT_TRUE(transaction.Begin().has_begun());
  const auto updated = transaction.Exec("UPDATE counter SET n = n + 1");
  if (updated.has_error()) {
    EXPECT_EQ(updated.error().detail().retry(), v1::RETRY_TRANSACTION)
        << updated.ShortDebugString();
    return false;
  }
  const bool committed = transaction.Commit().has_committed();
  const grpc::Status status = transaction.Finish();
  EXPECT_EQ(committed, status.ok());
  EXPECT_TRUE(committed || DetailOf(status).retry() == v1::RETRY_TRANSACTION)
      << status.error_message();
  return committed;
}

TEST_P(Transactions, ManyAtOnceAllFinish) {
  Do("CREATE TABLE counter (n INTEGER)");
  Do("INSERT INTO counter VALUES (0)");
  constexpr int kThreads = 16;
  constexpr int kEach = 10;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this] {
      for (int j = 0; j < kEach; ++j) {
        while (!CountUp(wire()) && !HasFailure()) {
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Ask("SELECT n FROM counter"), fmt::format("{}", kThreads * kEach));
}

TEST_P(Transactions, ALargeResultStreamsWithinIt) {
  TransactionStream transaction(wire());
  transaction.Begin(true);
  const Outcome outcome = transaction.Query(backend().series(50'000));
  EXPECT_EQ(outcome.rows.size(), 50'000u);
  EXPECT_GT(outcome.messages, 3);
  EXPECT_EQ(transaction.Query("SELECT 1").text(), "1");
}

TEST_P(Transactions, AQueryThatFailsMidwayIsAnErrorAndLeavesNothingBehind) {
  MakeTable();
  TransactionStream transaction(wire());
  transaction.Begin();
  EXPECT_TRUE(transaction.Exec("INSERT INTO t VALUES (1, 1)").has_executed());
  for (const int64_t rows : {0, 3, 100'000}) {
    transaction.Savepoint("before");
    const Outcome failed = transaction.Query(backend().fails_after(rows));
    EXPECT_EQ(failed.detail.reason(), v1::REASON_DATA_EXCEPTION) << failed.status.error_message();
    EXPECT_FALSE(failed.has_summary);
    if (rows == 100'000) {
      EXPECT_GT(failed.messages, 1) << "it was to be streamed";
    }
    transaction.RollbackTo("before");
    EXPECT_EQ(transaction.Query("SELECT count(*) FROM t").text(), "1");
  }
  EXPECT_TRUE(transaction.Commit().has_committed());
}

}  // namespace
}  // namespace penstock::testing
