// Migrations written in SQL: Migrate and GetStatus through the wire, on every driver
// that has SQL.
#include <thread>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/conformance/backend.h"
#include "tests/support/migrate.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;

class Migrations : public Conformance {
 protected:
  MigrationWire& migrations() {
    if (migrations_ == nullptr) migrations_ = std::make_unique<MigrationWire>(wire().channel());
    return *migrations_;
  }

  std::string Tables() {
    const bool sqlite = backend().name() == "sqlite";
    return Ask(sqlite ? "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
                      : "SELECT tablename::text FROM pg_tables WHERE schemaname = "
                        "current_schema() AND tablename <> 'penstock_migrations_lock' ORDER BY 1");
  }

  std::string History() {
    return Ask("SELECT version, direction, state, statement FROM penstock_migrations ORDER BY id");
  }

 private:
  std::unique_ptr<MigrationWire> migrations_;
};

const MigrationFiles kFiles = {
    {"0001_create_users.up.sql", "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);"},
    {"0001_create_users.down.sql", "DROP TABLE users;"},
    {"0002_fill.up.sql",
     "INSERT INTO users VALUES (1, 'a;b');\nINSERT INTO users VALUES (2, 'c');"},
    {"0002_fill.down.sql", "DELETE FROM users;"},
    {"20240101120000_index.up.sql", "CREATE INDEX users_name ON users(name);"},
    {"20240101120000_index.down.sql", "DROP INDEX users_name;"},
    {"README.md", "What this folder is."}};

TEST_P(Migrations, UpReportsPlanStepsAndResult) {
  const Migrated up = migrations().Up(kFiles);
  ASSERT_TRUE(up.status.ok()) << up.status.error_message();
  EXPECT_EQ(up.plan(), "0001_create_users.up.sql 0002_fill.up.sql 20240101120000_index.up.sql");
  EXPECT_EQ(up.done(), 3);
  EXPECT_EQ(up.result().steps(), 3);
  EXPECT_EQ(up.result().version(), 20240101120000);
  EXPECT_EQ(Ask("SELECT name FROM users ORDER BY id"), "'a;b'; 'c'");
  const Migrated again = migrations().Up(kFiles);
  ASSERT_TRUE(again.status.ok());
  EXPECT_EQ(again.plan(), "");
  EXPECT_EQ(again.result().steps(), 0);
}

TEST_P(Migrations, DownAndTo) {
  ASSERT_TRUE(migrations().Up(kFiles).status.ok());
  EXPECT_EQ(migrations().Down(kFiles, 2).plan(),
            "20240101120000_index.down.sql 0002_fill.down.sql");
  EXPECT_EQ(Ask("SELECT count(*) FROM users"), "0");
  EXPECT_EQ(migrations().Status(kFiles), "1 applied, 2 pending, 20240101120000 pending");
  MigrateStart to;
  to.mutable_to()->set_version(2);
  EXPECT_EQ(migrations().Migrate(to, kFiles).result().version(), 2);
  to.mutable_to()->set_version(0);
  EXPECT_EQ(migrations().Migrate(to, kFiles).result().version(), 0);
  EXPECT_EQ(Tables(), "'penstock_migrations'");
  EXPECT_EQ(History(),
            "1|'up'|'done'|0; 2|'up'|'done'|0; 20240101120000|'up'|'done'|0; "
            "20240101120000|'down'|'done'|0; 2|'down'|'done'|0; 2|'up'|'done'|0; "
            "2|'down'|'done'|0; 1|'down'|'done'|0");
}

TEST_P(Migrations, DryRunChangesNothingAndHasTheSql) {
  MigrateStart start;
  start.set_dry_run(true);
  const Migrated dry = migrations().Migrate(start, kFiles);
  ASSERT_TRUE(dry.status.ok()) << dry.status.error_message();
  EXPECT_EQ(dry.done(), 0);
  EXPECT_EQ(dry.events[0].plan().steps(1).statements(0), "INSERT INTO users VALUES (1, 'a;b')");
  EXPECT_EQ(Tables(), "");
  EXPECT_EQ(migrations().Status(kFiles), "1 pending, 2 pending, 20240101120000 pending");
}

TEST_P(Migrations, AFailedStepLeavesNothingOrIsRecorded) {
  MigrationFiles files = kFiles;
  files.push_back({"20250101120000_bad.up.sql",
                   "CREATE TABLE t (a INTEGER);\nINSERT INTO nowhere VALUES (1);"});
  const Migrated bad = migrations().Up(files);
  EXPECT_EQ(bad.status.error_code(), grpc::NOT_FOUND) << bad.status.error_message();
  EXPECT_EQ(bad.detail.reason(), v1::REASON_UNDEFINED_TABLE);
  EXPECT_THAT(bad.status.error_message(),
              HasSubstr("20250101120000_bad.up.sql, line 2 (statement 2 of 2)"));
  EXPECT_EQ(bad.done(), 3);
  const std::string others = "1 applied, 2 applied, 20240101120000 applied, ";
  if (backend().has_transactional_ddl()) {
    EXPECT_EQ(Tables(), "'penstock_migrations'; 'users'");
    EXPECT_EQ(migrations().Status(files), others + "20250101120000 pending");
  } else {
    // The first statement is done, and the history says which one failed.
    EXPECT_EQ(Tables(), "'penstock_migrations'; 't'; 'users'");
    EXPECT_EQ(migrations().Status(files), others + "20250101120000 unfinished");
    EXPECT_EQ(Ask("SELECT state, statement FROM penstock_migrations WHERE version > "
                  "20240101120000"),
              "'failed'|2");
  }
}

