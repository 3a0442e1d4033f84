// The migrator on a real SQLite database.
#include "migrations/migrator.h"

#include <filesystem>
#include <string>

#include "drivers/api/error.h"
#include "drivers/sqlite/sqlite_driver.h"
#include "gmock/gmock.h"
#include "tests/unit/migrations/fixture.h"

namespace penstock::migrations {
namespace {

using driver::Reason;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<File> kTwo = {
    {"1_a.up.sql", "create table a (x integer); insert into a values (1);"},
    {"1_a.down.sql", "drop table a;"},
    {"2_b.up.sql",
     "create trigger t after insert on a begin update a set x = x + 1; end; insert into a values "
     "(5);"},
    {"2_b.down.sql", "drop trigger t; delete from a where x > 2"}};

TEST_F(MigratorTest, UpAndDownAndUpAgain) {
  ASSERT_TRUE(Migrate(kTwo).ok());
  EXPECT_EQ(Ask("select x from a"), "2 6 ");
  EXPECT_THAT(statements_, ElementsAre(1, 2, 1, 2));
  ASSERT_TRUE(Migrate(kTwo, {.kind = Target::Kind::kDown, .steps = 1}).ok());
  EXPECT_EQ(Ask("select x from a"), "2 ");
  ASSERT_TRUE(Migrate(kTwo).ok());
  EXPECT_EQ(Ask("select x from a"), "3 6 ");
  EXPECT_EQ(Ask("select version, direction, state from penstock_migrations order by id"),
            "1 up done 2 up done 2 down done 2 up done ");
  EXPECT_EQ(Ask("select count(*) from penstock_migrations where abs(julianday(applied_at) - "
                "julianday('now')) < 1"),
            "4 ");
}

TEST_F(MigratorTest, AFailedStepLeavesNothing) {
  const std::vector<File> files = {
      {"1_a.up.sql", "create table a (x);"},
      {"2_b.up.sql",
       "create table b (x);\ninsert into b values (1);\ninsert into nowhere values (1)"}};
  const absl::Status status = Migrate(files);
  EXPECT_EQ(driver::GetErrorInfo(status).reason, Reason::kUndefinedTable);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("2_b.up.sql, line 3 (statement 3 of 3): no such table: nowhere"));
  EXPECT_EQ(Ask("select name from sqlite_schema where type = 'table'"), "penstock_migrations a ");
  EXPECT_EQ(Ask("select version from penstock_migrations"), "1 ");
}

TEST_F(MigratorTest, WithoutATransactionTheStatementIsRecordedAndRepaired) {
  std::vector<File> files = {
      {"1_a.up.sql",
       "-- penstock: no-transaction\ncreate table a (x);\ninsert into nowhere values (1);\ncreate "
       "table c (x);"}};
  const absl::Status failed = Migrate(files);
  EXPECT_THAT(std::string(failed.message()), HasSubstr("1_a.up.sql, line 3 (statement 2 of 3)"));
  EXPECT_EQ(Ask("select state, statement from penstock_migrations"), "failed 2 ");
  const absl::Status again = Migrate(files);
  EXPECT_EQ(driver::GetErrorInfo(again).reason, Reason::kMigrationRefused);
  EXPECT_THAT(std::string(again.message()), HasSubstr("statement 2 of the up step failed"));
  files[0].content =
      "-- penstock: no-transaction\ncreate table a (x);\ncreate table b (x);\ncreate "
      "table c (x);";
  {
    auto migrator = Make(files);
    ASSERT_TRUE(*migrator->TryLock());
    ASSERT_TRUE(migrator->Repair({{.kind = Repair::Kind::kResume, .version = 1}}).ok());
  }
  statements_.clear();
  ASSERT_TRUE(Migrate(files).ok());
  EXPECT_THAT(statements_, ElementsAre(2, 3));
  EXPECT_EQ(Ask("select state, statement, note from penstock_migrations"), "done 0 0 ");
  EXPECT_EQ(Ask("select count(*) from sqlite_schema where name in ('a', 'b', 'c')"), "3 ");
}

TEST_F(MigratorTest, ACancelledStepIsStillRecorded) {
  const std::vector<File> files = {
      {"1_a.up.sql", "-- penstock: no-transaction\ncreate table a (x); create table b (x)"}};
  auto migrator = Make(files);
  ASSERT_TRUE(*migrator->TryLock());
  auto plan = migrator->MakePlan({}, false, false);
  ASSERT_TRUE(plan.ok());
  const auto row = migrator->RunStep((*plan)[0], [this](size_t statement, size_t) {
    if (statement == 2) cancellation_.Cancel(driver::MakeError(Reason::kCancelled, "gone"));
  });
  EXPECT_EQ(driver::GetErrorInfo(row.status()).reason, Reason::kCancelled);
  cancellation_.Reset();
  EXPECT_EQ(Ask("select state, statement from penstock_migrations"), "failed 2 ");
}

TEST_F(MigratorTest, VacuumRunsByItself) {
  ASSERT_TRUE(Migrate({{"1_a.up.sql", "create table a (x)"}, {"2_b.up.sql", "vacuum;"}}).ok());
  EXPECT_EQ(Ask("select version, state from penstock_migrations"), "1 done 2 done ");
}

TEST_F(MigratorTest, OneAtATime) {
  driver::Config config;
  config.name = "main";
  config.driver = "sqlite";
  config.database = folder_ + "/main.db";
  auto other_driver = *sqlite::Open(config);
  auto other = *other_driver->Connect(driver::Lane::kWrite, driver::Deadline::None());
  MigrationConnection other_connection(other.get(), nullptr);
  auto first = Make(kTwo);
  auto second = Make(kTwo, &other_connection);
  ASSERT_TRUE(*first->TryLock());
  EXPECT_FALSE(*second->TryLock());
  first->Unlock();
  ASSERT_TRUE(*second->TryLock());
  EXPECT_FALSE(*first->TryLock());
  second.reset();
  EXPECT_TRUE(*first->TryLock());
  first->Unlock();
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/main.db-migration-lock"));
}

TEST_F(MigratorTest, AStaleMigratorDoesNothing) {
  // Both make their plan before either runs, which a lock that was lost would allow.
  auto first = Make(kTwo);
  auto second = Make(kTwo);
  const auto first_plan = first->MakePlan({}, false, false);
  const auto second_plan = second->MakePlan({}, false, false);
  ASSERT_TRUE(first->RunStep((*first_plan)[0], nullptr).ok());
  ASSERT_TRUE(migration_connection_->Run("drop table a").ok());
  const auto row = second->RunStep((*second_plan)[0], nullptr);
  EXPECT_EQ(driver::GetErrorInfo(row.status()).reason, Reason::kMigrationLocked) << row.status();
  EXPECT_EQ(Ask("select count(*) from sqlite_schema where name = 'a'"), "0 ");
}

TEST_F(MigratorTest, CodeStepsCommitWithTheirRow) {
  auto migrator = Make({{"1_a.up.sql", "create table a (x)"}});
  ASSERT_TRUE(*migrator->TryLock());
  const auto plan = migrator->MakePlan({}, false, false);
  ASSERT_EQ(plan->size(), 2u);
  ASSERT_TRUE(migrator->RunStep((*plan)[0], nullptr).ok());
  const PlanStep& code = (*plan)[1];
  ASSERT_TRUE(code.migration->is_code);
  ASSERT_TRUE(migrator->BeginCode(code).ok());
  ASSERT_TRUE(migration_connection_->Run("insert into a values (1)").ok());
  const auto failed = migrator->EndCode(code, driver::MakeError(Reason::kCancelled, "no"));
  EXPECT_EQ(std::string(failed.status().message()), "the code step 9 'fill': no");
  EXPECT_EQ(Ask("select count(*) from a"), "0 ");
  ASSERT_TRUE(migrator->BeginCode(code).ok());
  ASSERT_TRUE(migration_connection_->Run("insert into a values (1)").ok());
  ASSERT_TRUE(migrator->EndCode(code, absl::OkStatus()).ok());
  EXPECT_EQ(Ask("select count(*) from a"), "1 ");
  EXPECT_EQ(Ask("select version, name from penstock_migrations"), "1 a 9 fill ");
}

TEST_F(MigratorTest, TheLineOfTheErrorIsNamed) {
  const absl::Status status =
      Migrate({{"1_a.up.sql", "select 1;\n\nselect 'ä',\n  2,\n  nowhere"}});
  EXPECT_THAT(std::string(status.message()), HasSubstr("1_a.up.sql, line 5 (statement 2 of 2)"));
}

TEST_F(MigratorTest, LineEndsInLiteralsStay) {
  ASSERT_TRUE(
      Migrate({{"1_a.up.sql", "create table a (x);\r\ninsert into a values ('1\r\n2\r3\n');\r\n"}})
          .ok());
  EXPECT_EQ(Ask("select hex(x) from a"), "310D0A320D330A ");
}

// Whoever knows only the files goes on where a program has applied its code.
TEST_F(MigratorTest, ACodeStepIsRecordedAsOne) {
  auto migrator = Make(kTwo);
  ASSERT_TRUE(*migrator->TryLock());
  const auto plan = migrator->MakePlan({}, false, false);
  ASSERT_TRUE(migrator->RunStep((*plan)[0], nullptr).ok());
  ASSERT_TRUE(migrator->RunStep((*plan)[1], nullptr).ok());
  ASSERT_TRUE(migrator->BeginCode((*plan)[2]).ok());
  ASSERT_TRUE(migrator->EndCode((*plan)[2], absl::OkStatus()).ok());
  migrator.reset();
  EXPECT_EQ(Ask("select note from penstock_migrations where version = 9"), "code ");
  auto dialect = *MakeDialect("sqlite", "penstock_migrations");
  auto source = ReadSource(kTwo, {}, "sqlite", *dialect);
  Migrator other(std::move(dialect), *std::move(source), migration_connection_.get());
  const auto rest = other.MakePlan({}, false, false);
  ASSERT_TRUE(rest.ok()) << rest.status();
  EXPECT_TRUE(rest->empty());
}

TEST_F(MigratorTest, ASchemaThatIsNotEmptyIsRefused) {
  ASSERT_TRUE(
      migration_connection_->Run("create table penstock_kv_kv (key blob primary key, value)").ok());
  EXPECT_TRUE(Make(kTwo)->MakePlan({}, false, /*dry_run=*/true).ok());
  ASSERT_TRUE(migration_connection_->Run("create view somebodys as select 1").ok());
  for (const bool dry_run : {true, false}) {
    const absl::Status refused = Make(kTwo)->MakePlan({}, false, dry_run).status();
    EXPECT_EQ(driver::GetErrorInfo(refused).reason, Reason::kMigrationRefused);
    EXPECT_THAT(std::string(refused.message()), HasSubstr("its schema is not empty (somebodys)"));
    EXPECT_THAT(driver::GetErrorInfo(refused).hint, HasSubstr("migrate baseline FOLDER VERSION"));
  }
  EXPECT_EQ(Ask("select count(*) from sqlite_schema where name = 'penstock_migrations'"), "0 ");
  ASSERT_TRUE(Make(kTwo)->Baseline(0).ok());
  ASSERT_TRUE(Migrate(kTwo).ok());
  EXPECT_EQ(Ask("select x from a"), "2 6 ");
}

TEST_F(MigratorTest, SeveralRepairsAreAllOrNothing) {
  ASSERT_TRUE(Migrate(kTwo).ok());
  const auto mark = [](uint64_t version) {
    return Repair{.kind = Repair::Kind::kMarkNotApplied, .version = version};
  };
  auto migrator = Make(kTwo);
  ASSERT_TRUE(*migrator->TryLock());
  EXPECT_FALSE(migrator->Repair({mark(1), mark(7)}).ok());
  EXPECT_EQ(Ask("select count(*) from penstock_migrations"), "2 ");
  EXPECT_EQ(migrator->Repair({mark(1), mark(2)})->size(), 2u);
  EXPECT_EQ(Ask("select version, direction from penstock_migrations where note = 'repair'"),
            "1 down 2 down ");
}

TEST_F(MigratorTest, BaselineAndDryRun) {
  {
    auto migrator = Make(kTwo);
    const auto plan = migrator->MakePlan({}, false, /*dry_run=*/true);
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(plan->size(), 3u);
    EXPECT_EQ(Ask("select count(*) from sqlite_schema"), "0 ");
    ASSERT_TRUE(*migrator->TryLock());
    ASSERT_TRUE(migrator->Baseline(1).ok());
    EXPECT_FALSE(migrator->Baseline(1).ok());
  }
  EXPECT_THAT(std::string(Migrate(kTwo).message()), HasSubstr("no such table: main.a"));
  EXPECT_EQ(Ask("select version, note from penstock_migrations"), "1 baseline ");
}

}  // namespace
}  // namespace penstock::migrations
