// Tables as other tools make them, on a real SQLite database.
#include "migrations/other_tools.h"

#include <string>

#include "drivers/api/error.h"
#include "gmock/gmock.h"
#include "tests/unit/migrations/fixture.h"

namespace penstock::migrations {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class OtherTools : public MigratorTest {
 protected:
  void Do(const std::vector<std::string>& statements) {
    for (const std::string& sql : statements) {
      const absl::Status status = migration_connection_->Run(sql);
      EXPECT_TRUE(status.ok()) << sql << ": " << status;
    }
  }

  // The versions that were adopted, or the error.
  std::string Adopt() {
    auto migrator = Make(kFiles);
    EXPECT_TRUE(*migrator->TryLock());
    const auto rows = migrator->Adopt();
    if (!rows.ok()) return "error: " + std::string(rows.status().message());
    std::string versions;
    for (const HistoryRow& row : *rows) {
      versions += std::to_string(row.version) + (row.checksum.empty() ? "? " : " ");
    }
    return versions;
  }

  const std::vector<File> kFiles = {{"1_a.up.sql", "create table a (x)"},
                                    {"2_b.up.sql", "create table b (x)"},
                                    {"3_c.up.sql", "create table c (x)"}};
};

struct ToolCase {
  std::string name;
  std::vector<std::string> statements;
  std::string adopted;
};

class EachTool : public OtherTools, public ::testing::WithParamInterface<ToolCase> {};

TEST_P(EachTool, IsToldAndAdopted) {
  Do(GetParam().statements);
  EXPECT_THAT(std::string(Migrate(kFiles).message()),
              HasSubstr("another tool has migrated the database: it has the table "));
  EXPECT_EQ(Ask("select count(*) from sqlite_schema where name in ('a', 'penstock_migrations')"),
            "0 ");
  EXPECT_EQ(Adopt(), GetParam().adopted);
}

const ToolCase kTools[] = {
    {"GolangMigrate",
     {"create table schema_migrations (version uint64, dirty bool)",
      "insert into schema_migrations values (2, 0)"},
     "1 2 "},
    {"GolangMigrateWithNothing",
     {"create table schema_migrations (version uint64, dirty bool)"},
     ""},
    {"Dbmate",
     {"create table schema_migrations (version varchar(128) primary key)",
      "insert into schema_migrations values ('1'), ('3')"},
     "1 3 "},
    {"Goose",
     {"create table goose_db_version (id integer primary key autoincrement, version_id integer not "
      "null, is_applied integer not null, tstamp timestamp default (datetime('now')))",
      "insert into goose_db_version (version_id, is_applied) values (0, 1), (1, 1), (2, 1), (2, "
      "0), "
      "(3, 1)"},
     "1 3 "},
    {"Flyway",
     {"create table flyway_schema_history (installed_rank int, version varchar(50), description "
      "text, type varchar(20), script text, checksum int, success boolean)",
      "insert into flyway_schema_history values (1, '2', 'b', 'BASELINE', '', 0, 1), (2, null, "
      "'r', "
      "'SQL', '', 0, 1)"},
     "1 2 "},
    {"Sqlx",
     {"create table _sqlx_migrations (version bigint primary key, description text, installed_on "
      "timestamp, success boolean, checksum blob, execution_time bigint)",
      "insert into _sqlx_migrations values (1, 'a', null, true, x'', 1)"},
     "1 "},
    {"Diesel",
     {"create table __diesel_schema_migrations (version varchar(50) primary key, run_on timestamp)",
      "insert into __diesel_schema_migrations values ('00000000000000', null), ('2', null)"},
     "0? 2 "},
    {"Atlas",
     {"create table atlas_schema_revisions (version text, description text, type integer, applied "
      "integer, total integer)",
      "insert into atlas_schema_revisions values ('.atlas_cloud_identifier', '', 2, 0, 0), ('1', "
      "'a', 2, 1, 1)"},
     "1 "},
    {"Knex",
     {"create table knex_migrations (id integer primary key, name text, batch integer)",
      "create table knex_migrations_lock (i integer)",
      "insert into knex_migrations values (1, '1_a.js', 1), (2, '20_gone.js', 1)"},
     "1 20? "},
    {"SqlMigrate",
     {"create table gorp_migrations (id text primary key, applied_at datetime)",
      "insert into gorp_migrations values ('3-c.sql', null)"},
     "3 "},
    {"Prisma",
     {"create table _prisma_migrations (migration_name text, finished_at text, rolled_back_at "
      "text)",
      "insert into _prisma_migrations values ('1_a', 'x', null), ('2_b', null, 'x')"},
     "1 "},
    {"Dirty",
     {"create table schema_migrations (version uint64, dirty bool)",
      "insert into schema_migrations values (2, 1)"},
     "error: golang-migrate records that version 2 failed halfway"},
    {"HalfDone",
     {"create table _sqlx_migrations (version bigint, success boolean)",
      "insert into _sqlx_migrations values (1, true), (2, false)"},
     "error: sqlx records that version 2 failed halfway"},
    {"AnotherFolder",
     {"create table schema_migrations (version uint64, dirty bool)",
      "insert into schema_migrations values (7, 0)"},
     "error: golang-migrate records that the database is at version 7, which has no file"},
    {"NoVersionOfTheFolder",
     {"create table schema_migrations (version text)",
      "insert into schema_migrations values (7), (8)"},
     "error: none of the 2 versions that dbmate, Rails or Ecto records as applied has a file"},
    {"VersionsThatAreNone",
     {"create table flyway_schema_history (version text, type text, success boolean)",
      "insert into flyway_schema_history values ('1.1', 'SQL', 1)"},
     "error: Flyway records the version '1.1', from which the applied migrations cannot be "
     "determined"},
    {"ATableThatDoesNotSay",
     {"create table alembic_version (version_num text)"},
     "error: the table alembic_version of Alembic does not record which versions are applied"},
    {"TwoTools",
     {"create table alembic_version (version_num text)",
      "create table knex_migrations (name text)"},
     "error: the history's schema has the tables of several tools: alembic_version, "
     "knex_migrations"}};

INSTANTIATE_TEST_SUITE_P(Cases, EachTool, ::testing::ValuesIn(kTools),
                         [](const auto& tested) { return tested.param.name; });

TEST_F(OtherTools, WhatIsAdoptedGoesOn) {
  Do({"create table a (x)", "create table b (x)",
      "create table schema_migrations (version uint64, dirty bool)",
      "insert into schema_migrations values (2, 0)"});
  EXPECT_EQ(Adopt(), "1 2 ");
  EXPECT_EQ(Ask("select note from penstock_migrations where version = 2"),
            "adopted from golang-migrate ");
  ASSERT_TRUE(Migrate(kFiles).ok());
  EXPECT_EQ(Ask("select count(*) from sqlite_schema where name = 'c'"), "1 ");
  EXPECT_THAT(Adopt(),
              HasSubstr("error: the database already has a migration history, up to version 3"));
  std::vector<File> changed = kFiles;
  changed[0].content += " -- changed";
  EXPECT_THAT(std::string(Migrate(changed).message()),
              HasSubstr("1_a.up.sql: the file has changed"));
}

TEST_F(OtherTools, NothingToAdopt) {
  EXPECT_THAT(Adopt(),
              AllOf(HasSubstr("error: the history's schema has no table of a known tool")));
  EXPECT_EQ(Ask("select count(*) from sqlite_schema"), "0 ");
}

}  // namespace
}  // namespace penstock::migrations
