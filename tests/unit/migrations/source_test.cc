#include "migrations/source.h"

#include <string>

#include "drivers/api/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "migrations/text.h"

namespace penstock::migrations {
namespace {

using ::testing::HasSubstr;

std::string Error(const std::vector<File>& files, const std::string& driver = "postgres",
                  const std::vector<CodeStep>& code = {}) {
  const auto dialect = MakeDialect(driver, "penstock_migrations");
  const absl::StatusOr<Source> source = ReadSource(files, code, driver, **dialect);
  return source.ok() ? "" : std::string(source.status().message());
}

Source Read(const std::vector<File>& files, const std::string& driver = "postgres") {
  const auto dialect = MakeDialect(driver, "penstock_migrations");
  absl::StatusOr<Source> source = ReadSource(files, {}, driver, **dialect);
  EXPECT_TRUE(source.ok()) << source.status();
  return source.ok() ? *std::move(source) : Source();
}

TEST(Source, PairsFilesByVersion) {
  const Source source = Read({{"0001_a.up.sql", "select 1"},
                              {"0001_a.down.sql", "select 2; select 3"},
                              {"20240229120000_b.c_d.up.sql", "select 4"},
                              {"README.md", "not SQL"}});
  ASSERT_EQ(source.size(), 2u);
  EXPECT_EQ(source.at(1).name, "a");
  EXPECT_EQ(source.at(1).down->statements.size(), 2u);
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

TEST(Source, RefusesNamesAndSaysWhich) {
  for (const char* name : {"schema.sql", "1_a.sql", "x_a.up.sql", "1.up.sql", "1_.up.sql",
                           "_a.up.sql", "1a.up.sql", "-1_a.up.sql", "1_a.up.oracle.sql"}) {
    EXPECT_THAT(Error({{name, "select 1"}}), HasSubstr(name));
  }
  EXPECT_THAT(Error({{"9223372036854775808_a.up.sql", "select 1"}}),
              HasSubstr("9223372036854775808_a.up.sql: the name is not a migration's: its version "
                        "is beyond 9223372036854775807"));
  EXPECT_EQ(Error({{"9223372036854775807_a.up.sql", "select 1"}}), "");
  EXPECT_THAT(Error({{"000_a.up.sql", "select 1"}}), HasSubstr("version is 0"));
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
  EXPECT_THAT(Error({{"1_a.up.sql", " \r\n\t"}}), HasSubstr("1_a.up.sql: the file is empty"));
  EXPECT_EQ(Error({{"1_a.up.sql", "-- nothing to do"}}), "");
  EXPECT_EQ(Error({{"1_a.up.sql", "select 1"}, {"1_a.down.sql", ""}}), "");
  EXPECT_THAT(Error({{"1_a.down.sql", "select 1"}}),
              HasSubstr("1_a.down.sql: there is no up file for version 1"));
  EXPECT_THAT(Error({{"1_a.up.sql", "select '\xff'"}}), HasSubstr("1_a.up.sql: its text is not"));
  EXPECT_THAT(Error({{"1_a.up.sql", "select 1;\nselect 'x"}}),
              HasSubstr("1_a.up.sql: the string that begins in line 2"));
}

TEST(Source, ByteOrderMarkAndLineEndsMakeNoDifference) {
  const Source plain = Read({{"1_a.up.sql", "select 1;\nselect '\n';\n"}});
  const Source windows = Read({{"1_a.up.sql", "\xEF\xBB\xBFselect 1;\r\nselect '\r\n';\r\n"}});
  EXPECT_EQ(plain.at(1).up->checksum, windows.at(1).up->checksum);
  EXPECT_EQ(windows.at(1).up->statements[1].text, "select '\n'");
  EXPECT_EQ(Checksum("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Source, NoTransactionLine) {
  EXPECT_TRUE(Read({{"1_a.up.sql", "select 1"}}).at(1).up->transactional);
  EXPECT_FALSE(Read({{"1_a.up.sql", "\xEF\xBB\xBF-- penstock: no-transaction \r\nselect 1; x"}})
                   .at(1)
                   .up->transactional);
  EXPECT_THAT(Error({{"1_a.up.sql", "-- penstock: no-transactions\nselect 1"}}),
              HasSubstr("1_a.up.sql: its first line, \"-- penstock: no-transactions\", is not"));
}

TEST(Source, WhatCannotRunInATransaction) {
  for (const char* sql :
       {"create index concurrently i on t(a)", "create unique index concurrently i on t(a);",
        "drop index concurrently i", "reindex (verbose) table concurrently t", "vacuum full t",
        "alter table \"p\" detach partition q concurrently", "create database d",
        "alter system set a = 1", "-- c\nVACUUM"}) {
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
  ASSERT_EQ(source.at(1).up->statements.size(), 2u);
  EXPECT_EQ(source.at(1).up->statements[0].text, "select 1");
  EXPECT_THAT(Error({{"1_a.up.sql", "select 1;\ncommit;\nselect 2"}}),
              HasSubstr("1_a.up.sql, line 2: COMMIT does not belong into a migration"));
  EXPECT_THAT(Error({{"1_a.up.sql", "begin; select 1; commit; begin; select 2; commit"}}),
              HasSubstr("COMMIT does not belong"));
  EXPECT_THAT(Error({{"1_a.up.sql", "-- penstock: no-transaction\nbegin; select 1; commit"}}),
              HasSubstr("BEGIN does not belong"));
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
      EXPECT_NE(source.at(1).up->statements[0].words[0], "BEGIN") << sql;
    }
    EXPECT_THAT(Error({{"1_a.up.sql", "create table a (b int); rollback"}}, driver),
                HasSubstr("1_a.up.sql, line 1: ROLLBACK"));
  }
}

TEST(Source, AFolderThatIsNotThere) {
  const auto files = ReadFolder("/nonexistent/migrations");
  ASSERT_FALSE(files.ok());
  EXPECT_THAT(std::string(files.status().message()), HasSubstr("/nonexistent/migrations"));
}

}  // namespace
}  // namespace penstock::migrations
