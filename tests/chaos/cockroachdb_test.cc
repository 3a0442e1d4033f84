// What is CockroachDB's own, on a PostgreSQL at SERIALIZABLE behind a proxy that
// reports it as a CockroachDB.
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "penstock/sql.h"
#include "tests/chaos/fixture.h"

namespace penstock::testing {
namespace {

using Kind = PgwireFault::Kind;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kVersion[] = "CockroachDB CCL v24.1.2 (x86_64-pc-linux-gnu)";

class CockroachDb : public ChaosTest {
 protected:
  CockroachDb() : ChaosTest("cockroachdb") {
    database().driver.connection_string +=
        " options='-c default_transaction_isolation=serializable'";
    proxy().ReportCockroach(kVersion);
    AskServer("CREATE TABLE t (id bigint PRIMARY KEY, v text)");
    AskServer("INSERT INTO t VALUES (1, 'one')");
  }

  // PostgreSQL does not know AS OF SYSTEM TIME: the proxy takes it out, and reads
  // are of what is there now. What is tested is what a CockroachDB would be told.
  void TakeOutSystemTime() {
    proxy().Rewrite([](std::string_view sql) {
      static const std::regex clause(" AS OF SYSTEM TIME '[^']*',");
      return std::regex_replace(std::string(sql), clause, "");
    });
  }