// What changes rows alone is all or nothing everywhere.
TEST_P(Migrations, AFailedStepOfRowsLeavesNothing) {
  MigrationFiles files = {
      kFiles[0],
      {"0002_fill.up.sql",
       "INSERT INTO users VALUES (1, 'a');\nINSERT INTO users VALUES (1, 'b');"}};
  const Migrated bad = migrations().Up(files);
  EXPECT_EQ(bad.detail.reason(), v1::REASON_UNIQUE_VIOLATION) << bad.status.error_message();
  EXPECT_EQ(Ask("SELECT count(*) FROM users"), "0");
  EXPECT_EQ(migrations().Status(files), "1 applied, 2 pending");
  EXPECT_TRUE(bad.events[0].plan().steps(1).transactional());
  EXPECT_EQ(bad.events[0].plan().steps(0).transactional(), backend().has_transactional_ddl());
}

TEST_P(Migrations, RefusalsNameTheFileBeforeAnythingRuns) {
  const auto refused = [this](const MigrationFiles& files) {
    const Migrated up = migrations().Up(files);
    EXPECT_FALSE(up.status.ok());
    EXPECT_EQ(up.done(), 0);
    return up.status.error_message();
  };
  EXPECT_THAT(refused({{"a.sql", "SELECT 1"}}), HasSubstr("a.sql"));
  EXPECT_THAT(refused({{"18446744073709551616_a.up.sql", "SELECT 1"}}),
              HasSubstr("18446744073709551616_a.up.sql"));
  EXPECT_EQ(Tables(), "");
  ASSERT_TRUE(migrations().Up(kFiles).status.ok());
  MigrationFiles changed = kFiles;
  changed[2].second += " ";
  EXPECT_THAT(refused(changed), HasSubstr("0002_fill.up.sql: the file has changed"));
  EXPECT_THAT(migrations().Status(changed), HasSubstr("2 changed"));
  MigrationFiles gap = kFiles;
  gap.push_back({"0003_gap.up.sql", "SELECT 1"});
  EXPECT_THAT(refused(gap), HasSubstr("0003_gap.up.sql: not applied, but the later version"));
  EXPECT_THAT(migrations().Status(gap), HasSubstr("3 gap"));
  MigrateStart allow;
  allow.set_allow_gaps(true);
  EXPECT_TRUE(migrations().Migrate(allow, gap).status.ok());
  MigrationFiles windows = kFiles;
  windows[2].second =
      "\xEF\xBB\xBF"
      "INSERT INTO users VALUES (1, 'a;b');\r\nINSERT INTO users VALUES (2, 'c');";
  EXPECT_THAT(migrations().Status(windows), HasSubstr("2 applied"));
}

TEST_P(Migrations, RepairOfAStepWithoutATransaction) {
  MigrationFiles files = {{"1_a.up.sql",
                           "-- penstock: no-transaction\nCREATE TABLE a (x INTEGER);\n"
                           "INSERT INTO b VALUES (1);\nCREATE TABLE c (x INTEGER);"}};
  EXPECT_EQ(migrations().Up(files).detail.reason(), v1::REASON_UNDEFINED_TABLE);
  EXPECT_EQ(History(), "1|'up'|'failed'|2");
  EXPECT_EQ(migrations().Status(files), "1 unfinished");
  const Migrated refused = migrations().Up(files);
  EXPECT_EQ(refused.detail.reason(), v1::REASON_MIGRATION_REFUSED);
  EXPECT_EQ(refused.status.error_code(), grpc::FAILED_PRECONDITION);
  EXPECT_THAT(refused.detail.hint(), HasSubstr("continue with statement 2 (again) or 3"));
  MigrateStart repair;
  repair.mutable_repair()->set_version(1);
  repair.mutable_repair()->set_action(v1::MigrateRequest::Repair::ACTION_RESUME);
  repair.mutable_repair()->set_statement(3);
  const Migrated repaired = migrations().Migrate(repair, files);
  ASSERT_TRUE(repaired.status.ok()) << repaired.status.error_message();
  EXPECT_EQ(repaired.result().records(0).state(), "resume");
  EXPECT_EQ(migrations().Status(files), "1 resuming");
  EXPECT_TRUE(migrations().Up(files).status.ok());
  EXPECT_EQ(Tables(), "'a'; 'c'; 'penstock_migrations'");
}

TEST_P(Migrations, Baseline) {
  Do("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)");
  MigrateStart start;
  start.mutable_baseline()->set_version(1);
  EXPECT_EQ(migrations().Migrate(start, kFiles).result().records_size(), 1);
  EXPECT_EQ(migrations().Up(kFiles).plan(), "0002_fill.up.sql 20240101120000_index.up.sql");
}

