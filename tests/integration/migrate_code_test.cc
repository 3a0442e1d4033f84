// Migrations that are functions of the client's, through the C++ client.
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "tests/support/gateway.h"
#include "tests/support/postgres_cluster.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;

class CodeSteps : public ::testing::TestWithParam<std::string> {
 protected:
  CodeSteps() {
    server::Config config = SqliteConfig(folder_.path());
    if (GetParam() == "postgres") {
      driver::Config& driver = config.databases.at("main").driver;
      driver = driver::Config();
      driver.name = "main";
      driver.driver = "postgres";
      PostgresCluster& cluster = PostgresCluster::Shared();
      driver.connection_string = cluster.connection_string(cluster.CreateDatabase());
    }
    gateway_ = std::make_unique<Gateway>(config);
    db_ = *New({.target = gateway_->target()});
    std::filesystem::create_directory(files_);
    Write("1_t.up.sql", "CREATE TABLE t (n INTEGER, s TEXT);");
    Write("1_t.down.sql", "DROP TABLE t;");
    Write("3_more.up.sql", "INSERT INTO t VALUES (3, 'file');");
    Write("3_more.down.sql", "DELETE FROM t WHERE n = 3;");
  }

  void Write(const std::string& name, const std::string& content) const {
    std::ofstream(files_ + "/" + name) << content;
  }

  // Version 2 is `up`.
  MigrateOptions With(std::function<absl::Status(Transaction*)> up) const {
    MigrateOptions options;
    options.code.push_back(
        {.version = 2, .name = "fill", .up = std::move(up), .down = [this](Transaction* tx) {
           return tx->Exec(ctx_, "DELETE FROM t WHERE n = 2").status();
         }});
    return options;
  }

  absl::Status Insert(Transaction* tx) const {
    return tx->Exec(ctx_, "INSERT INTO t VALUES ($1, $2)", 2, "code").status();
  }

  std::string Ask(const std::string& sql) {
    auto rows = db_->Query(ctx_, sql);
    if (!rows.ok()) return std::string(rows.status().message());
    std::string text;
    while ((*rows)->Next()) {
      int64_t n = 0;
      if ((*rows)->Scan(&n).ok()) text += std::to_string(n) + " ";
    }
    return text;
  }

  TempDir folder_;
  const std::string files_ = folder_.path() + "/migrations";
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<Provider> db_;
  const Context ctx_;
};

// A statement of the transaction outlives it, and is of no use.
TEST_P(CodeSteps, AFunctionThatThrowsLeavesNothingInUse) {
  std::unique_ptr<Statement> kept;
  const auto throwing = [&](Transaction* tx) -> absl::Status {
    kept = *tx->Prepare(ctx_, "INSERT INTO t VALUES (2, 'code')");
    throw std::runtime_error("thrown by the function");
  };
  EXPECT_THROW(db_->Migrate(ctx_, files_, With(throwing)).IgnoreError(), std::runtime_error);
  EXPECT_TRUE(absl::IsFailedPrecondition(kept->Exec(ctx_).status()));
  kept = nullptr;
  const auto again = [this](Transaction* tx) { return Insert(tx); };
  EXPECT_EQ(db_->Migrate(ctx_, files_, With(again)).status(), absl::OkStatus());
}

// Whoever has the files alone, the command or another program, goes on.
TEST_P(CodeSteps, OneThatIsAppliedIsNothingToWhoeverLacksIt) {
  const MigrateOptions options = With([this](Transaction* tx) { return Insert(tx); });
  const auto before = db_->MigrationStatus(ctx_, files_, options.code);
  ASSERT_TRUE(before.ok()) << before.status();
  ASSERT_EQ(before->migrations.size(), 3u);
  EXPECT_TRUE(before->migrations[1].is_code);
  EXPECT_EQ(before->migrations[1].state, MigrationStatus::State::kPending);
  ASSERT_TRUE(db_->Migrate(ctx_, files_, options).ok());
  const auto status = db_->MigrationStatus(ctx_, files_);
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_TRUE(status->refusal.ok()) << status->refusal;
  EXPECT_EQ(status->migrations[1].state, MigrationStatus::State::kApplied);
  EXPECT_TRUE(status->migrations[1].is_code);
  EXPECT_EQ(status->migrations[1].record.note, "code");
  Write("4_last.up.sql", "INSERT INTO t VALUES (4, 'file');");
  Write("4_last.down.sql", "DELETE FROM t WHERE n = 4;");
  EXPECT_EQ(db_->Migrate(ctx_, files_), absl::OkStatus());
  EXPECT_EQ(Ask("SELECT n FROM t ORDER BY n"), "2 3 4 ");
  MigrateOptions down;
  down.action = MigrateOptions::Action::kTo;
  down.version = 1;
  EXPECT_THAT(std::string(db_->Migrate(ctx_, files_, down).status().message()),
              HasSubstr("migration 2 (fill) cannot be undone here: it is a code step"));
}

