// The cases executed: the same rows on every backend.
#include <signal.h>

#include <fstream>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "tests/conformance/backend.h"
#include "tests/sql/case.h"
#include "tests/sql/tables.h"
#include "tests/support/process.h"

namespace penstock::testing {
namespace {

class SqlBackends : public Conformance {
 protected:
  std::unique_ptr<Provider> Connect() { return *New({.target = gateway().target()}); }

  static void Check(const std::vector<Case>& cases, const Context& ctx, Executor& db) {
    for (const Case& tested : cases) {
      const absl::StatusOr<std::vector<std::string>> found = tested.run(ctx, db);
      ASSERT_TRUE(found.ok()) << tested.name << ": " << found.status() << "\n"
                              << tested.build(*db.Dialect(ctx))->text;
      EXPECT_EQ(*found, tested.expected)
          << tested.name << ": " << tested.build(*db.Dialect(ctx))->text;
    }
  }
};

TEST_P(SqlBackends, QueriesFindTheSame) {
  const auto db = Connect();
  const Context ctx;
  ASSERT_EQ(db->Exec(ctx, kCreateUsers).status(), absl::OkStatus());
  ASSERT_EQ(FillUsers(ctx, *db), absl::OkStatus());
  Check(QueryCases(), ctx, *db);
}

TEST_P(SqlBackends, WritesChangeTheSame) {
  const auto db = Connect();
  const Context ctx;
  ASSERT_EQ(db->Exec(ctx, kCreateUsers).status(), absl::OkStatus());
  ASSERT_EQ(FillUsers(ctx, *db), absl::OkStatus());
  Check(WriteCases(), ctx, *db);
}

// A transaction has the provider's dialect.
TEST_P(SqlBackends, ATransactionTakesThem) {
  const auto db = Connect();
  const Context ctx;
  ASSERT_EQ(db->Exec(ctx, kCreateUsers).status(), absl::OkStatus());
  const auto tx = *db->Transaction(ctx);
  ASSERT_EQ(FillUsers(ctx, *tx), absl::OkStatus());
  Check(QueryCases(), ctx, *tx);
  Check(WriteCases(), ctx, *tx);
  EXPECT_EQ(tx->Rollback(ctx), absl::OkStatus());
}

// What a context says of a read reaches the daemon, whoever writes the statement.
TEST_P(SqlBackends, AStaleReadIsServedOrRefused) {
  const auto db = Connect();
  const Context ctx;
  ASSERT_EQ(db->Exec(ctx, kCreateUsers).status(), absl::OkStatus());
  const Context stale = ctx.WithStaleness(absl::Seconds(1));
  const bool serves = db->Inspect(stale)->staleness;
  for (const absl::Status& read : {sql::Select(users.id).From(users).FetchAll(stale, *db).status(),
                                   sql::Select(users.id)
                                       .From(users)
                                       .OrderBy(sql::Asc(users.id))
                                       .Limit(1)
                                       .FetchPage(stale, *db)
                                       .status(),
                                   db->QueryAll<int64_t>(stale, "SELECT id FROM users").status()}) {
    EXPECT_EQ(read.code(), serves ? absl::StatusCode::kOk : absl::StatusCode::kUnimplemented)
        << read;
  }
}

// Anything else would be done as of now, which is not what was asked for.
TEST_P(SqlBackends, AStalenessIsForReadsAlone) {
  const auto db = Connect();
  const Context ctx;
  ASSERT_EQ(db->Exec(ctx, kCreateUsers).status(), absl::OkStatus());
  const Context stale = ctx.WithStaleness(absl::Seconds(1)).WithTimeout(absl::Seconds(60));
  const auto tx = *db->Transaction(ctx);
  const auto kv = db->KeyValue("keys");
  for (const absl::Status& refused :
       {sql::DeleteFrom(users).All().Exec(stale, *db).status(),
        db->Exec(stale, "DELETE FROM users").status(), db->Prepare(stale, "SELECT 1").status(),
        db->ExecBatch(stale, {{.sql = "DELETE FROM users"}})[0].status(),
        db->Transaction(stale).status(), tx->Query(stale, "SELECT 1").status(),
        sql::Select(users.id).From(users).FetchAll(stale, *tx).status(),
        kv->Get(stale, "a").status(), kv->Put(stale, "a", "b"),
        RunInTransaction(stale, *db, [](Transaction&) { return absl::OkStatus(); })}) {
    EXPECT_TRUE(absl::IsInvalidArgument(refused)) << refused;
    EXPECT_THAT(std::string(refused.message()), ::testing::HasSubstr("staleness"));
  }
  for (const absl::Duration wrong :
       {absl::ZeroDuration(), absl::Seconds(-1), absl::Nanoseconds(1), absl::InfiniteDuration()}) {
    const absl::Status refused = db->Query(ctx.WithStaleness(wrong), "SELECT 1").status();
    EXPECT_TRUE(absl::IsInvalidArgument(refused)) << refused;
    EXPECT_THAT(std::string(refused.message()), ::testing::HasSubstr("WithStaleness("));
  }
}

TEST_P(SqlBackends, ABatchEndsAtItsFirstFailure) {
  const auto db = Connect();
  const Context ctx;
  ASSERT_EQ(db->Exec(ctx, "CREATE TABLE t (id BIGINT PRIMARY KEY)").status(), absl::OkStatus());
  const auto insert = [](int64_t id) {
    return BatchStatement{.sql = "INSERT INTO t VALUES ($1)", .args = {id}};
  };
  auto outcomes =
      db->ExecUntilFailure(ctx, {insert(1), insert(2), insert(1), insert(3), insert(4)});
  ASSERT_EQ(outcomes.size(), 5u);
  EXPECT_EQ(outcomes[0]->RowsAffected(), 1);
  EXPECT_EQ(outcomes[1]->RowsAffected(), 1);
  EXPECT_TRUE(IsUniqueViolation(outcomes[2].status())) << outcomes[2].status();
  for (size_t i : {3, 4}) {
    EXPECT_TRUE(absl::IsAborted(outcomes[i].status())) << outcomes[i].status();
    EXPECT_TRUE(IsRetryable(outcomes[i].status()));
  }
  EXPECT_THAT(*db->QueryAll<int64_t>(ctx, "SELECT id FROM t ORDER BY id"),
              ::testing::ElementsAre(1, 2));
  // One that cannot be sent is a failure as any other.
  outcomes = db->ExecUntilFailure(ctx, {insert(5), {.sql = ""}, insert(6)});
  EXPECT_TRUE(outcomes[0].ok() && absl::IsInvalidArgument(outcomes[1].status()) &&
              absl::IsAborted(outcomes[2].status()));
  // The stream of such a batch is not one for others.
  outcomes = db->ExecUntilFailure(ctx, {insert(7), insert(8)});
  EXPECT_TRUE(outcomes[0].ok() && outcomes[1].ok());
  outcomes = db->ExecBatch(ctx, {insert(8), insert(9)});
  EXPECT_TRUE(!outcomes[0].ok() && outcomes[1].ok());
  EXPECT_TRUE(db->ExecUntilFailure(ctx, {}).empty());
}

// A whole program: eight threads that sell what there is.
TEST_P(SqlBackends, TheOrderServiceRuns) {
  TempDir folder;
  Process example({BuiltProgram("example_orders"), gateway().target(), PENSTOCK_TEST_ORDERS},
                  folder.path());
  EXPECT_EQ(example.Wait(), 0) << example.output();
}

PENSTOCK_CONFORMANCE(SqlBackends);

// The two columns that pebble has.
class SqlKeyValue : public SqlBackends {};

TEST_P(SqlKeyValue, TwoColumnsAreTheSameEverywhere) {
  const auto db = Connect();
  const Context ctx;
  ASSERT_EQ(
      db->Exec(ctx, "CREATE TABLE entries (key TEXT PRIMARY KEY, value TEXT NOT NULL)").status(),
      absl::OkStatus());
  Check(KeyValueCases(), ctx, *db);
}

PENSTOCK_CONFORMANCE_ON(SqlKeyValue, KeyValueBackends());

// Another daemon may have another database under the same name.
TEST(SqlDialectTest, IsAskedAgainAfterAReconnect) {
  TempDir folder;
  const std::string target = "unix:" + folder.path() + "/penstock.sock";
  const auto start = [&](const std::string& driver) {
    const std::string file = folder.path() + "/" + driver + ".yaml";
    std::ofstream(file) << fmt::format(
        "data_dir: {}/{}\nserver: {{listen: ['{}'], http_listen: '127.0.0.1:0'}}\n"
        "databases:\n  main: {{driver: {}}}\n",
        folder.path(), driver, target, driver);
    auto daemon = std::make_unique<Process>(
        std::vector<std::string>{BuiltProgram("penstockd"), "--config", file}, folder.path());
    EXPECT_TRUE(daemon->WaitForOutput("penstockd ready")) << daemon->output();
    return daemon;
  };
  auto daemon = start("sqlite");
  const auto db = *New({.target = target});
  const Context ctx;
  ASSERT_EQ(*db->Dialect(ctx), sql::Dialect::kSqlite);
  daemon->Signal(SIGKILL);
  daemon->Wait();
  daemon = start("pebble");
  // The first call after it, which is not the builder's, connects.
  EXPECT_EQ(
      db->Exec(ctx, "CREATE TABLE entries (key TEXT PRIMARY KEY, value TEXT NOT NULL)").status(),
      absl::OkStatus());
  EXPECT_EQ(*db->Dialect(ctx), sql::Dialect::kPebble);
  EXPECT_TRUE(absl::IsUnimplemented(
      sql::DeleteFrom(kv).Where(kv.key == "a").Returning(kv.key).FetchAll(ctx, *db).status()));
  // A database that the daemon does not have.
  const auto wrong = *New({.target = target, .database = "nope"});
  EXPECT_TRUE(IsUnknownDatabase(wrong->Dialect(ctx).status()));
}

}  // namespace
}  // namespace penstock::testing