TEST_P(Migrations, ManyAtOnceApplyEachStepOnce) {
  MigrationFiles files = {{"1_t.up.sql", "CREATE TABLE t (n INTEGER)"}};
  constexpr int kSteps = 30;
  for (int i = 2; i <= kSteps; ++i) {
    files.push_back(
        {fmt::format("{}_insert.up.sql", i), fmt::format("INSERT INTO t VALUES ({})", i)});
  }
  wire();
  std::vector<std::thread> clients;
  std::atomic<int> done{0};
  for (int i = 0; i < 10; ++i) {
    clients.emplace_back([&] {
      MigrationWire mine(wire().channel());
      const Migrated up = mine.Up(files);
      EXPECT_TRUE(up.status.ok()) << up.status.error_message();
      done += up.done();
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(done.load(), kSteps);
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), std::to_string(kSteps - 1));
  EXPECT_EQ(Ask("SELECT count(*) FROM penstock_migrations"), std::to_string(kSteps));
}

TEST_P(Migrations, ACancelledCallLetsGoOfTheLock) {
  const MigrationFiles files = {{"1_a.up.sql", "CREATE TABLE a (x INTEGER)"},
                                {"2_b.up.sql", "CREATE TABLE b AS " + backend().endless_query()}};
  const auto goes_on = [&](const v1::MigrateResponse& event) {
    if (event.step().index() != 1) return true;
    // Where a step is not one transaction, it is under way once that is written down.
    while (!backend().has_transactional_ddl() &&
           migrations().Status(files) == "1 applied, 2 pending") {
      std::this_thread::yield();
    }
    return false;
  };
  const Migrated cancelled = migrations().Migrate({}, files, goes_on);
  EXPECT_EQ(cancelled.status.error_code(), grpc::CANCELLED);
  const MigrationFiles better = {files[0], {"2_b.up.sql", "CREATE TABLE b (x INTEGER)"}};
  if (!backend().has_transactional_ddl()) {
    EXPECT_EQ(migrations().Status(better), "1 applied, 2 unfinished");
    MigrateStart repair;
    repair.mutable_repair()->set_version(2);
    repair.mutable_repair()->set_action(v1::MigrateRequest::Repair::ACTION_MARK_NOT_APPLIED);
    ASSERT_TRUE(migrations().Migrate(repair, better).status.ok());
  }
  const Migrated up = migrations().Up(better);
  ASSERT_TRUE(up.status.ok()) << up.status.error_message();
  EXPECT_EQ(up.plan(), "2_b.up.sql");
}

TEST_P(Migrations, StatementTimeout) {
  MigrateStart start;
  start.mutable_statement_timeout()->set_nanos(50'000'000);
  const Migrated late = migrations().Migrate(
      start, {{"1_a.up.sql", "CREATE TABLE b AS " + backend().endless_query()}});
  EXPECT_EQ(late.detail.reason(), v1::REASON_REQUEST_TIMEOUT) << late.status.error_message();
}

TEST_P(Migrations, FoldersOnlyBelowTheRoot) {
  TempDir root;
  config().server.migrations_root = root.path();
  MigrateStart start;
  for (const char* folder : {"..", "/etc", "../x", "a/../.."}) {
    start.set_folder(folder);
    EXPECT_EQ(migrations().Migrate(start, {}).status.error_code(), grpc::PERMISSION_DENIED)
        << folder;
  }
  start.set_folder("missing");
  EXPECT_THAT(migrations().Migrate(start, {}).status.error_message(), HasSubstr("missing"));
}

TEST_P(Migrations, FoldersNeedARoot) {
  MigrateStart start;
  start.set_folder("a");
  EXPECT_THAT(migrations().Migrate(start, {}).detail.hint(), HasSubstr("migrations_root"));
}

TEST_P(Migrations, OrderOfMessages) {
  grpc::ClientContext context;
  auto stream = migrations().stub().Migrate(&context);
  v1::MigrateRequest request;
  request.mutable_files();
  stream->Write(request);
  v1::MigrateResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(DetailOf(stream->Finish()).reason(), v1::REASON_PROTOCOL);
}

TEST_P(Migrations, FilesInSeveralMessages) {
  grpc::ClientContext context;
  auto stream = migrations().stub().Migrate(&context);
  v1::MigrateRequest request;
  request.mutable_start()->set_more_files(true);
  stream->Write(request);
  for (size_t i = 0; i < kFiles.size(); ++i) {
    v1::MigrationFile* file = request.mutable_files()->add_files();
    file->set_name(kFiles[i].first);
    file->set_content(kFiles[i].second);
    request.mutable_files()->set_more_files(i + 1 < kFiles.size());
    stream->Write(request);
    request.Clear();
  }
  v1::MigrateResponse response;
  while (stream->Read(&response)) {
  }
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(response.result().steps(), 3);
}

PENSTOCK_CONFORMANCE(Migrations);

}  // namespace
}  // namespace penstock::testing
