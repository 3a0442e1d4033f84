// `penstock gen` from a live database: what it writes is compiled into this program, which then
// runs builder statements on the tables that it was written from. After a change that is meant,
// PENSTOCK_TEST_WRITE_GOLDEN=1 writes the files anew.
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "tests/conformance/backend.h"
#include "tests/integration/postgres_tables.inc"
#include "tests/integration/sqlite_tables.inc"
#include "tests/support/process.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const char* const kSqliteSchema[] = {
    R"(CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, "class" VARCHAR(20),
       age INTEGER, active BOOLEAN NOT NULL, height DOUBLE PRECISION, balance NUMERIC(12,2),
       photo BLOB, born DATE, seen TIMESTAMP, wakes TIME, badge UUID, doc JSON, "first name" TEXT,
       loud TEXT GENERATED ALWAYS AS (upper(name)) VIRTUAL))",
    R"(CREATE TABLE "order lines" (order_id BIGINT, sku TEXT, quantity INTEGER NOT NULL,
       PRIMARY KEY (order_id, sku)))",
    "CREATE VIEW adults AS SELECT id, name, age + 1 AS next_age FROM users WHERE age >= 18",
};
const char* const kPostgresSchema[] = {
    "CREATE SCHEMA audit",
    "CREATE TYPE mood AS ENUM ('sad', 'happy')",
    "CREATE DOMAIN positive AS integer NOT NULL CHECK (value > 0)",
    R"(CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, "class" varchar(20), age integer,
       active boolean NOT NULL, height double precision, balance numeric(12,2), photo bytea,
       born date, seen timestamptz, wakes time, wait interval, badge uuid, doc jsonb,
       "first name" text, address inet, feels mood, tags text[], sizes integer[] NOT NULL,
       loud text GENERATED ALWAYS AS (upper(name)) STORED))",
    R"(CREATE TABLE "order lines" (order_id bigint, sku text, quantity positive,
       PRIMARY KEY (order_id, sku)))",
    "CREATE TABLE audit.events (at timestamptz NOT NULL, what text) PARTITION BY RANGE (at)",
    "CREATE TABLE audit.events_all PARTITION OF audit.events DEFAULT",
    "CREATE VIEW adults AS SELECT id, name, age + 1 AS next_age FROM users WHERE age >= 18",
    "CREATE MATERIALIZED VIEW audit.names AS SELECT name FROM users",
};

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class Gen : public Conformance {
 protected:
  bool is_sqlite() const { return backend().name() == "sqlite"; }
  std::string name_space() const { return is_sqlite() ? "sqlite_tables" : "postgres_tables"; }
  // Of CockroachDB, which the proxy plays: PostgreSQL's.
  std::string golden() const {
    return std::string(PENSTOCK_TEST_TABLES) + "/" + name_space() + ".inc";
  }

  void SetUp() override {
    if (!backend().has_free_columns()) return;
    db_ = *New({.target = gateway().target()});
    const auto create = [&](const char* sql) {
      ASSERT_EQ(db_->Exec(Context(), sql).status(), absl::OkStatus()) << sql;
    };
    if (is_sqlite()) {
      for (const char* sql : kSqliteSchema) create(sql);
    } else {
      for (const char* sql : kPostgresSchema) create(sql);
    }
    // A table of Penstock's own.
    ASSERT_EQ(db_->KeyValue("carts")->Put(Context(), "a", "b"), absl::OkStatus());
  }

  struct Ran {
    int code;
    std::string output;
  };
  // Standard output and standard error of `penstock gen`.
  Ran Run(std::vector<std::string> options) {
    std::vector<std::string> words = {BuiltProgram("penstock"), "--target", gateway().target(),
                                      "gen"};
    words.insert(words.end(), options.begin(), options.end());
    Process process(words, folder_.path());
    const int code = process.Wait();
    return {code, process.output()};
  }
  std::string path() const { return folder_.path() + "/tables.h"; }
  // The header of all tables.
  std::string Write(const std::vector<std::string>& more = {}) {
    std::vector<std::string> options = {"--namespace", name_space(), "--output", path()};
    options.insert(options.end(), more.begin(), more.end());
    const Ran ran = Run(options);
    EXPECT_EQ(ran.code, 0) << ran.output;
    notes_ = ran.output;
    return ReadAll(path());
  }

  TempDir folder_;
  std::unique_ptr<Provider> db_;
  std::string notes_;
};

