// Steps that turn foreign keys off: what SQLite documents for rebuilding a table, as
// other tools write it, and what must not come of it.
#include "drivers/sqlite/migrations/foreign_keys.h"

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/unit/migrations/fixture.h"

namespace penstock::migrations {
namespace {

using driver::Reason;
using ::testing::AllOf;
using ::testing::HasSubstr;

// A parent and a child whose rows go with the parent's.
constexpr char kSchema[] =
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);\n"
    "CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users(id) ON "
    "DELETE CASCADE);\n"
    "INSERT INTO users VALUES (1, 'ada'), (2, 'tim');\n"
    "INSERT INTO posts VALUES (10, 1), (11, 1), (12, 2);\n";

constexpr char kRebuild[] =
    "CREATE TABLE users_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n"
    "INSERT INTO users_new SELECT id, name FROM users;\n"
    "DROP TABLE users;\n"
    "ALTER TABLE users_new RENAME TO users;\n";

class ForeignKeysTest : public MigratorTest {
 protected:
  ForeignKeysTest() { Prepare(); }
  void Prepare() { EXPECT_TRUE(Migrate({Schema()}).ok()); }
  static File Schema() { return {"1_schema.up.sql", kSchema}; }

  absl::Status Step(const std::string& sql) { return Migrate({Schema(), {"2_step.up.sql", sql}}); }

  // Foreign keys hold for whoever comes next, and a row goes with its parent.
  void ExpectForeignKeysOn() {
    EXPECT_EQ(Ask("PRAGMA foreign_keys"), "1 ");
    EXPECT_EQ(driver::GetErrorInfo(migration_connection_->Run("INSERT INTO posts VALUES (99, 99)"))
                  .reason,
              Reason::kForeignKeyViolation);
  }

