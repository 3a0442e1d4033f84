// What only SQLite has, through the wire.
#include <thread>

#include "gmock/gmock.h"
#include "tests/conformance/backend.h"
#include "tests/support/migrate.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;

class SqliteWire : public ::testing::Test {
 protected:
  const TempDir folder_;
  const Gateway gateway_{SqliteConfig(folder_.path())};
  Wire wire_{gateway_.target()};
  MigrationWire migrations_{wire_.channel()};
};

const MigrationFiles kTables = {
    {"1_tables.up.sql",
     "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);\n"
     "CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users ON DELETE "
     "CASCADE);\n"
     "INSERT INTO users VALUES (1, 'ada');\nINSERT INTO posts VALUES (1, 1), (2, 1);"}};

// As https://sqlite.org/lang_altertable.html has it; `rows` are those that are kept.
MigrationFiles Rebuild(const std::string& rows) {
  MigrationFiles files = kTables;
  files.emplace_back("2_rebuild.up.sql",
                     "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n"
                     "CREATE TABLE new_users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n"
                     "INSERT INTO new_users SELECT * FROM users WHERE " +
                         rows +
                         ";\nDROP TABLE users;\nALTER TABLE new_users RENAME TO users;\n"
                         "PRAGMA foreign_key_check;\nCOMMIT;\nPRAGMA foreign_keys=ON;");
  return files;
}

TEST_F(SqliteWire, ATableIsRebuiltInAMigration) {
  ASSERT_TRUE(migrations_.Up(kTables).status.ok());
  const Migrated bad = migrations_.Up(Rebuild("id <> 1"));
  EXPECT_EQ(bad.detail.reason(), v1::REASON_FOREIGN_KEY_VIOLATION) << bad.status.error_message();
  EXPECT_EQ(bad.detail.table(), "posts");
  EXPECT_THAT(bad.status.error_message(), HasSubstr("2_rebuild.up.sql"));
  EXPECT_EQ(wire_.Query("SELECT count(*) FROM posts").text(), "2");
  EXPECT_EQ(wire_.Exec("INSERT INTO posts VALUES (9, 9)").detail.reason(),
            v1::REASON_FOREIGN_KEY_VIOLATION);
  const Migrated good = migrations_.Up(Rebuild("true"));
  ASSERT_TRUE(good.status.ok()) << good.status.error_message();
  EXPECT_EQ(migrations_.Status(Rebuild("true")), "1 applied, 2 applied");
  EXPECT_EQ(wire_.Query("SELECT count(*) FROM posts").text(), "2");
  EXPECT_EQ(wire_.Exec("INSERT INTO posts VALUES (9, 9)").detail.reason(),
            v1::REASON_FOREIGN_KEY_VIOLATION);
  EXPECT_EQ(wire_.Exec("INSERT INTO users VALUES (2, NULL)").detail.reason(),
            v1::REASON_NOT_NULL_VIOLATION);
  // A client cannot have what a migration's file can.
  EXPECT_EQ(wire_.Exec("PRAGMA foreign_keys=OFF").detail.reason(), v1::REASON_NOT_ALLOWED);
}

TEST_F(SqliteWire, ForeignKeysAreDeferredInATransaction) {
  ASSERT_TRUE(migrations_.Up(kTables).status.ok());
  TransactionStream transaction(wire_);
  transaction.Begin();
  EXPECT_TRUE(transaction.Exec("PRAGMA defer_foreign_keys = ON").has_executed());
  EXPECT_TRUE(transaction.Exec("INSERT INTO posts VALUES (3, 2)").has_executed());
  EXPECT_TRUE(transaction.Exec("INSERT INTO users VALUES (2, 'tim')").has_executed());
  EXPECT_TRUE(transaction.Commit().has_committed());
  EXPECT_EQ(wire_.Exec("INSERT INTO posts VALUES (4, 4)").detail.reason(),
            v1::REASON_FOREIGN_KEY_VIOLATION);
  EXPECT_EQ(wire_.Exec("PRAGMA defer_foreign_keys = ON").detail.reason(), v1::REASON_NOT_ALLOWED);
}

