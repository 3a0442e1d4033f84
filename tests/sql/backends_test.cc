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