  void ExpectUndone() {
    EXPECT_EQ(Ask("SELECT id, user_id FROM posts"), "10 1 11 1 12 2 ");
    EXPECT_EQ(Ask("SELECT name FROM sqlite_schema WHERE name LIKE '%new%'"), "");
    EXPECT_EQ(Ask("SELECT max(version) FROM penstock_migrations"), "1 ");
    ExpectForeignKeysOn();
  }
};

TEST_F(ForeignKeysTest, ATableIsRebuiltAndItsChildrenStay) {
  const std::string rebuild = kRebuild;
  const std::string scripts[] = {
      // As https://sqlite.org/lang_altertable.html has it.
      "PRAGMA foreign_keys=OFF;\nBEGIN;\n" + rebuild +
          "PRAGMA foreign_key_check;\nCOMMIT;\nPRAGMA foreign_keys=ON;",
      "pragma foreign_keys = off;\nbegin transaction;\n" + rebuild +
          "end transaction;\npragma foreign_keys = on;",
      "PRAGMA foreign_keys(0);\nBEGIN IMMEDIATE;\n" + rebuild + "END;\nPRAGMA foreign_keys(1);",
      "PRAGMA foreign_keys=no;\nBEGIN EXCLUSIVE TRANSACTION;\n" + rebuild + "COMMIT TRANSACTION;",
      // As tools write it that have the transaction around the file themselves.
      "PRAGMA foreign_keys=OFF;\n" + rebuild + "PRAGMA foreign_key_check;\nPRAGMA foreign_keys=ON;",
      "PRAGMA defer_foreign_keys=ON;\nPRAGMA foreign_keys=OFF;\n" + rebuild +
          "PRAGMA foreign_keys=ON;\nPRAGMA defer_foreign_keys=OFF;",
      "BEGIN TRANSACTION;\nPRAGMA foreign_keys = 0;\n" + rebuild +
          "PRAGMA foreign_keys = 1;\nCOMMIT;",
      // With more around it, and with several of them.
      "CREATE TABLE before_it (a);\nPRAGMA foreign_keys=false;\nPRAGMA legacy_alter_table=ON;\n"
      "BEGIN;\n" +
          rebuild +
          "COMMIT;\nPRAGMA legacy_alter_table=OFF;\nPRAGMA foreign_key_check;\n"
          "PRAGMA foreign_keys=true;\nCREATE INDEX users_name ON users(name);\nSELECT 1;",
      "PRAGMA foreign_keys=OFF;\nBEGIN;\n" + rebuild +
          "COMMIT;\nBEGIN;\nUPDATE users SET name = 'x';\nCOMMIT;\nPRAGMA foreign_keys=ON;",
      "PRAGMA foreign_keys=OFF;\n" + rebuild +
          "PRAGMA foreign_keys=ON;\nPRAGMA foreign_keys=OFF;\n" + rebuild +
          "PRAGMA foreign_keys=ON;",
  };
  for (const std::string& script : scripts) {
    SCOPED_TRACE(script);
    const absl::Status status = Step(script);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(Ask("SELECT id, user_id FROM posts"), "10 1 11 1 12 2 ");
    EXPECT_EQ(Ask("SELECT count(*) FROM users"), "2 ");
    EXPECT_EQ(Ask("SELECT \"notnull\" FROM pragma_table_info('users') WHERE name = 'name'"), "1 ");
    EXPECT_EQ(Ask("SELECT state FROM penstock_migrations WHERE version = 2"), "done ");
    EXPECT_EQ(Ask("PRAGMA legacy_alter_table"), "0 ");
    ExpectForeignKeysOn();
    // And once more on a database as it was.
    ASSERT_TRUE(migration_connection_->Run("DROP TABLE posts").ok());
    for (const char* table : {"users", "before_it"}) {
      ASSERT_TRUE(migration_connection_->Run(fmt::format("DROP TABLE IF EXISTS {}", table)).ok());
    }
    ASSERT_TRUE(migration_connection_->Run("DELETE FROM penstock_migrations").ok());
    Prepare();
  }
}

// What SQLite does with foreign keys on. Nothing that is said to a user may lead there.
TEST_F(ForeignKeysTest, WithoutThePragmaTheChildrenGo) {
  ASSERT_TRUE(Step(kRebuild).ok());
  EXPECT_EQ(Ask("SELECT count(*) FROM posts"), "0 ");
}

TEST_F(ForeignKeysTest, AStepThatLeavesARowWithoutItsParentIsUndone) {
  const absl::Status status = Step(
      "PRAGMA foreign_keys=OFF;\nBEGIN;\n"
      "CREATE TABLE users_new (id INTEGER PRIMARY KEY, name TEXT);\n"
      "INSERT INTO users_new SELECT id, name FROM users WHERE id > 1;\n"
      "DROP TABLE users;\nALTER TABLE users_new RENAME TO users;\n"
      "COMMIT;\nPRAGMA foreign_keys=ON;");
  const driver::ErrorInfo info = driver::GetErrorInfo(status);
  EXPECT_EQ(info.reason, Reason::kForeignKeyViolation) << status;
  EXPECT_EQ(info.table, "posts");
  EXPECT_EQ(info.column, "user_id");
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("2_step.up.sql"), HasSubstr("row 10 of posts refers by user_id"),
                    HasSubstr("users"), HasSubstr("2 such after the step, 0 before it")));
  EXPECT_THAT(info.hint, HasSubstr("foreign keys are off in its step, which was undone"));
  ExpectUndone();
  EXPECT_EQ(Ask("SELECT count(*) FROM users"), "2 ");
}