// While somebody holds the only writer, whoever sends what cannot be right is told so, and
// not that there is no time left.
TEST_F(SqliteWire, AMisspeltStatementDoesNotWaitForTheWriter) {
  ASSERT_TRUE(wire_.Exec("CREATE TABLE t (a)").status.ok());
  TransactionStream transaction(wire_);
  transaction.Begin();
  ASSERT_TRUE(transaction.Exec("INSERT INTO t VALUES (1)").has_executed());
  const std::pair<const char*, v1::Reason> wrong[] = {
      {"selec 1", v1::REASON_SYNTAX},
      {"BEGIN", v1::REASON_TRANSACTION_CONTROL},
      {"INSERT INTO nowhere VALUES (1)", v1::REASON_UNDEFINED_TABLE},
      {"INSERT INTO t VALUES (1, 2)", v1::REASON_SYNTAX},
      {"ATTACH 'other.db' AS other", v1::REASON_NOT_ALLOWED},
      {"INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)", v1::REASON_MULTIPLE_STATEMENTS},
      {"INSERT INTO t VALUES ($1)", v1::REASON_INVALID_PARAMETER},
      {"PRAGMA foreign_keys = off", v1::REASON_NOT_ALLOWED},
      {"-- nothing", v1::REASON_EMPTY_STATEMENT},
  };
  // There is no time limit but that of the test: who waited for the writer would wait for ever.
  for (const auto& [sql, reason] : wrong) EXPECT_EQ(wire_.Exec(sql).detail.reason(), reason) << sql;
  EXPECT_TRUE(transaction.Commit().has_committed());
  EXPECT_EQ(wire_.Query("SELECT count(*) FROM t").text(), "1");
}

// What is right by what stands before it on its stream is not refused.
TEST_F(SqliteWire, WhatFollowsADefinitionWaitsForIt) {
  TransactionStream transaction(wire_);
  transaction.Begin();
  std::vector<v1::ExecRequest> requests(3);
  requests[0].set_sql("CREATE TABLE t (a)");
  requests[1].set_sql("INSERT INTO t VALUES (1)");
  requests[2].set_sql("INSERT INTO t VALUES (2)");
  grpc::Status status;
  std::vector<v1::ExecResponse> answers;
  std::thread sender([&] { answers = wire_.ExecAll(requests, &status); });
  // Long enough for a check: each of the others is refused, so the first was looked at, too.
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(wire_.Exec("selec 1").detail.reason(), v1::REASON_SYNTAX);
  }
  EXPECT_TRUE(transaction.Rollback().has_rolled_back());
  sender.join();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(answers.size(), 3U);
  EXPECT_EQ(wire_.Query("SELECT count(*) FROM t").text(), "2");
}

// A JSON column that is generated and indexed, after a change of the schema: what was
// reported as DATA_LOSS of a sound file.
TEST_F(SqliteWire, AnIndexedJsonColumnSurvivesTheNextChangeOfTheSchema) {
  for (const char* sql :
       {"CREATE TABLE t (j TEXT, name TEXT AS (json_extract(j, '$.name')))",
        "CREATE INDEX by_name ON t(name)", "INSERT INTO t(j) VALUES ('{\"name\": \"ada\"}')",
        "CREATE TABLE other (a)", "INSERT INTO t(j) VALUES ('{\"name\": \"tim\"}')"}) {
    const Outcome outcome = wire_.Exec(sql);
    EXPECT_TRUE(outcome.status.ok()) << sql << outcome.status.error_message();
  }
  EXPECT_EQ(wire_.Query("SELECT name FROM t ORDER BY name").text(), "'ada'; 'tim'");
}

}  // namespace
}  // namespace penstock::testing
