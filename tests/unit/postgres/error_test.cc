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
      {"40001", Reason::kSerializationFailure, StatusCode::kAborted, Retry::kTransaction},
      {"40P01", Reason::kDeadlock, StatusCode::kAborted, Retry::kTransaction},
      {"40003", Reason::kCommitOutcomeUnknown, StatusCode::kUnknown, Retry::kNever},
      {"55P03", Reason::kBusy, StatusCode::kAborted, Retry::kTransaction},
      {"25P02", Reason::kTransactionAborted, StatusCode::kFailedPrecondition, Retry::kNever},
      {"25006", Reason::kReadOnly, StatusCode::kFailedPrecondition, Retry::kNever},
      {"53100", Reason::kDiskFull, StatusCode::kResourceExhausted, Retry::kStatement},
      {"53300", Reason::kBackendResources, StatusCode::kResourceExhausted, Retry::kStatement},
      {"57014", Reason::kCancelled, StatusCode::kCancelled, Retry::kNever},
      {"57P01", Reason::kConnectionLost, StatusCode::kUnavailable, Retry::kStatement},
      {"57P03", Reason::kConnectionFailed, StatusCode::kUnavailable, Retry::kStatement},
      {"08006", Reason::kConnectionLost, StatusCode::kUnavailable, Retry::kStatement},
      {"28P01", Reason::kBackendCredentials, StatusCode::kFailedPrecondition, Retry::kNever},
      {"42P01", Reason::kUndefinedTable, StatusCode::kNotFound, Retry::kNever},
      {"3D000", Reason::kUnknownDatabase, StatusCode::kNotFound, Retry::kNever},
      {"42601", Reason::kSyntax, StatusCode::kInvalidArgument, Retry::kNever},
      {"42703", Reason::kSyntax, StatusCode::kInvalidArgument, Retry::kNever},
      {"42P18", Reason::kInvalidParameter, StatusCode::kInvalidArgument, Retry::kNever},
      {"22P02", Reason::kDataException, StatusCode::kInvalidArgument, Retry::kNever},
      {"0A000", Reason::kUnsupported, StatusCode::kUnimplemented, Retry::kNever},
      {"XX001", Reason::kCorruption, StatusCode::kDataLoss, Retry::kNever},
      {"58030", Reason::kIo, StatusCode::kInternal, Retry::kNever},
      {"ZZZZZ", Reason::kIo, StatusCode::kInternal, Retry::kNever},
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
}

TEST(ErrorTest, OfAMissingTableTheNameIsTold) {
  const absl::Status status =
      Classify({.sqlstate = "42P01", .message = "relation \"users\" does not exist"});
  EXPECT_EQ(driver::GetErrorInfo(status).table, "users");
}

TEST(ErrorTest, ValuesAreNotShown) {
  const absl::Status status =
      Classify({.sqlstate = "22P02",
                .message = "invalid input syntax for type integer: \"hunter2\"",
                .detail = "hunter2",
                .context = "unnamed portal parameter $2 = 'hunter2'"});
  EXPECT_EQ(status.message(), "parameter 2: invalid input syntax for type integer");
}

TEST(ErrorTest, TheServersTimeOutIsTheDatabases) {
  const absl::Status status =
      Classify({.sqlstate = "57014", .message = "canceling statement due to statement timeout"});
  EXPECT_EQ(driver::GetErrorInfo(status).reason, Reason::kQueryTimeout);
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
