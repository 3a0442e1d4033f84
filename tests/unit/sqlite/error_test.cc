#include "drivers/sqlite_engine/error.h"

#include <sqlite3.h>

#include "drivers/api/error.h"
#include "tests/unit/sqlite/fixture.h"

namespace penstock::sqlite {
namespace {

using driver::Retry;
using sqlite_engine::Classify;

struct Case {
  int code;
  const char* message;
  Reason reason;
  absl::StatusCode status;
  Retry retry = Retry::kNever;
  const char* table = "";
  const char* column = "";
  const char* constraint = "";
};

TEST(Classify, Table) {
  using S = absl::StatusCode;
  const Case cases[] = {
      {SQLITE_CONSTRAINT_UNIQUE, "UNIQUE constraint failed: users.email", Reason::kUniqueViolation,
       S::kAlreadyExists, Retry::kNever, "users", "email"},
      {SQLITE_CONSTRAINT_PRIMARYKEY, "UNIQUE constraint failed: t.a, t.b", Reason::kUniqueViolation,
       S::kAlreadyExists, Retry::kNever, "t", "a"},
      {SQLITE_CONSTRAINT_UNIQUE, "UNIQUE constraint failed: index 'by.name'",
       Reason::kUniqueViolation, S::kAlreadyExists, Retry::kNever, "", "", "by.name"},
      {SQLITE_CONSTRAINT_ROWID, "UNIQUE constraint failed: t.rowid", Reason::kUniqueViolation,
       S::kAlreadyExists, Retry::kNever, "t", "rowid"},
      {SQLITE_CONSTRAINT_FOREIGNKEY, "FOREIGN KEY constraint failed", Reason::kForeignKeyViolation,
       S::kFailedPrecondition},
      {SQLITE_CONSTRAINT_CHECK, "CHECK constraint failed: a IN (1, 2)", Reason::kCheckViolation,
       S::kFailedPrecondition, Retry::kNever, "", "", "a IN (1, 2)"},
      {SQLITE_CONSTRAINT_NOTNULL, "NOT NULL constraint failed: t.a", Reason::kNotNullViolation,
       S::kFailedPrecondition, Retry::kNever, "t", "a"},
      {SQLITE_CONSTRAINT_TRIGGER, "no more of them", Reason::kConstraintViolation,
       S::kFailedPrecondition},
      {SQLITE_CONSTRAINT_DATATYPE, "cannot store TEXT value in INTEGER column t.a",
       Reason::kDataException, S::kInvalidArgument},
      {SQLITE_MISMATCH, "datatype mismatch", Reason::kDataException, S::kInvalidArgument},
      {SQLITE_ERROR, "integer overflow", Reason::kDataException, S::kInvalidArgument},
      {SQLITE_ERROR, "near \"selec\": syntax error", Reason::kSyntax, S::kInvalidArgument},
      {SQLITE_ERROR, "no such column: x", Reason::kSyntax, S::kInvalidArgument},
      {SQLITE_ERROR, "no such table: users", Reason::kUndefinedTable, S::kNotFound, Retry::kNever,
       "users"},
      {SQLITE_ERROR, "no such table: main.users", Reason::kUndefinedTable, S::kNotFound,
       Retry::kNever, "users"},
      {SQLITE_BUSY, "database is locked", Reason::kBusy, S::kAborted, Retry::kTransaction},
      {SQLITE_BUSY_SNAPSHOT, "database is locked", Reason::kSerializationFailure, S::kAborted,
       Retry::kTransaction},
      {SQLITE_LOCKED, "database table is locked", Reason::kBusy, S::kAborted, Retry::kTransaction},
      {SQLITE_SCHEMA, "database schema has changed", Reason::kBusy, S::kAborted,
       Retry::kTransaction},
      {SQLITE_ABORT_ROLLBACK, "abort due to ROLLBACK", Reason::kTransactionAborted,
       S::kFailedPrecondition},
      {SQLITE_FULL, "database or disk is full", Reason::kDiskFull, S::kResourceExhausted,
       Retry::kStatement},
      {SQLITE_NOMEM, "out of memory", Reason::kBackendResources, S::kResourceExhausted,
       Retry::kStatement},
      {SQLITE_TOOBIG, "string or blob too big", Reason::kLimitExceeded, S::kResourceExhausted},
      {SQLITE_READONLY_DIRECTORY, "attempt to write a readonly database", Reason::kReadOnly,
       S::kFailedPrecondition},
      {SQLITE_IOERR_FSYNC, "disk I/O error", Reason::kIo, S::kInternal},
      {SQLITE_CORRUPT_VTAB, "database disk image is malformed", Reason::kCorruption, S::kDataLoss},
      {SQLITE_CORRUPT, "database disk image is malformed", Reason::kCorruption, S::kDataLoss},
      {SQLITE_CORRUPT, "malformed database schema (t) - invalid rootpage", Reason::kCorruption,
       S::kDataLoss},
      {SQLITE_CORRUPT, "malformed database schema (?)", Reason::kCorruption, S::kDataLoss},
      {SQLITE_ERROR, "unsafe use of json_extract()", Reason::kNotAllowed, S::kPermissionDenied},
      {SQLITE_ERROR, "unsupported file format", Reason::kUnsupported, S::kUnimplemented},
      {SQLITE_NOTADB, "file is not a database", Reason::kCorruption, S::kDataLoss},
      {SQLITE_CANTOPEN, "unable to open database file", Reason::kConnectionFailed, S::kUnavailable,
       Retry::kStatement},
      {SQLITE_INTERRUPT, "interrupted", Reason::kCancelled, S::kCancelled},
      {SQLITE_AUTH, "not authorized", Reason::kNotAllowed, S::kPermissionDenied},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.message);
    const absl::Status status = Classify(c.code, c.message, 7);
    const driver::ErrorInfo info = driver::GetErrorInfo(status);
    EXPECT_EQ(status.code(), c.status);
    EXPECT_EQ(status.message(), c.message);
    EXPECT_EQ(info.reason, c.reason);
    EXPECT_EQ(info.retry, c.retry);
    EXPECT_EQ(info.driver_code, c.code);
    EXPECT_EQ(info.position, 7);
    EXPECT_EQ(info.table, c.table);
    EXPECT_EQ(info.column, c.column);
    EXPECT_EQ(info.constraint, c.constraint);
  }
}

// A schema that is not read, in a file that is sound.
TEST(Classify, ASchemaThatIsNotRead) {
  const absl::Status untrusted =
      Classify(SQLITE_CORRUPT, "malformed database schema (t) - unsafe use of json_extract()");
  EXPECT_EQ(driver::GetErrorInfo(untrusted).reason, Reason::kNotAllowed);
  EXPECT_EQ(untrusted.message(),
            "the schema has a definition of t that cannot be used: unsafe use of json_extract()");
  for (const char* why :
       {"near \"MANY\": syntax error", "unknown table option: STRICT", "unrecognized token: \"@\"",
        "too many columns on t", "Expression tree is too large (maximum depth 1000)"}) {
    const absl::Status status =
        Classify(SQLITE_CORRUPT, std::string("malformed database schema (t) - ") + why);
    EXPECT_EQ(driver::GetErrorInfo(status).reason, Reason::kUnsupported) << status;
    EXPECT_EQ(status.message(),
              std::string("the schema has a definition of t that cannot be used: ") + why);
  }
  EXPECT_NE(driver::GetErrorInfo(Classify(SQLITE_CORRUPT_VTAB, "database disk image is malformed"))
                .hint.find("rebuild"),
            std::string::npos);
}

class ErrorTest : public SqliteTest {};

// Names may be anything; SQLite's messages quote none of them.
TEST_F(ErrorTest, NamesOfEverySortAreToldApart) {
  std::string all;
  for (int c = 1; c < 256; ++c) {
    // Valid UTF-8 alone can be asked for.
    if (c < 0x80) all += static_cast<char>(c);
  }
  for (const std::string& name :
       {std::string("a.b"), std::string("a, b"), std::string("a.b, c.d"), std::string(" . "),
        std::string("x\x1fy"), std::string("\x01\x1e\x1f\n\t\x7f"), std::string("größe.世界"),
        all}) {
    std::string quoted = "\"";
    for (const char c : name) quoted += c == '"' ? "\"\"" : std::string(1, c);
    quoted += '"';
    SCOPED_TRACE(quoted);
    Exec("CREATE TABLE " + quoted + "(id INTEGER PRIMARY KEY, z INT, " + quoted +
         " INT NOT NULL CONSTRAINT " + quoted + " CHECK (" + quoted + " < 9), UNIQUE (" + quoted +
         ", z))");
    Exec("INSERT INTO " + quoted + " VALUES (1, 1, 1)");
    const auto info = [&](const std::string& values) {
      const auto call = Try("INSERT INTO " + quoted + " VALUES (" + values + ")");
      return driver::GetErrorInfo(call->run.status);
    };
    const driver::ErrorInfo unique = info("2, 1, 1");
    EXPECT_EQ(unique.reason, Reason::kUniqueViolation);
    EXPECT_EQ(unique.table, name);
    EXPECT_EQ(unique.column, name);
    const driver::ErrorInfo null = info("2, 1, NULL");
    EXPECT_EQ(null.reason, Reason::kNotNullViolation);
    EXPECT_EQ(null.table, name);
    EXPECT_EQ(null.column, name);
    const driver::ErrorInfo check = info("2, 1, 10");
    EXPECT_EQ(check.reason, Reason::kCheckViolation);
    EXPECT_EQ(check.constraint, name);
    Exec("DROP TABLE " + quoted);
  }
}

TEST_F(ErrorTest, ConstraintsNameWhatWasViolated) {
  Exec("CREATE TABLE p(id INTEGER PRIMARY KEY)");
  Exec(
      "CREATE TABLE t(a TEXT NOT NULL UNIQUE, b INT CONSTRAINT small CHECK (b < 10), "
      "p INT REFERENCES p(id))");
  Exec("INSERT INTO t(a) VALUES ('x')");
  const auto unique = Try("INSERT INTO t(a) VALUES ($1)", {Value::Text("x")});
  EXPECT_EQ(unique->reason(), Reason::kUniqueViolation);
  EXPECT_EQ(driver::GetErrorInfo(unique->run.status).column, "a");
  EXPECT_EQ(Try("INSERT INTO t(a) VALUES (NULL)")->reason(), Reason::kNotNullViolation);
  const auto check = Try("INSERT INTO t(a, b) VALUES ('y', 10)");
  EXPECT_EQ(check->reason(), Reason::kCheckViolation);
  EXPECT_EQ(driver::GetErrorInfo(check->run.status).constraint, "small");
  EXPECT_EQ(Try("INSERT INTO t(a, p) VALUES ('y', 1)")->reason(), Reason::kForeignKeyViolation);
}

// What a trigger says is no reason to look for another one.
TEST_F(ErrorTest, WhatATriggerSaysIsLeftAlone) {
  Exec("CREATE TABLE t(a)");
  for (const char* text : {"unsafe use of it", "no such column: a", "malformed database schema (t)",
                           "UNIQUE constraint failed: t.a"}) {
    Exec(std::string("CREATE TRIGGER g BEFORE INSERT ON t BEGIN SELECT RAISE(ABORT, '") + text +
         "'); END");
    const auto call = Try("INSERT INTO t VALUES (1)");
    EXPECT_EQ(call->reason(), Reason::kConstraintViolation) << call->run.status;
    EXPECT_EQ(call->message(), text);
    EXPECT_EQ(driver::GetErrorInfo(call->run.status).hint, "");
    Exec("DROP TRIGGER g");
  }
}

TEST_F(ErrorTest, PositionIsInCharacters) {
  const auto call = Try("SELECT 'größe', nothing");
  EXPECT_EQ(call->reason(), Reason::kSyntax);
  EXPECT_EQ(driver::GetErrorInfo(call->run.status).position, 17);
}

TEST_F(ErrorTest, MessagesHoldNoParameterValues) {
  Exec("CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT UNIQUE)");
  Exec("INSERT INTO t VALUES (1, 'secret')");
  for (const auto& call : {Try("INSERT INTO t(b) VALUES ($1)", {Value::Text("secret")}),
                           Try("INSERT INTO t(a) VALUES ($1)", {Value::Text("secret")}),
                           Try("SELECT $1", {Value::Of(Kind::kDate, "secret")})}) {
    EXPECT_FALSE(call->run.status.ok());
    EXPECT_EQ(call->run.status.ToString().find("secret"), std::string::npos) << call->run.status;
  }
}

}  // namespace
}  // namespace penstock::sqlite