TEST_P(Gen, WritesWhatThisProgramWasCompiledWith) {
  std::string written = Write();
  const bool is_cockroach = backend().name() == "cockroachdb";
  if (is_cockroach) {
    const size_t place = written.find("cockroachdb");
    ASSERT_NE(place, std::string::npos) << written;
    written.replace(place, std::string("cockroachdb").size(), "postgres");
  } else if (std::getenv("PENSTOCK_TEST_WRITE_GOLDEN") != nullptr) {
    std::ofstream(golden()) << written;
  }
  EXPECT_EQ(written, ReadAll(golden()));
  EXPECT_THAT(notes_, HasSubstr("the table \"order lines\" is order_lines in C++"));
  EXPECT_THAT(notes_, HasSubstr("the column class of users is class_ in C++"));
  EXPECT_THAT(
      notes_,
      HasSubstr(is_sqlite() ? "the column next_age of adults is text in C++, because there is "
                              "no C++ type for an expression"
                            : "the column address of users is text in C++, because there "
                              "is no C++ type for inet"));
}

template <typename Users, typename Lines, typename Adults>
void UseTables(Provider& db, const Users& users, const Lines& lines, const Adults& adults) {
  const Context ctx;
  const auto added = sql::InsertInto(users, users.id, users.name, users.class_, users.age,
                                     users.active, users.first_name, users.born)
                         .Values(1, "Ada", "a", 36, true, std::nullopt, absl::CivilDay(1988, 2, 29))
                         .Exec(ctx, db);
  ASSERT_EQ(added.status(), absl::OkStatus());
  ASSERT_EQ(sql::InsertInto(lines)
                .Set(lines.order_id, 7)
                .Set(lines.sku, "A")
                .Set(lines.quantity, 2)
                .Exec(ctx, db)
                .status(),
            absl::OkStatus());
  const auto found = sql::Select(users.name, users.class_, users.born, users.loud, lines.quantity)
                         .From(users)
                         .CrossJoin(lines)
                         .Where(users.first_name == std::nullopt && lines.sku == "A")
                         .FetchOne(ctx, db);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(*found, std::tuple(std::string("Ada"), std::optional<std::string>("a"),
                               std::optional(absl::CivilDay(1988, 2, 29)),
                               std::optional<std::string>("ADA"), int64_t{2}));
  EXPECT_EQ(*sql::Select(adults.name).From(adults).FetchOne(ctx, db), "Ada");
}

TEST_P(Gen, WhatItWroteIsUsedByTheBuilder) {
  if (is_sqlite()) {
    UseTables(*db_, sqlite_tables::users, sqlite_tables::order_lines, sqlite_tables::adults);
    return;
  }
  namespace pg = postgres_tables;
  const Context ctx;
  // A column that is never NULL and has no value yet.
  ASSERT_EQ(db_->Exec(ctx, "ALTER TABLE users ALTER sizes SET DEFAULT '{1,2}'").status(),
            absl::OkStatus());
  UseTables(*db_, pg::users, pg::order_lines, pg::adults);
  EXPECT_EQ(*sql::Select(pg::users.sizes).From(pg::users).FetchOne(ctx, *db_),
            (std::vector<int64_t>{1, 2}));
  // A table of another schema.
  ASSERT_EQ(sql::InsertInto(pg::audit_events)
                .Set(pg::audit_events.at, absl::FromUnixSeconds(1))
                .Set(pg::audit_events.what, "x")
                .Exec(ctx, *db_)
                .status(),
            absl::OkStatus());
  EXPECT_EQ(*sql::Select(pg::audit_events.what).From(pg::audit_events).FetchOne(ctx, *db_), "x");
}