// Foreign keys are off for the whole step: what would have cascaded is told, not lost.
TEST_F(ForeignKeysTest, WhatWouldHaveCascadedIsTold) {
  for (const char* sql :
       {"PRAGMA foreign_keys=OFF; CREATE TABLE x(a); PRAGMA foreign_keys=ON; DELETE FROM users",
        "DELETE FROM users WHERE id = 1; PRAGMA foreign_keys=OFF; CREATE TABLE x(a)",
        "PRAGMA foreign_keys=OFF; DROP TABLE users; PRAGMA foreign_keys=ON",
        "PRAGMA foreign_keys=OFF; UPDATE users SET id = id + 10; PRAGMA foreign_keys=ON",
        "PRAGMA foreign_keys=OFF; INSERT INTO posts VALUES (13, 7); PRAGMA foreign_keys=ON"}) {
    EXPECT_EQ(driver::GetErrorInfo(Step(sql)).reason, Reason::kForeignKeyViolation) << sql;
    ExpectUndone();
  }
}

TEST_F(ForeignKeysTest, ViolationsOfBeforeAreNotTheStepsFault) {
  Open({{"foreign_keys", "off"}});
  ASSERT_TRUE(migration_connection_->Run("INSERT INTO posts VALUES (20, 7), (21, 8)").ok());
  Open();
  const std::string off = "PRAGMA foreign_keys=OFF; ";
  const absl::Status worse = Step(off + "INSERT INTO posts VALUES (15, 9)");
  EXPECT_EQ(driver::GetErrorInfo(worse).reason, Reason::kForeignKeyViolation);
  EXPECT_THAT(std::string(worse.message()),
              AllOf(HasSubstr("row 15 of posts"), HasSubstr("3 such after the step, 2 before it")));
  const absl::Status status = Step(off + kRebuild);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(Ask("SELECT count(*) FROM posts"), "5 ");
  ExpectForeignKeysOn();
}

TEST_F(ForeignKeysTest, AParentThatIsNoKeyAnyMoreIsTold) {
  const char* rebuild =
      "CREATE TABLE u2 (id INTEGER, name TEXT); INSERT INTO u2 SELECT * FROM users; "
      "DROP TABLE users; ALTER TABLE u2 RENAME TO users;";
  const absl::Status status = Step(std::string("PRAGMA foreign_keys=OFF; ") + rebuild);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("2_step.up.sql"), HasSubstr("foreign key mismatch")));
  ExpectUndone();
  // One that was so before does not keep other steps from being done.
  Open({{"foreign_keys", "off"}});
  ASSERT_TRUE(Migrate({Schema(), {"2_step.up.sql", rebuild}}).ok());
  Open();
  const absl::Status other =
      Migrate({Schema(),
               {"2_step.up.sql", rebuild},
               {"3_x.up.sql", "PRAGMA foreign_keys=OFF; CREATE TABLE x(a)"}});
  EXPECT_TRUE(other.ok()) << other;
}

TEST_F(ForeignKeysTest, TablesWithoutRowidAndKeysOfSeveralColumns) {
  ASSERT_TRUE(migration_connection_->Run("CREATE TABLE p (a, b, PRIMARY KEY (a, b))").ok());
  ASSERT_TRUE(migration_connection_
                  ->Run("CREATE TABLE \"c'\x1f\" (k TEXT PRIMARY KEY, x, y, FOREIGN KEY (x, y) "
                        "REFERENCES p) WITHOUT ROWID")
                  .ok());
  const absl::Status status =
      Step("PRAGMA foreign_keys=OFF; INSERT INTO \"c'\x1f\" VALUES ('k', 1, 2)");
  EXPECT_EQ(driver::GetErrorInfo(status).table, "c'\x1f") << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("a row of c'\x1f refers to a row of p"));
}