  Outcome QueryStale(const std::string& sql, int64_t seconds, int32_t nanos = 0) {
    v1::QueryRequest request;
    request.set_sql(sql);
    request.mutable_staleness()->set_seconds(seconds);
    request.mutable_staleness()->set_nanos(nanos);
    return wire().Query(request);
  }
};

TEST_F(CockroachDb, TellsItsVersionAndWhatItCan) {
  grpc::ClientContext context;
  v1::PingResponse ping;
  ASSERT_TRUE(wire().stub().Ping(&context, {}, &ping).ok());
  EXPECT_EQ(ping.driver(), "cockroachdb");
  EXPECT_EQ(ping.dialect(), "postgresql");
  EXPECT_EQ(ping.server_version(), kVersion);
  EXPECT_TRUE(ping.capabilities().staleness());
  EXPECT_FALSE(ping.capabilities().transactional_ddl());
}

TEST_F(CockroachDb, AServerThatIsNoneIsRefused) {
  proxy().ReportCockroach("");
  const Outcome outcome = wire().Query("SELECT 1");
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(outcome.status.error_message(), HasSubstr("is not CockroachDB"));
  EXPECT_EQ(outcome.detail.hint(), "use the driver postgres");
}

TEST_F(CockroachDb, IsRefusedByTheDriverOfPostgres) {
  database().driver.driver = "postgres";
  const Outcome outcome = wire().Query("SELECT 1");
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(outcome.detail.hint(), "use the driver cockroachdb");
}

TEST_F(CockroachDb, StatementsThatShareARoundTripShareNoTransaction) {
  database().pool.max_open = database().pool.max_idle = 1;
  // So that callers find each other waiting, and go together.
  proxy().Delay(std::chrono::milliseconds(1));
  EXPECT_EQ(Ask("SELECT 1"), "1");
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 8; ++caller) {
    callers.emplace_back([this, caller] {
      for (int i = 0; i < 20; ++i) {
        // Every other one fails, which must not touch the others.
        const int id = i % 2 == 0 ? 1000 * (caller + 1) + i : 1;
        const Outcome outcome = wire().Exec("INSERT INTO t VALUES ($1, 'x')", {Int(id)});
        EXPECT_EQ(outcome.status.ok(), id != 1) << outcome.status.error_message();
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(AskServer("SELECT count(*) FROM t WHERE v = 'x'"), "80");
  EXPECT_EQ(proxy().counts().most_together, 1);
}

TEST_F(CockroachDb, TheRowsOfOneRequestAreOneTransaction) {
  v1::ExecRequest request;
  request.set_sql("INSERT INTO t VALUES ($1, 'x')");
  for (const int64_t id : {7, 8, 1}) *request.add_rows()->add_values() = Int(id);
  grpc::Status status;
  wire().ExecAll({request}, &status);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ALREADY_EXISTS) << status.error_message();
  EXPECT_EQ(AskServer("SELECT count(*) FROM t"), "1");
  EXPECT_EQ(proxy().counts().most_together, 3);
}

TEST_F(CockroachDb, ASessionIsCleanedByOneStatement) {
  database().pool.max_open = database().pool.max_idle = 1;
  Ask("SET search_path TO nowhere");
  EXPECT_EQ(Ask("SHOW search_path"), "'\"$user\", public'");
  EXPECT_EQ(Ask("SHOW default_transaction_isolation"), "'serializable'");
  EXPECT_THAT(proxy().statements(), Contains("DISCARD ALL"));
  EXPECT_THAT(proxy().statements(), Not(Contains(HasSubstr("advisory"))));
}

TEST_F(CockroachDb, AKeyspaceIsMadeBesideTheTransactionThatNeedsIt) {
  auto db = New({.target = gateway().target()});
  ASSERT_TRUE(db.ok()) << db.status();
  const Context ctx;
  auto tx = (*db)->Transaction(ctx);
  ASSERT_TRUE(tx.ok()) << tx.status();
  ASSERT_TRUE((*tx)->Exec(ctx, "INSERT INTO t VALUES (2, 'two')").ok());
  ASSERT_TRUE((*tx)->KeyValue("fresh")->Put(ctx, "k", "v").ok());
  EXPECT_EQ(*(*tx)->KeyValue("fresh")->Get(ctx, "k"), "v");
  // It is there, and what the transaction has done is not.
  EXPECT_EQ(AskServer("SELECT count(*) FROM penstock_kv_fresh"), "0");
  ASSERT_TRUE((*tx)->Rollback(ctx).ok());
  EXPECT_EQ(AskServer("SELECT count(*) FROM penstock_kv_fresh"), "0");
  EXPECT_EQ(AskServer("SELECT count(*) FROM t"), "1");
  EXPECT_EQ(*(*db)->KeyValue("fresh")->Get(ctx, "k"), std::nullopt);
  EXPECT_THAT(proxy().statements(), Not(Contains(HasSubstr("to_regclass"))));
}

TEST_F(CockroachDb, ALateCancelHitsNobodyElse) {
  database().pool.max_open = database().pool.max_idle = 1;
  for (int i = 0; i < 5; ++i) {
    v1::QueryRequest slow;
    slow.set_sql("SELECT pg_sleep(100)");
    // Long enough for the statement to be sent on a busy machine: without that there is no cancel.
    slow.mutable_timeout()->set_nanos(500'000'000);
    EXPECT_EQ(wire().Query(slow).detail.reason(), v1::REASON_REQUEST_TIMEOUT);
    EXPECT_EQ(Ask("SELECT pg_sleep(0.1) IS NULL"), "false");
  }
  EXPECT_EQ(proxy().counts().opened, 6);
}

// Its documents' protocol for clients, for those who use it by hand.
TEST_F(CockroachDb, ATransactionIsRestartedAtItsSavepoint) {
  proxy().Inject({.matches = Begins("RELEASE"), .sqlstate = "40001", .times = 2});
  TransactionStream transaction(wire());
  transaction.Begin();
  EXPECT_TRUE(transaction.Savepoint("cockroach_restart").has_done());
  for (int attempt = 1; attempt <= 3; ++attempt) {
    EXPECT_TRUE(transaction.Exec("UPDATE t SET v = v || '!'").has_executed());
    const auto released = transaction.Release("cockroach_restart");
    if (attempt == 3) {
      EXPECT_TRUE(released.has_done());
      break;
    }
    EXPECT_EQ(released.error().code(), static_cast<int>(grpc::StatusCode::ABORTED));
    EXPECT_EQ(released.error().detail().retry(), v1::RETRY_TRANSACTION);
    EXPECT_TRUE(transaction.RollbackTo("cockroach_restart").has_done());
  }
  EXPECT_TRUE(transaction.Commit().has_committed());
  EXPECT_EQ(AskServer("SELECT v FROM t"), "one!");
}

TEST_F(CockroachDb, AReleaseWhoseAnswerIsLostIsOfUnknownOutcome) {
  proxy().Inject({.kind = Kind::kLoseAnswer, .matches = Begins("RELEASE")});
  TransactionStream transaction(wire());
  transaction.Begin();
  transaction.Savepoint("cockroach_restart");
  transaction.Exec("UPDATE t SET v = 'two'");
  const auto released = transaction.Release("cockroach_restart");
  EXPECT_EQ(released.error().detail().reason(), v1::REASON_COMMIT_OUTCOME_UNKNOWN)
      << released.ShortDebugString();
}

TEST_F(CockroachDb, RunInTransactionRepeatsUntilItHasBeenDoneOnce) {
  auto db = New({.target = gateway().target()});
  ASSERT_TRUE(db.ok()) << db.status();
  proxy().Inject({.matches = Is("COMMIT"), .sqlstate = "40001", .times = 3});
  proxy().Inject({.matches = Begins("UPDATE"), .sqlstate = "40001", .times = 2});
  int ran = 0;
  const Context ctx = Context().WithTimeout(absl::Seconds(30));
  const absl::Status outcome = RunInTransaction(ctx, **db, [&](Transaction& transaction) {
    ++ran;
    return transaction.Exec(ctx, "UPDATE t SET v = v || '!'").status();
  });
  EXPECT_EQ(outcome, absl::OkStatus());
  EXPECT_EQ(ran, 6);
  EXPECT_EQ(AskServer("SELECT v FROM t"), "one!");
}

TEST_F(CockroachDb, RunInTransactionDoesNotRepeatWhatMayHaveBeenDone) {
  auto db = New({.target = gateway().target()});
  ASSERT_TRUE(db.ok()) << db.status();
  proxy().Inject({.kind = Kind::kLoseAnswer, .matches = Is("COMMIT")});
  int ran = 0;
  const Context ctx;
  const absl::Status outcome = RunInTransaction(ctx, **db, [&](Transaction& transaction) {
    ++ran;
    return transaction.Exec(ctx, "UPDATE t SET v = v || '!'").status();
  });
  EXPECT_TRUE(IsCommitOutcomeUnknown(outcome)) << outcome;
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(AskServer("SELECT v FROM t"), "one!");
}

TEST_F(CockroachDb, StalenessBecomesTheTransactionsSystemTime) {
  TakeOutSystemTime();
  const Outcome outcome = QueryStale("SELECT v FROM t WHERE id = 1", 10, 500'000'000);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status.error_message();
  EXPECT_EQ(outcome.text(), "'one'");
  EXPECT_THAT(proxy().statements(), Contains("BEGIN AS OF SYSTEM TIME '-10.500000s', READ ONLY"));
  // Whoever comes next is not in that transaction.
  EXPECT_TRUE(wire().Exec("UPDATE t SET v = 'two'").status.ok());
  EXPECT_EQ(QueryStale("SELECT v FROM t WHERE id = 1", 10).text(), "'two'");
}

TEST_F(CockroachDb, TheClientAsksForAStaleRead) {
  TakeOutSystemTime();
  const auto db = *New({.target = gateway().target()});
  const Context stale = Context().WithStaleness(absl::Milliseconds(10'500));
  EXPECT_EQ(*db->QueryRow<std::string>(stale, "SELECT v FROM t WHERE id = $1", 1), "one");
  EXPECT_THAT(proxy().statements(), Contains("BEGIN AS OF SYSTEM TIME '-10.500000s', READ ONLY"));
  const auto t = sql::Dyn("t");
  const auto id = t.Column<int64_t>("id");
  EXPECT_EQ(*sql::Select(t.Column<std::string>("v"))
                 .From(t)
                 .Where(id == 1)
                 .FetchOne(Context().WithStaleness(absl::Seconds(3)), *db),
            "one");
  EXPECT_THAT(proxy().statements(), Contains("BEGIN AS OF SYSTEM TIME '-3.000000s', READ ONLY"));
}

TEST_F(CockroachDb, ALongStaleResultIsStreamed) {
  TakeOutSystemTime();
  database().pool.max_open = database().pool.max_idle = 1;
  const Outcome outcome =
      QueryStale("SELECT i, repeat('x', 100) FROM generate_series(1, 50000) AS g(i)", 5);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status.error_message();
  EXPECT_EQ(outcome.rows.size(), 50'000);
  EXPECT_GT(outcome.messages, 1);
  EXPECT_TRUE(wire().Exec("UPDATE t SET v = 'two'").status.ok());
  EXPECT_EQ(proxy().counts().opened, 1);
}

TEST_F(CockroachDb, AStaleReadOutlivesAChangeOfItsTable) {
  TakeOutSystemTime();
  database().pool.max_open = database().pool.max_idle = 1;
  EXPECT_EQ(QueryStale("SELECT * FROM t", 1).text(), "1|'one'");
  AskServer("ALTER TABLE t ADD COLUMN n integer DEFAULT 5");
  EXPECT_EQ(QueryStale("SELECT * FROM t", 1).text(), "1|'one'|5");
}

TEST_F(CockroachDb, OnlyReadsAreStale) {
  TakeOutSystemTime();
  EXPECT_EQ(QueryStale("UPDATE t SET v = 'two'", 1).detail.reason(), v1::REASON_INVALID_PARAMETER);
  EXPECT_EQ(QueryStale("SELECT v FROM t", 0).detail.reason(), v1::REASON_INVALID_PARAMETER);
  EXPECT_EQ(QueryStale("SELECT v FROM t", -1).detail.reason(), v1::REASON_INVALID_PARAMETER);
  EXPECT_EQ(QueryStale("SELECT v FROM t FOR UPDATE", 1).detail.reason(), v1::REASON_READ_ONLY);
  EXPECT_EQ(QueryStale("SELECT nothing FROM t", 1).detail.reason(), v1::REASON_SYNTAX);
  EXPECT_EQ(AskServer("SELECT v FROM t"), "one");
  EXPECT_EQ(QueryStale("SELECT v FROM t", 1).text(), "'one'");
}

}  // namespace
}  // namespace penstock::testing