TEST_P(Gen, WritesAFileOnlyIfItChanges) {
  Write();
  std::ofstream(path(), std::ios::app) << "// mine\n";
  EXPECT_THAT(Write(), Not(HasSubstr("mine")));
  struct stat before = {};
  struct stat after = {};
  ASSERT_EQ(stat(path().c_str(), &before), 0);
  Write();
  ASSERT_EQ(stat(path().c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino) << "a file that has it already is left alone";
}

TEST_P(Gen, ChecksAFile) {
  const std::vector<std::string> check = {"--namespace", name_space(), "--check", path()};
  EXPECT_EQ(Run(check).code, 2) << "there is no such file";
  Write();
  const Ran same = Run(check);
  EXPECT_EQ(same.code, 0);
  EXPECT_EQ(same.output, "");
  ASSERT_EQ(db_->Exec(Context(), "ALTER TABLE users ADD COLUMN more TEXT").status(),
            absl::OkStatus());
  const Ran differs = Run(check);
  EXPECT_EQ(differs.code, 5);
  EXPECT_THAT(differs.output, HasSubstr("@@ line "));
  EXPECT_THAT(differs.output,
              HasSubstr("\n+  penstock::sql::Col<Users, std::optional<std::string>, "
                        "\"more\"> more;"));
  EXPECT_THAT(differs.output, HasSubstr("does not match the database"));
}

TEST_P(Gen, TablesByPatterns) {
  const std::string some = Write({"--tables", "us*,adults"});
  EXPECT_THAT(some, HasSubstr("struct Users "));
  EXPECT_THAT(some, HasSubstr("struct Adults "));
  EXPECT_THAT(some, Not(HasSubstr("OrderLines")));
  const std::string ours = Write({"--tables", "penstock_kv_*"});
  EXPECT_THAT(ours, HasSubstr("struct PenstockKvCarts "));
  const Ran none = Run({"--tables", "users", "--tables", "nope*"});
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.output, HasSubstr("no table matches the pattern \"nope*\""));
  EXPECT_THAT(none.output, HasSubstr("users"));
  const Ran wrong = Run({"--namespace", "a b"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.output, HasSubstr("\"a b\" is not a valid namespace name"));
}

TEST_P(Gen, AViewThatCannotBeReadIsNamed) {
  if (!is_sqlite()) return;  // PostgreSQL keeps what a view needs.
  ASSERT_EQ(db_->Exec(Context(), "CREATE VIEW broken AS SELECT x FROM missing").status(),
            absl::OkStatus());
  const Ran ran = Run({});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.output, HasSubstr("broken cannot be read: "));
  EXPECT_EQ(Run({"--tables", "users"}).code, 0) << "it is nothing to the others";
}

PENSTOCK_CONFORMANCE(Gen);

class GenKeyValue : public Gen {};

// Tables of a key and a value, on the driver that has no other.
TEST_P(GenKeyValue, TablesOfTwoColumns) {
  if (backend().has_free_columns()) return;
  const auto db = *New({.target = gateway().target()});
  ASSERT_EQ(db->Exec(Context(), "CREATE TABLE people (key TEXT PRIMARY KEY, value JSON)").status(),
            absl::OkStatus());
  const Ran ran = Run({"--tables", "people"});
  EXPECT_EQ(ran.code, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("// Table people. Primary key: key."));
  EXPECT_THAT(ran.output,
              HasSubstr("Col<People, std::string, \"key\"> key;  // TEXT, primary key"));
  EXPECT_THAT(ran.output, HasSubstr("Col<People, penstock::Json, \"value\"> value;  // JSON"));
}

PENSTOCK_CONFORMANCE_ON(GenKeyValue, KeyValueBackends());

}  // namespace
}  // namespace penstock::testing