TEST_F(ForeignKeysTest, TheyAreOnAgainWhateverHappened) {
  const std::string begin = "PRAGMA foreign_keys=OFF;\nBEGIN;\n";
  EXPECT_EQ(
      driver::GetErrorInfo(Step(begin + kRebuild + "INSERT INTO nowhere VALUES (1);\nCOMMIT;"))
          .reason,
      Reason::kUndefinedTable);
  ExpectUndone();
  // Cancelled in the middle.
  auto migrator = Make({Schema(), {"2_step.up.sql", begin + kRebuild + "COMMIT"}});
  ASSERT_TRUE(*migrator->TryLock());
  const auto plan = migrator->MakePlan({}, false, false);
  const auto row = migrator->RunStep(plan->front(), [this](size_t statement, size_t) {
    if (statement == 4) cancellation_.Cancel(driver::MakeError(Reason::kCancelled, "gone"));
  });
  EXPECT_EQ(driver::GetErrorInfo(row.status()).reason, Reason::kCancelled);
  cancellation_.Reset();
  migrator.reset();
  ExpectUndone();
  // The caller is gone in the middle, and the connection goes back to the pool.
  ASSERT_TRUE(migration_connection_->Begin(false).ok());
  EXPECT_EQ(Ask("PRAGMA foreign_keys"), "0 ");
  ASSERT_TRUE(migration_connection_->Run("DELETE FROM users").ok());
  ASSERT_TRUE(connection_->Reset().ok());
  migration_connection_ = std::make_unique<MigrationConnection>(connection_.get(), &cancellation_);
  ExpectUndone();
}

// As `sqlite3 file .dump` writes it: children may come first, and nothing turns them on.
TEST_F(ForeignKeysTest, ADumpOfTheShell) {
  const absl::Status status = Step(
      "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n"
      "CREATE TABLE c(id INTEGER PRIMARY KEY AUTOINCREMENT, p INT REFERENCES p(id));\n"
      "INSERT INTO c VALUES(1,7);\nCREATE TABLE IF NOT EXISTS \"p\"(id INTEGER PRIMARY KEY);\n"
      "INSERT INTO p VALUES(7);\nDELETE FROM sqlite_sequence;\n"
      "INSERT INTO sqlite_sequence VALUES('c',41);\n"
      "CREATE TRIGGER g AFTER INSERT ON p BEGIN SELECT 1; END;\nCOMMIT;\n");
  EXPECT_TRUE(status.ok()) << status;
  ASSERT_TRUE(migration_connection_->Run("INSERT INTO c(p) VALUES (7)").ok());
  EXPECT_EQ(Ask("SELECT id FROM c"), "1 42 ");
  ExpectForeignKeysOn();
}

TEST_F(ForeignKeysTest, DeferredToTheEndOfTheStep) {
  EXPECT_EQ(driver::GetErrorInfo(Step("INSERT INTO posts VALUES (13, 3); INSERT INTO users VALUES "
                                      "(3, 'eve')"))
                .reason,
            Reason::kForeignKeyViolation);
  EXPECT_EQ(driver::GetErrorInfo(Step("PRAGMA defer_foreign_keys=ON; INSERT INTO posts VALUES (13, "
                                      "4)"))
                .reason,
            Reason::kForeignKeyViolation);
  ExpectUndone();
  const absl::Status status = Step(
      "PRAGMA defer_foreign_keys = on; INSERT INTO posts VALUES (13, 3); INSERT INTO users "
      "VALUES (3, 'eve')");
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(Ask("PRAGMA defer_foreign_keys"), "0 ");
  ExpectForeignKeysOn();
}

TEST_F(ForeignKeysTest, ADatabaseWithoutThem) {
  Open({{"foreign_keys", "off"}});
  // The configuration's setting is the database's; nothing is checked for nobody.
  EXPECT_TRUE(Step("PRAGMA foreign_keys=OFF; INSERT INTO posts VALUES (13, 7)").ok());
  EXPECT_EQ(Ask("PRAGMA foreign_keys"), "0 ");
  const absl::Status on =
      Migrate({Schema(),
               {"2_step.up.sql", "PRAGMA foreign_keys=OFF; INSERT INTO posts VALUES (13, 7)"},
               {"3_on.up.sql", "PRAGMA foreign_keys=ON; INSERT INTO posts VALUES (14, 7)"}});
  EXPECT_EQ(driver::GetErrorInfo(on).reason, Reason::kForeignKeyViolation) << on;
  EXPECT_EQ(Ask("PRAGMA foreign_keys"), "0 ");
}