TEST_P(CodeSteps, TakeTheirTurnUpAndDown) {
  MigrateOptions options = With([this](Transaction* tx) {
    // Everything a transaction has.
    auto statement = tx->Prepare(ctx_, "INSERT INTO t VALUES ($1, $2)");
    if (!statement.ok()) return statement.status();
    EXPECT_TRUE((*statement)->Exec(ctx_, 100, "gone").ok());
    EXPECT_TRUE(tx->Savepoint(ctx_, "before").ok());
    EXPECT_TRUE(tx->ExecRows(ctx_, "INSERT INTO t VALUES ($1, $2)", {{7, "a"}, {8, "b"}}).ok());
    EXPECT_TRUE(tx->RollbackTo(ctx_, "before").ok());
    EXPECT_TRUE(tx->Exec(ctx_, "DELETE FROM t").ok());
    EXPECT_TRUE(absl::IsFailedPrecondition(tx->Commit(ctx_)));
    return Insert(tx);
  });
  const absl::StatusOr<MigrateResult> up = db_->Migrate(ctx_, files_, options);
  ASSERT_TRUE(up.ok()) << up.status();
  EXPECT_EQ(up->steps, 3);
  EXPECT_EQ(Ask("SELECT n FROM t ORDER BY n"), "2 3 ");
  EXPECT_EQ(Ask("SELECT version FROM penstock_migrations ORDER BY id"), "1 2 3 ");
  options.action = MigrateOptions::Action::kTo;
  options.version = 1;
  EXPECT_TRUE(db_->Migrate(ctx_, files_, options).ok());
  EXPECT_EQ(Ask("SELECT n FROM t ORDER BY n"), "");
}

TEST_P(CodeSteps, AFailureLeavesNothingAndIsReturned) {
  const MigrateOptions failing = With([this](Transaction* tx) {
    EXPECT_TRUE(Insert(tx).ok());
    return absl::AbortedError("not today");
  });
  const absl::Status failed = db_->Migrate(ctx_, files_, failing).status();
  EXPECT_EQ(failed, absl::AbortedError("not today"));
  EXPECT_EQ(Ask("SELECT n FROM t"), "");
  EXPECT_EQ(Ask("SELECT version FROM penstock_migrations ORDER BY id"), "1 ");
  EXPECT_TRUE(
      db_->Migrate(ctx_, files_, With([this](Transaction* tx) { return Insert(tx); })).ok());
  EXPECT_EQ(Ask("SELECT n FROM t ORDER BY n"), "2 3 ");
}

TEST_P(CodeSteps, AFailedStatementIsTheFunctionsToHandle) {
  const absl::Status failed =
      db_->Migrate(ctx_, files_, With([this](Transaction* tx) {
                     return tx->Exec(ctx_, "INSERT INTO nowhere VALUES (1)").status();
                   }))
          .status();
  EXPECT_TRUE(IsUndefinedTable(failed)) << failed;
}

// More than one message, read to its end or left in the middle.
TEST_P(CodeSteps, LargeResults) {
  constexpr int64_t kRows = 50'000;
  const std::string series =
      GetParam() == "postgres"
          ? "SELECT i::bigint, repeat('x', 50) FROM generate_series(1, 50000) i"
          : "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 50000) "
            "SELECT i, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' FROM c";
  std::unique_ptr<Rows> left;
  const absl::StatusOr<MigrateResult> up = db_->Migrate(ctx_, files_, With([&](Transaction* tx) {
                                                          auto rows = tx->Query(ctx_, series);
                                                          if (!rows.ok()) return rows.status();
                                                          int64_t count = 0;
                                                          while ((*rows)->Next()) ++count;
                                                          EXPECT_EQ(count, kRows);
                                                          absl::Status inserted = Insert(tx);
                                                          rows = tx->Query(ctx_, series);
                                                          EXPECT_TRUE(rows.ok() && (*rows)->Next());
                                                          left = *std::move(rows);
                                                          return inserted;
                                                        }));
  ASSERT_TRUE(up.ok()) << up.status();
  left.reset();
  EXPECT_EQ(Ask("SELECT n FROM t ORDER BY n"), "2 3 ");
}

TEST_P(CodeSteps, AClientThatGoesLeavesNothing) {
  const Context context;
  const absl::Status gone = db_->Migrate(context, files_, With([&](Transaction* tx) {
                                           EXPECT_TRUE(Insert(tx).ok());
                                           context.Cancel();
                                           return absl::OkStatus();
                                         }))
                                .status();
  EXPECT_TRUE(IsCancelled(gone)) << gone;
  // Waits for the lock until the daemon has noticed.
  EXPECT_TRUE(
      db_->Migrate(ctx_, files_, With([this](Transaction* tx) { return Insert(tx); })).ok());
  EXPECT_EQ(Ask("SELECT n FROM t ORDER BY n"), "2 3 ");
}

// The client reads and sends it a part at a time, for the status, too.
TEST(MigrationFolder, ThatNoMessageHolds) {
  constexpr size_t kMessage = size_t{4} << 20;
  constexpr size_t kFile = size_t{1} << 19;
  const TempDir folder;
  server::Config config = SqliteConfig(folder.path());
  config.server.max_message_bytes = kMessage;
  const Gateway gateway(config);
  const std::unique_ptr<Provider> db = *New({.target = gateway.target()});
  const Context ctx;
  const std::string files = folder.path() + "/migrations";
  std::filesystem::create_directory(files);
  constexpr int kFiles = 20;
  for (int i = 1; i <= kFiles; ++i) {
    std::ofstream(files + "/" + std::to_string(i) + "_step.up.sql")
        << "-- " << std::string(kFile, 'x') << "\nCREATE TABLE t" << i << " (n INTEGER)";
  }
  const auto before = db->MigrationStatus(ctx, files);
  ASSERT_TRUE(before.ok()) << before.status();
  EXPECT_EQ(before->migrations.size(), static_cast<size_t>(kFiles));
  EXPECT_EQ(db->Migrate(ctx, files), absl::OkStatus());
  EXPECT_EQ(db->MigrationStatus(ctx, files)->version, static_cast<uint64_t>(kFiles));
}

INSTANTIATE_TEST_SUITE_P(Drivers, CodeSteps, ::testing::Values("sqlite", "postgres"),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace penstock::testing
