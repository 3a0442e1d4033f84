#include "migrations/source.h"

#include <string>

#include "drivers/api/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "migrations/script.h"
#include "migrations/script_text.h"

namespace penstock::migrations {
namespace {

using ::testing::HasSubstr;

std::string Error(const std::vector<File>& files, const std::string& driver = "postgres",
                  const std::vector<CodeStep>& code = {}) {
  const auto dialect = MakeDialect(driver, "penstock_migrations");
  const absl::StatusOr<Source> source = ReadSource(files, code, driver, **dialect);
  return source.ok() ? "" : std::string(source.status().message());
}

Source Read(const std::vector<File>& files, const std::string& driver = "postgres",
            std::vector<std::string>* others = nullptr) {
  const auto dialect = MakeDialect(driver, "penstock_migrations");
  absl::StatusOr<Source> source = ReadSource(files, {}, driver, **dialect, others);
  EXPECT_TRUE(source.ok()) << source.status();
  return source.ok() ? *std::move(source) : Source();
}

// What is to run.
std::vector<SqlStatement> Statements(const std::optional<Script>& script,
                                     const std::string& driver = "postgres") {
  const auto dialect = MakeDialect(driver, "penstock_migrations");
  absl::StatusOr<std::vector<SqlStatement>> statements = LoadStatements(*script, **dialect);
  EXPECT_TRUE(statements.ok()) << statements.status();
  EXPECT_EQ(statements->size(), script->statement_count);
  return *std::move(statements);
}

TEST(Source, PairsFilesByVersion) {
  const Source source = Read({{"0001_a.up.sql", "select 1"},
                              {"0001_a.down.sql", "select 2; select 3"},
                              {"20240229120000_b.c_d.up.sql", "select 4"},
                              {"README.md", "not SQL"}});
  ASSERT_EQ(source.size(), 2u);
  EXPECT_EQ(source.at(1).name, "a");
  EXPECT_EQ(Statements(source.at(1).down).size(), 2u);
  EXPECT_EQ(source.at(20240229120000).name, "b.c_d");
  EXPECT_FALSE(source.at(20240229120000).down.has_value());
}

TEST(Source, AVariantForTheDriverWins) {
  const std::vector<File> files = {{"1_a.up.sql", "select 'general'"},
                                   {"1_a.up.sqlite.sql", "select 'sqlite'"},
                                   {"2_b.up.postgres.sql", "select 'postgres'"}};
  EXPECT_EQ(Read(files, "sqlite").at(1).up->file, "1_a.up.sqlite.sql");
  EXPECT_EQ(Read(files, "sqlite").size(), 1u);
  EXPECT_EQ(Read(files, "postgres").at(1).up->file, "1_a.up.sql");
  EXPECT_EQ(Read(files, "postgres").size(), 2u);
}

TEST(Source, FilesOfWhichNoneIsAMigrationAreRefused) {
  for (const char* name : {"schema.sql", "x_a.up.sql", "1.up.sql", "1_.up.sql", "_a.up.sql",
                           "1a.up.sql", "-1_a.up.sql", "1_a.up.oracle.sql"}) {
    EXPECT_THAT(Error({{name, "select 1"}}), HasSubstr(name));
    // Beside migrations they are named.
    std::vector<std::string> others;
    EXPECT_EQ(Read({{name, "select 1"}, {"2_b.up.sql", "select 1"}}, "postgres", &others).size(),
              1u);
    ASSERT_EQ(others.size(), 1u) << name;
    EXPECT_THAT(others[0], HasSubstr(std::string(name) + ": invalid name for a migration file: "));
  }
  EXPECT_THAT(Error({{"1_a.up.sqlite.sql", "select 1"}}), HasSubstr("for the driver postgres"));
}

TEST(Source, VersionsHave64Bits) {
  const Source source = Read({{"18446744073709551615_a.up.sql", "select 1"},
                              {"000_b.up.sql", "select 1"},
                              {"9223372036854775808_c.up.sql", "select 1"}});
  ASSERT_EQ(source.size(), 3u);
  EXPECT_EQ(source.at(0).name, "b");
  EXPECT_EQ(source.rbegin()->first, 18446744073709551615U);
  EXPECT_THAT(Error({{"18446744073709551616_a.up.sql", "select 1"}}),
              HasSubstr("18446744073709551616_a.up.sql: invalid name for a migration file: its "
                        "version exceeds 18446744073709551615"));
}

TEST(Source, NamesAsGolangMigrateReadsThem) {
  for (const char* name : {"1_a.up.db.sql", "1_a.up..sql", "1_a.up.SQL", "1_b.down.c_a.up.sql"}) {
    EXPECT_EQ(Read({{name, "select 1"}}).at(1).up->file, name);
  }
  EXPECT_EQ(Read({{"1_a.b.up.sql", "select 1"}}).at(1).name, "a.b");
  // What would be taken for another file, and do nothing.
  for (const char* name : {"0001_a.UP.SQL", "1_a.Up.sql", "1_a.uP.sqlite.sql"}) {
    EXPECT_THAT(Error({{name, "select 1"}, {"2_b.up.sql", "select 1"}}),
                HasSubstr(std::string(name) + ": invalid name for a migration file: 'up'"));
  }
}

// Where the database stands before the direction, as Ory's projects have it.
TEST(Source, ADatabaseBeforeTheDirection) {
  const std::vector<File> files = {{"1_a.mysql.up.sql", "select 'mysql'"},
                                   {"1_a.cockroach.up.sql", "select 'cockroach'"},
                                   {"1_a.sqlite3.up.sql", "select 'sqlite'"},
                                   {"1_a.up.sql", "select 'general'"}};
  EXPECT_EQ(Read(files, "sqlite").at(1).up->file, "1_a.sqlite3.up.sql");
  EXPECT_EQ(Read(files, "sqlite").at(1).name, "a");
  EXPECT_EQ(Read(files, "cockroachdb").at(1).up->file, "1_a.cockroach.up.sql");
  EXPECT_EQ(Read(files, "postgres").at(1).up->file, "1_a.up.sql");
}

// As sqlx, Refinery and Flyway have them; beside .up files they are something else.
TEST(Source, AFolderWithoutDirectionsGoesUp) {
  const Source plain = Read({{"1_a.sql", "select 1"}, {"V2__b.sql", "select 2"}});
  ASSERT_EQ(plain.size(), 2u);
  EXPECT_EQ(plain.at(1).up->file, "1_a.sql");
  EXPECT_EQ(plain.at(2).name, "b");
  EXPECT_FALSE(plain.at(2).down.has_value());
  EXPECT_THAT(Error({{"1_a.up.oracle.sql", "select 1"}}), HasSubstr("1_a.up.oracle.sql"));
  const std::vector<File> variants = {{"1_a.sql", "select 1"},
                                      {"1_a.sqlite3.sql", "select 2"},
                                      {"2_b.mysql.sql", "select 3"},
                                      {"3_c.postgres.sql", "select 4"}};
  EXPECT_EQ(Read(variants, "sqlite").at(1).up->file, "1_a.sqlite3.sql");
  EXPECT_EQ(Read(variants, "sqlite").size(), 1u);
  EXPECT_EQ(Read(variants, "postgres").size(), 2u);
  std::vector<std::string> others;
  const Source beside =
      Read({{"1_a.up.sql", "select 1"}, {"2_b.sql", "select 2"}}, "postgres", &others);
  EXPECT_EQ(beside.size(), 1u);
  EXPECT_EQ(others.size(), 1u);
  EXPECT_THAT(Error({{"1_a.sql", "select 1"}, {"V1__b.sql", "select 2"}}),
              HasSubstr("are both the up of version 1"));
}

TEST(Source, VersionsAsFlywayHasThem) {
  const Source source = Read({{"V0001.Initial.up.sql", "select 1"},
                              {"V0001.Initial.down.sql", "select 2"},
                              {"v0010_b.up.sql", "select 3"}});
  ASSERT_EQ(source.size(), 2u);
  EXPECT_EQ(source.at(1).name, "Initial");
  EXPECT_TRUE(source.at(1).down.has_value());
  EXPECT_EQ(source.at(10).name, "b");
  EXPECT_THAT(Error({{"V1.2__a.sql", "select 1"}}), HasSubstr("V1.2__a.sql"));
  for (const char* name : {"V.sql", "V1.sql", "V1.up.sql", "V1..up.sql", "Va_b.up.sql"}) {
    EXPECT_THAT(Error({{name, "select 1"}}), HasSubstr(name));
  }
}

// Whoever goes up is not in its way.
TEST(Source, ADownThatCannotRunIsToldToWhoGoesDown) {
  const Source source = Read({{"1_a.up.sql", "select 1"}, {"1_a.down.sql", "select 'x"}});
  EXPECT_FALSE(source.at(1).down.has_value());
  EXPECT_THAT(std::string(source.at(1).down_problem.message()), HasSubstr("1_a.down.sql"));
}

TEST(Source, AllProblemsAtOnce) {
  const std::string error = Error({{"1_a.up.sql", "select \xff"},
                                   {"2_b.up.sql", "select 'a"},
                                   {"3_c.down.sql", "select 1"},
                                   {"4_d.up.sql", "select 1"},
                                   {"4_e.up.sql", "select 1"},
                                   {"5_f.UP.sql", "select 1"}});
  EXPECT_THAT(error, HasSubstr("5 problems"));
  for (const char* file :
       {"1_a.up.sql", "2_b.up.sql", "3_c.down.sql", "4_e.up.sql", "5_f.UP.sql"}) {
    EXPECT_THAT(error, HasSubstr(file));
  }
}

TEST(Source, RefusesDuplicates) {
  EXPECT_THAT(Error({{"1_a.up.sql", "select 1"}, {"0001_b.up.sql", "select 1"}}),
              HasSubstr("1_a.up.sql and 0001_b.up.sql are both the up of version 1"));
  EXPECT_THAT(Error({{"1_a.up.sqlite.sql", "x"}, {"01_a.up.sqlite.sql", "x"}}, "sqlite"),
              HasSubstr("are both the up of version 1"));
  EXPECT_THAT(Error({{"1_a.up.sql", "select 1"}}, "sqlite", {{1, "fill", false}}),
              HasSubstr("the code step 'fill' and 1_a.up.sql have the same version"));
}

TEST(Source, RefusesWhatCannotRun) {
  EXPECT_EQ(Error({{"1_a.up.sql", " \r\n\t"}}), "");
  EXPECT_EQ(Error({{"1_a.up.sql", "-- nothing to do"}}), "");
  EXPECT_EQ(Error({{"1_a.up.sql", "select 1"}, {"1_a.down.sql", ""}}), "");
  EXPECT_THAT(Error({{"1_a.down.sql", "select 1"}}),
              HasSubstr("1_a.down.sql: no up file exists for version 1"));
  EXPECT_THAT(Error({{"1_a.up.sql", "select '\xff'"}}),
              HasSubstr("1_a.up.sql: the file is not valid"));
  EXPECT_THAT(Error({{"1_a.up.sql", "select 1;\nselect 'x"}}),
              HasSubstr("1_a.up.sql: the string that begins in line 2"));
}

TEST(Source, ByteOrderMarkAndLineEndsMakeNoDifference) {
  const Source plain = Read({{"1_a.up.sql", "select 1;\nselect '\n';\n"}});
  const Source windows = Read({{"1_a.up.sql", "\xEF\xBB\xBFselect 1;\r\nselect '\r\n';\r\n"}});
  EXPECT_EQ(plain.at(1).up->checksum, windows.at(1).up->checksum);
  // What is in a string is the file's.
  EXPECT_EQ(Statements(windows.at(1).up)[1].text, "select '\r\n'");
  EXPECT_EQ(Statements(windows.at(1).up)[1].line, 2);
  EXPECT_EQ(Checksum("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Source, NoTransactionLine) {
  EXPECT_TRUE(Read({{"1_a.up.sql", "select 1"}}).at(1).up->transactional);
  EXPECT_FALSE(Read({{"1_a.up.sql", "\xEF\xBB\xBF-- penstock: no-transaction \r\nselect 1; x"}})
                   .at(1)
                   .up->transactional);
  EXPECT_FALSE(
      Read({{"1_a.up.sql", "-- Licence\n\n/* of\nus */\n-- penstock: no-transaction\r\n-- c\nx"}})
          .at(1)
          .up->transactional);
  EXPECT_FALSE(Read({{"1_a.up.sql", "-- no-transaction\nx; y"}}).at(1).up->transactional);
  EXPECT_TRUE(
      Read({{"1_a.up.sql", "-- Penstock runs this in a transaction\nx"}}).at(1).up->transactional);
  for (const char* line :
       {"-- penstock: no-transactions", "--penstock: no-transaction", "-- penstock:no-transaction",
        "-- Penstock: No-Transaction", "-- penstock no transaction",
        "/* penstock: no-transaction */", "-- penstock : x"}) {
    EXPECT_THAT(Error({{"1_a.up.sql", std::string("-- c\n") + line + "\nselect 1"}}),
                HasSubstr(std::string("1_a.up.sql: unknown line \"") + line + "\""));
  }
  EXPECT_THAT(Error({{"1_a.up.sql", "select 1;\n-- penstock: no-transaction\nselect 2"}}),
              HasSubstr("comes after a statement"));
}

TEST(Source, GooseDbmateAndSqlMigrate) {
  struct Case {
    const char* text;
    const char* up;
    const char* down;
  };
  for (const Case& tested :
       {Case{"-- c\n-- +goose Up\n-- +goose StatementBegin\nselect 1;\n-- +goose StatementEnd\n-- "
             "+goose Down\nselect 2;",
             "select 1", "select 2"},
        Case{"-- +migrate Up\r\nselect 1;\r\n\r\n-- +migrate Down\r\nselect 2;", "select 1",
             "select 2"},
        Case{"-- migrate:up\nselect 1;\n-- migrate:down\nselect 2;", "select 1", "select 2"},
        Case{"/*\n * A licence; of it\n */\n\n-- +migrate Up\nselect 1;\n-- +migrate Down\nselect "
             "2;",
             "select 1", "select 2"},
        Case{"--+goose down\nselect 2;\n--+goose up\nselect 1;", "select 1", "select 2"}}) {
    const Source source = Read({{"00007_a.sql", tested.text}, {"readme.sql", "x"}});
    ASSERT_EQ(source.size(), 1u) << tested.text;
    const Migration& migration = source.at(7);
    ASSERT_EQ(Statements(migration.up).size(), 1u) << tested.text;
    EXPECT_EQ(Statements(migration.up)[0].text, tested.up);
    EXPECT_EQ(Statements(migration.down)[0].text, tested.down);
    EXPECT_TRUE(migration.up->transactional);
  }
  const Source lines = Read({{"1_a.sql", "-- +goose Up\n-- +goose Down\n\nselect 2;"}});
  EXPECT_TRUE(Statements(lines.at(1).up).empty());
  EXPECT_EQ(Statements(lines.at(1).down)[0].line, 4);
  // Nothing to do is something that a tool's file may say.
  EXPECT_FALSE(Read({{"1_a.sql", "-- +goose Up\nx;\n-- +goose Down\n"}}).at(1).down->blank);
  for (const char* text :
       {"-- +goose NO TRANSACTION\n-- +goose Up\nselect 1",
        "-- +migrate Up notransaction\nselect 1", "-- migrate:up transaction:false\nselect 1"}) {
    EXPECT_FALSE(Read({{"1-a.sql", text}}).at(1).up->transactional) << text;
  }
  // A change of the way down is none of the way up.
  EXPECT_EQ(Read({{"1_a.sql", "-- +goose Up\nx;\n-- +goose Down\ny;"}}).at(1).up->checksum,
            Read({{"1_a.sql", "-- +goose Up\nx;\n-- +goose Down\nz;\nz"}}).at(1).up->checksum);
}

TEST(Source, MarkersThatAreRefused) {
  EXPECT_THAT(Error({{"1_a.sql", "select 0;\n-- +goose Up\nselect 1"}}),
              HasSubstr("1_a.sql, line 1: the SQL before the first marker"));
  EXPECT_THAT(Error({{"1_a.sql", "-- +goose ENVSUB ON\n-- +goose Up\nselect 1"}}),
              HasSubstr("1_a.sql, line 1: unsupported marker 'envsub on' of goose"));
  EXPECT_THAT(Error({{"1_a.sql", "-- +goose Up\n-- +goose Up\nselect 1"}}),
              HasSubstr("line 2: duplicate marker 'up'"));
  EXPECT_THAT(Error({{"1_a.sql", "-- +goose Up\n-- migrate:down\nselect 1"}}),
              HasSubstr("line 2: marker of dbmate in a file with markers of goose"));
  EXPECT_THAT(Error({{"1_a.sql", "-- +goose Down\nselect 1"}}),
              HasSubstr("the file has no up part"));
  EXPECT_THAT(Error({{"a.sql", "-- +goose Up\nselect 1"}}), HasSubstr("a.sql: invalid name"));
  // Never up and down together.
  EXPECT_THAT(Error({{"1_a.up.sql", "-- +goose Up\nx;\n-- +goose Down\ny;"}}),
              HasSubstr("1_a.up.sql: the file has a marker of the other direction"));
  EXPECT_EQ(Error({{"1_a.up.sql", "-- +goose Up\nx;"}}), "");
}

TEST(Source, AnIsolationLevelIsKept) {
  const Source source = Read({{"1_a.up.sql",
                               "begin transaction isolation level serializable, deferrable;\n"
                               "select 1; commit;"}});
  ASSERT_EQ(Statements(source.at(1).up).size(), 2u);
  EXPECT_EQ(Statements(source.at(1).up)[0].text,
            "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE DEFERRABLE");
  EXPECT_THAT(Error({{"1_a.up.sql", "start transaction read only; select 1; commit"}}),
              HasSubstr("the transaction in line 1 is READ ONLY"));
  EXPECT_THAT(Error({{"1_a.up.sql", "begin; select 1; commit and chain"}}), HasSubstr("BEGIN"));
  EXPECT_EQ(Read({{"1_a.up.sql", "begin immediate; select 1; commit"}}, "sqlite")
                .at(1)
                .up->statement_count,
            1u);
}

TEST(Source, WhatCannotRunInATransaction) {
  for (const char* sql :
       {"create index concurrently i on t(a)", "create unique index concurrently i on t(a);",
        "drop index concurrently i", "reindex (verbose) table concurrently t", "vacuum full t",
        "alter table \"p\" detach partition q concurrently", "create database d",
        "alter system set a = 1", "-- c\nVACUUM", "reindex (verbose) schema s",
        "alter database d set tablespace t"}) {
    EXPECT_FALSE(Read({{"1_a.up.sql", sql}}).at(1).up->transactional) << sql;
    EXPECT_THAT(Error({{"1_a.up.sql", std::string("select 1;\n") + sql}}),
                HasSubstr("1_a.up.sql: the statement in line"))
        << sql;
  }
  EXPECT_TRUE(
      Read({{"1_a.up.sql", "refresh materialized view concurrently v"}}).at(1).up->transactional);
  EXPECT_TRUE(
      Read({{"1_a.up.sql", "create table concurrently_done (a int)"}}).at(1).up->transactional);
  EXPECT_FALSE(Read({{"1_a.up.sql", "vacuum"}}, "sqlite").at(1).up->transactional);
}

TEST(Source, ATransactionAroundTheFileIsItsOwn) {
  const Source source = Read({{"1_a.up.sql", "BEGIN;\nselect 1;\nselect 2;\nCOMMIT;"}});
  ASSERT_EQ(Statements(source.at(1).up).size(), 2u);
  EXPECT_EQ(Statements(source.at(1).up)[0].text, "select 1");
  EXPECT_THAT(Error({{"1_a.up.sql", "select 1;\ncommit;\nselect 2"}}),
              HasSubstr("1_a.up.sql, line 2: COMMIT is not allowed in a migration"));
  EXPECT_THAT(Error({{"1_a.up.sql", "begin; select 1; commit; begin; select 2; commit"}}),
              HasSubstr("COMMIT is not allowed"));
  EXPECT_THAT(Error({{"1_a.up.sql", "-- penstock: no-transaction\nbegin; select 1; commit"}}),
              HasSubstr("BEGIN is not allowed"));
}

// What only reads and writes rows is all or nothing; anything else runs one by one.
TEST(Source, WithoutTransactionalDdl) {
  for (const char* driver : {"cockroachdb", "pebble"}) {
    for (const char* sql :
         {"insert into a values (1); update a set b = 1; delete from a",
          "with x as (select 1) insert into a select * from x", "-- nothing",
          "begin; insert into a values (1); commit;", "/* c */ upsert into a values (1)"}) {
      const Source source = Read({{"1_a.up.sql", sql}}, driver);
      EXPECT_TRUE(source.at(1).up->transactional) << sql;
    }
    for (const char* sql :
         {"create table a (b int)", "insert into a values (1); drop table a",
          "begin; alter table a add b int; commit;", "select 1 into a", "set x = 1",
          "-- penstock: no-transaction\ninsert into a values (1)", "vacuum"}) {
      const Source source = Read({{"1_a.up.sql", sql}}, driver);
      EXPECT_FALSE(source.at(1).up->transactional) << sql;
      EXPECT_NE(Statements(source.at(1).up, driver)[0].Word(0), "BEGIN") << sql;
    }
    EXPECT_THAT(Error({{"1_a.up.sql", "create table a (b int); rollback"}}, driver),
                HasSubstr("1_a.up.sql, line 1: ROLLBACK"));
  }
}

TEST(Source, AFolderThatIsNotThere) {
  const auto files = ReadFolder("/nonexistent/migrations");
  ASSERT_FALSE(files.ok());
  EXPECT_THAT(std::string(files.status().message()), HasSubstr("/nonexistent/migrations"));
  EXPECT_THAT(std::string(ReadFolder("/proc/self/task").status().message()),
              HasSubstr("no file that ends in .sql"));
}

}  // namespace
}  // namespace penstock::migrations