// What would lead to a loss if it were taken for something else.
TEST_F(ForeignKeysTest, WhatDoesNothingIsRefused) {
  for (const char* sql :
       {"PRAGMA foreign_keys=OFF", "-- for the next file\nPRAGMA foreign_keys=OFF;\n",
        "CREATE TABLE x(a); PRAGMA foreign_keys=OFF", "BEGIN; PRAGMA foreign_keys=OFF; COMMIT",
        "PRAGMA foreign_keys=OFF; PRAGMA legacy_alter_table=ON",
        "PRAGMA foreign_keys=OFF; CREATE TABLE x(a); PRAGMA foreign_keys=ON; PRAGMA "
        "foreign_keys=OFF"}) {
    const auto dialect = *MakeDialect("sqlite", "penstock_migrations");
    const auto source = ReadSource({{"1_a.up.sql", sql}}, {}, "sqlite", *dialect);
    EXPECT_THAT(std::string(source.status().message()),
                AllOf(HasSubstr("1_a.up.sql, line"), HasSubstr("nothing comes after it")))
        << sql;
    EXPECT_THAT(driver::GetErrorInfo(source.status()).hint, HasSubstr("the file that needs it"));
  }
  const auto dialect = *MakeDialect("sqlite", "penstock_migrations");
  const auto source = ReadSource({{"1_a.up.sql", std::string(kNoTransactionLine) +
                                                     "\nPRAGMA foreign_keys=OFF;\nDROP TABLE a;"}},
                                 {}, "sqlite", *dialect);
  EXPECT_THAT(std::string(source.status().message()),
              HasSubstr("1_a.up.sql, line 2: PRAGMA foreign_keys has no effect in a file without"));
  // Nothing that is advised makes a DROP TABLE meet foreign keys that are on.
  const std::string hint = driver::GetErrorInfo(source.status()).hint;
  EXPECT_EQ(hint.find("remove it"), std::string::npos) << hint;
  const auto vacuum =
      ReadSource({{"1_a.up.sql", "PRAGMA foreign_keys=OFF;\nDROP TABLE a;\nVACUUM;\n"}}, {},
                 "sqlite", *dialect);
  EXPECT_EQ(driver::GetErrorInfo(vacuum.status()).hint, "move it into a file of its own");
  for (const char* sql : {"PRAGMA foreign_keys=OFF; BEGIN; DROP TABLE users;",
                          "PRAGMA foreign_keys=OFF; BEGIN; DROP TABLE users; ROLLBACK",
                          "PRAGMA foreign_keys=OFF; BEGIN; BEGIN; DROP TABLE users; COMMIT; COMMIT",
                          "PRAGMA foreign_keys=OFF; DROP TABLE users; COMMIT"}) {
    const auto control = ReadSource({{"1_a.up.sql", sql}}, {}, "sqlite", *dialect);
    EXPECT_EQ(driver::GetErrorInfo(control.status()).reason, Reason::kTransactionControl) << sql;
    EXPECT_EQ(driver::GetErrorInfo(control.status()).hint,
              "remove it: the file is one transaction, with foreign keys off");
  }
}

// Down files rebuild tables, too.
TEST_F(ForeignKeysTest, OnTheWayDown) {
  const std::string off = "PRAGMA foreign_keys=OFF;\nBEGIN;\n";
  const std::string on = "COMMIT;\nPRAGMA foreign_keys=ON;";
  const std::vector<File> files = {
      Schema(), {"2_step.up.sql", off + kRebuild + on}, {"2_step.down.sql", off + kRebuild + on}};
  ASSERT_TRUE(Migrate(files).ok());
  const absl::Status down = Migrate(files, {.kind = Target::Kind::kDown, .steps = 1});
  EXPECT_TRUE(down.ok()) << down;
  EXPECT_EQ(Ask("SELECT count(*) FROM posts"), "3 ");
  ExpectForeignKeysOn();
}

}  // namespace
}  // namespace penstock::migrations
