// The table from the server's codes to the project's errors.
#include "drivers/postgres/error.h"

#include "drivers/api/error.h"
#include "gtest/gtest.h"

namespace penstock::postgres {
namespace {

using absl::StatusCode;
using driver::Reason;
using driver::Retry;

struct Row {
  const char* sqlstate;
  Reason reason;
  StatusCode code;
  Retry retry;
};

TEST(ErrorTest, EveryConditionHasItsCodeAndWhatMayBeRepeated) {
  const Row rows[] = {
      {"23505", Reason::kUniqueViolation, StatusCode::kAlreadyExists, Retry::kNever},
      {"23503", Reason::kForeignKeyViolation, StatusCode::kFailedPrecondition, Retry::kNever},
      {"23514", Reason::kCheckViolation, StatusCode::kFailedPrecondition, Retry::kNever},
      {"23502", Reason::kNotNullViolation, StatusCode::kFailedPrecondition, Retry::kNever},
      {"23P01", Reason::kConstraintViolation, StatusCode::kFailedPrecondition, Retry::kNever},
      {"44000", Reason::kConstraintViolation, StatusCode::kFailedPrecondition, Retry::kNever},
      {"40001", Reason::kSerializationFailure, StatusCode::kAborted, Retry::kTransaction},
      {"40P01", Reason::kDeadlock, StatusCode::kAborted, Retry::kTransaction},
      {"40003", Reason::kCommitOutcomeUnknown, StatusCode::kUnknown, Retry::kNever},
      {"55P03", Reason::kBusy, StatusCode::kAborted, Retry::kTransaction},
      {"25P02", Reason::kTransactionAborted, StatusCode::kFailedPrecondition, Retry::kNever},
      {"25006", Reason::kReadOnly, StatusCode::kFailedPrecondition, Retry::kNever},
      {"53100", Reason::kDiskFull, StatusCode::kResourceExhausted, Retry::kStatement},
      {"53300", Reason::kBackendResources, StatusCode::kResourceExhausted, Retry::kStatement},
      {"57014", Reason::kQueryTimeout, StatusCode::kDeadlineExceeded, Retry::kNever},
      {"42501", Reason::kNotAllowed, StatusCode::kPermissionDenied, Retry::kNever},
      {"42P01", Reason::kUndefinedTable, StatusCode::kNotFound, Retry::kNever},
      {"42704", Reason::kUndefinedObject, StatusCode::kNotFound, Retry::kNever},
      {"42P07", Reason::kDuplicateObject, StatusCode::kAlreadyExists, Retry::kNever},
      {"42701", Reason::kDuplicateObject, StatusCode::kAlreadyExists, Retry::kNever},
      {"3D000", Reason::kUnknownDatabase, StatusCode::kNotFound, Retry::kNever},
      {"42601", Reason::kSyntax, StatusCode::kInvalidArgument, Retry::kNever},
      {"42703", Reason::kSyntax, StatusCode::kInvalidArgument, Retry::kNever},
      {"42P18", Reason::kInvalidParameter, StatusCode::kInvalidArgument, Retry::kNever},
      {"22P02", Reason::kDataException, StatusCode::kInvalidArgument, Retry::kNever},
      {"21000", Reason::kDataException, StatusCode::kInvalidArgument, Retry::kNever},
      {"0A000", Reason::kUnsupported, StatusCode::kUnimplemented, Retry::kNever},
      {"2BP01", Reason::kWrongState, StatusCode::kFailedPrecondition, Retry::kNever},
      {"55000", Reason::kWrongState, StatusCode::kFailedPrecondition, Retry::kNever},
      {"55006", Reason::kWrongState, StatusCode::kFailedPrecondition, Retry::kNever},
      {"24000", Reason::kWrongState, StatusCode::kFailedPrecondition, Retry::kNever},
      {"34000", Reason::kUndefinedObject, StatusCode::kNotFound, Retry::kNever},
      {"26000", Reason::kUndefinedObject, StatusCode::kNotFound, Retry::kNever},
      {"P0001", Reason::kRaised, StatusCode::kFailedPrecondition, Retry::kNever},
      {"08000", Reason::kRaised, StatusCode::kFailedPrecondition, Retry::kNever},
      {"SHOP1", Reason::kRaised, StatusCode::kFailedPrecondition, Retry::kNever},
      {"XX000", Reason::kIo, StatusCode::kInternal, Retry::kNever},
      {"XX001", Reason::kCorruption, StatusCode::kDataLoss, Retry::kNever},
      {"58030", Reason::kIo, StatusCode::kInternal, Retry::kNever},
  };
  for (const Row& row : rows) {
    const absl::Status status = Classify({.sqlstate = row.sqlstate, .message = "it failed"});
    const driver::ErrorInfo info = driver::GetErrorInfo(status);
    EXPECT_EQ(info.reason, row.reason) << row.sqlstate;
    EXPECT_EQ(status.code(), row.code) << row.sqlstate;
    EXPECT_EQ(info.retry, row.retry) << row.sqlstate;
    EXPECT_EQ(info.sqlstate, row.sqlstate);
  }
}

TEST(ErrorTest, TheParticularsGoAlong) {
  const driver::ErrorInfo info = driver::GetErrorInfo(Classify({.sqlstate = "23505",
                                                                .message = "it exists",
                                                                .detail = "Key (id)=(1)",
                                                                .hint = "another one",
                                                                .schema = "public",
                                                                .table = "users",
                                                                .column = "id",
                                                                .constraint = "users_pkey",
                                                                .position = 7}));
  EXPECT_EQ(info.schema, "public");
  EXPECT_EQ(info.table, "users");
  EXPECT_EQ(info.column, "id");
  EXPECT_EQ(info.constraint, "users_pkey");
  EXPECT_EQ(info.position, 7);
  EXPECT_EQ(info.hint, "another one");
  EXPECT_EQ(info.detail, "Key (id)=(1)");
}

TEST(ErrorTest, TheColumnOfAKeyIsInItsDetail) {
  const auto column = [](const std::string& sqlstate, const std::string& detail) {
    ServerError error{.sqlstate = sqlstate, .detail = detail};
    FindColumn(&error);
    return error.column;
  };
  EXPECT_EQ(column("23505", "Key (name)=(a) already exists."), "name");
  EXPECT_EQ(column("23505", "Schlüssel »(b_2, a)=(1, 2)« existiert bereits."), "b_2");
  EXPECT_EQ(column("23505", "Key (\"A \"\"b\"\")=(\", b)\")=(x) already exists."), "A \"b\")=(");
  EXPECT_EQ(column("23P01", "Key (during)=([1,3)) conflicts with existing key (during)=([2,4))."),
            "during");
  // Expressions, other errors and other forms.
  EXPECT_EQ(column("23505", "Key (lower(name))=(a) already exists."), "");
  EXPECT_EQ(column("23505", "Key ((a + b))=(3) already exists."), "");
  EXPECT_EQ(column("23503", "Key (id)=(1) is still referenced from table \"t\"."), "");
  for (const char* detail : {"", "(", "(a", "()=(", "(\"a", "(a)"})
    EXPECT_EQ(column("23505", detail), "");
}

TEST(ErrorTest, OfAMissingTableTheNameIsTold) {
  const absl::Status status =
      Classify({.sqlstate = "42P01", .message = "relation \"users\" does not exist"});
  EXPECT_EQ(driver::GetErrorInfo(status).table, "users");
}

// The link is what says that it was lost; a function may raise any code.
TEST(ErrorTest, OnlyAFatalErrorIsALostLink) {
  for (const char* sqlstate : {"57P01", "57P02", "57P04", "08006", "XX000", "26000", "ZZZZZ"}) {
    EXPECT_EQ(driver::GetErrorInfo(Classify({.severity = "FATAL", .sqlstate = sqlstate})).reason,
              Reason::kConnectionLost)
        << sqlstate;
    EXPECT_NE(driver::GetErrorInfo(Classify({.severity = "ERROR", .sqlstate = sqlstate})).reason,
              Reason::kConnectionLost)
        << sqlstate;
  }
  EXPECT_EQ(driver::GetErrorInfo(Classify({.severity = "FATAL", .sqlstate = "25P03"})).reason,
            Reason::kTransactionIdleTimeout);
}

TEST(ErrorTest, WhatAFunctionRaisesTellsNothingOfTheServer) {
  const auto raised = [](const char* sqlstate) {
    return driver::GetErrorInfo(Classify({.severity = "ERROR",
                                          .sqlstate = sqlstate,
                                          .source_function = "exec_stmt_raise"}))
        .reason;
  };
  for (const char* sqlstate : {"XX000", "XX001", "58030", "53100", "53300", "40003", "25P02",
                               "57014", "57P01", "08006", "3D000", "SHOP1"}) {
    EXPECT_EQ(raised(sqlstate), Reason::kRaised) << sqlstate;
  }
  EXPECT_EQ(raised("23505"), Reason::kUniqueViolation);
  EXPECT_EQ(raised("40001"), Reason::kSerializationFailure);
  EXPECT_EQ(raised("22023"), Reason::kDataException);
}

// The server may speak any language.
TEST(ErrorTest, NoWordDecides) {
  const auto reason = [](const ServerError& error) {
    return driver::GetErrorInfo(Classify(error)).reason;
  };
  EXPECT_EQ(reason({.sqlstate = "57014", .message = "storniere Anfrage wegen Zeitüberschreitung"}),
            Reason::kQueryTimeout);
  EXPECT_EQ(reason({.sqlstate = "42601",
                    .message = "kann nicht mehrere Befehle in vorbereitete Anweisung einfügen",
                    .source_function = "exec_parse_message"}),
            Reason::kMultipleStatements);
  EXPECT_EQ(reason({.sqlstate = "42601", .message = "multiple commands"}), Reason::kSyntax);
  for (const char* message :
       {"relation \"users\" does not exist", "Relation »users« existiert nicht",
        "la relation « users » n'existe pas", "la relation «\xC2\xA0users\xC2\xA0» n'existe pas",
        "no existe la relación «users»", "ურთიერთობა „users“ არ არსებობს"}) {
    const absl::Status status = Classify({.sqlstate = "42P01", .message = message});
    EXPECT_EQ(driver::GetErrorInfo(status).table, "users") << message;
  }
  for (const char* context :
       {"unnamed portal parameter $2", "unnamed portal parameter $2 = '...'",
        "unbenanntes Portal, Parameter $2",
        "PL/pgSQL function f(t) line 1 at RETURN\nportal \"\" parameter $2"}) {
    const absl::Status status =
        Classify({.sqlstate = "22P02", .message = "no number", .context = context});
    EXPECT_EQ(status.message(), "parameter 2: no number") << context;
  }
  for (const char* context :
       {"SQL statement \"SELECT $2\"", "", "COPY t, line 1, column a: \"$2\""}) {
    const absl::Status status =
        Classify({.sqlstate = "22P02", .message = "no number", .context = context});
    EXPECT_EQ(status.message(), "no number") << context;
  }
}

TEST(ErrorTest, OnlyAFatalErrorEndsTheSession) {
  EXPECT_TRUE(EndsSession({.severity = "FATAL", .sqlstate = "57P01"}));
  EXPECT_TRUE(EndsSession({.severity = "PANIC", .sqlstate = "XX000"}));
  EXPECT_FALSE(EndsSession({.severity = "ERROR", .sqlstate = "40001"}));
  // libpq's own, when the link is gone: the server has said nothing.
  EXPECT_FALSE(EndsSession({.severity = "FATAL"}));
}

}  // namespace
}  // namespace penstock::postgres
