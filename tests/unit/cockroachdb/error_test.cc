// What CockroachDB's errors become, and what of them is not shown.
#include "drivers/postgres/error.h"

#include "drivers/postgres/cockroach_error.h"
#include "drivers/postgres/sqlstate.h"
#include "gmock/gmock.h"
#include "tests/unit/cockroachdb/fixture.h"

namespace penstock::cockroachdb {
namespace {

using postgres::ServerError;
using ::testing::HasSubstr;
using ::testing::Not;

class ErrorTest : public DialogueTest {};

TEST_F(ErrorTest, ItsOwnCodesHaveReasons) {
  const std::tuple<const char*, Reason, absl::StatusCode, Retry> codes[] = {
      {"XXA00", Reason::kSchemaChangeFailed, absl::StatusCode::kFailedPrecondition, Retry::kNever},
      {"XXUUU", Reason::kUnspecified, absl::StatusCode::kInternal, Retry::kNever},
      {"XCUBS", Reason::kWrongState, absl::StatusCode::kFailedPrecondition, Retry::kNever},
      {"XCEXF", Reason::kUnsupported, absl::StatusCode::kUnimplemented, Retry::kNever},
      {"XXC01", Reason::kUnsupported, absl::StatusCode::kUnimplemented, Retry::kNever},
      {"55C01", Reason::kWrongState, absl::StatusCode::kFailedPrecondition, Retry::kNever},
      {"55C02", Reason::kWrongState, absl::StatusCode::kFailedPrecondition, Retry::kNever},
      {"58C00", Reason::kConnectionFailed, absl::StatusCode::kUnavailable, Retry::kStatement},
      {"58C01", Reason::kConnectionFailed, absl::StatusCode::kUnavailable, Retry::kStatement},
      {"22C01", Reason::kUnsupported, absl::StatusCode::kUnimplemented, Retry::kNever},
      {"42C01", Reason::kDuplicateObject, absl::StatusCode::kAlreadyExists, Retry::kNever},
      // And PostgreSQL's as they are there.
      {"40001", Reason::kSerializationFailure, absl::StatusCode::kAborted, Retry::kTransaction},
      {"40003", Reason::kCommitOutcomeUnknown, absl::StatusCode::kUnknown, Retry::kNever},
      {"23505", Reason::kUniqueViolation, absl::StatusCode::kAlreadyExists, Retry::kNever},
      {"XX000", Reason::kIo, absl::StatusCode::kInternal, Retry::kNever},
      {"53200", Reason::kBackendResources, absl::StatusCode::kResourceExhausted, Retry::kStatement},
  };
  for (const auto& [code, reason, status, retry] : codes) {
    server_.Say("SELECT it", FakeCockroach::Error(code, "it failed"));
    const auto call = Run("SELECT it");
    EXPECT_EQ(call->reason(), reason) << code;
    EXPECT_EQ(call->run.status.code(), status) << code;
    EXPECT_EQ(RetryOf(call->run.status), retry) << code;
    EXPECT_EQ(driver::GetErrorInfo(call->run.status).sqlstate, code);
  }
}

TEST_F(ErrorTest, AWriteDuringAnOutageMayHaveBeenDone) {
  for (const char* code : {"58C00", "58C01"}) {
    server_.Say("UPDATE", FakeCockroach::Error(code, "unavailable"));
    server_.Say("COMMIT$", FakeCockroach::Error(code, "unavailable"));
    EXPECT_EQ(Run("UPDATE t SET a = 1")->reason(), Reason::kCommitOutcomeUnknown) << code;
    ASSERT_TRUE(connection().Begin({}).ok());
    // Nothing is committed there yet.
    EXPECT_EQ(RunInTransaction("UPDATE t SET a = 1")->reason(), Reason::kConnectionFailed);
    EXPECT_TRUE(connection().Rollback().ok());
    ASSERT_TRUE(connection().Begin({}).ok());
    EXPECT_EQ(ReasonOf(connection().Commit()), Reason::kCommitOutcomeUnknown) << code;
  }
}

TEST_F(ErrorTest, AMessageThatIsTooLargeIsALimit) {
  FakeAnswer refused = FakeCockroach::Error(
      "08P01", "message size 18 MiB bigger than maximum allowed message size 16 MiB");
  refused.hint =
      "the maximum message size can be configured using the "
      "sql.conn.max_read_buffer_message_size cluster setting";
  refused.parameters = {25};
  server_.Say("SELECT $1", refused);
  const auto call = Run("SELECT $1", {Value::Text("large")});
  EXPECT_EQ(call->reason(), Reason::kLimitExceeded) << call->run.status;
  EXPECT_EQ(call->run.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(RetryOf(call->run.status), Retry::kNever);
  EXPECT_THAT(driver::GetErrorInfo(call->run.status).hint,
              HasSubstr("sql.conn.max_read_buffer_message_size"));
  // The session lives.
  EXPECT_TRUE(connection().healthy());
  EXPECT_TRUE(Run("SELECT 1")->run.status.ok());
  EXPECT_EQ(server_.server().sessions(), 1);
}

TEST_F(ErrorTest, AReadBeyondTheGarbageCollectionSaysSo) {
  server_.Say("SELECT it",
              FakeCockroach::Error("XXUUU",
                                   "batch timestamp 1700000000.0,0 must be after replica GC "
                                   "threshold 1700000001.0,0"));
  Call call("SELECT it");
  call.run.staleness = std::chrono::hours(48);
  driver::StatementRun* const run = &call.run;
  connection().RunBatch({&run, 1});
  EXPECT_EQ(call.reason(), Reason::kInvalidParameter) << call.run.status;
  EXPECT_THAT(driver::GetErrorInfo(call.run.status).hint, HasSubstr("gc.ttlseconds"));
  EXPECT_EQ(executed("BEGIN AS OF SYSTEM TIME").size(), 1u);
}

TEST_F(ErrorTest, NoRowsAndParametersAreShown) {
  const std::string secret = "alice@example.com";
  const std::string key = "/Table/106/1/\"alice@example.com\"/0";
  const std::pair<const char*, std::string> errors[] = {
      {"40001",
       "restart transaction: TransactionRetryWithProtoRefreshError: TransactionRetryError: retry "
       "txn "
       "(RETRY_SERIALIZABLE - failed preemptive refresh due to encountered recently written "
       "committed value " +
           key + " @1700000000.0,0): \"sql txn\" meta={key=" + key + " iso=Serializable}"},
      {"40001",
       "restart transaction: WriteTooOldError: write for key " + key + " at timestamp 1 too old"},
      {"40003", "result is ambiguous: error while writing " + key},
      {"XXUUU", "failed to send RPC for " + key + ", and more"},
      {"58C00", "replica unavailable: (n1,s1) unable to serve " + key + ": closed"},
      {"XX000", "unexpected value at /Tenant/2/Table/106/1/\"alice@example.com\"/\"b c\"/0"},
      {"22P02",
       "could not parse \"alice@example.com\" as type int: strconv.ParseInt: parsing "
       "\"alice@example.com\": invalid syntax"},
      {"22P02", "could not parse \"a \\\"alice@example.com\\\" b\" as type int"},
      {"22007", "parsing as type timestamp: could not parse \"alice@example.com\""},
  };
  for (const auto& [code, message] : errors) {
    server_.Say("SELECT it", FakeCockroach::Error(code, message));
    const auto call = Run("SELECT it");
    EXPECT_THAT(call->message(), Not(HasSubstr("alice"))) << message;
    EXPECT_THAT(call->message(), Not(HasSubstr("b c"))) << message;
    EXPECT_FALSE(call->message().empty());
  }
}

TEST_F(ErrorTest, NorAtACommit) {
  FakeAnswer refused = FakeCockroach::Error(
      "40001", "restart transaction: (RETRY_SERIALIZABLE - key /Table/106/1/\"alice\"/0)");
  refused.hint =
      "See: https://www.cockroachlabs.com/docs/v25.1/transaction-retry-error-reference.html";
  server_.Say("COMMIT$", refused);
  ASSERT_TRUE(connection().Begin({}).ok());
  const absl::Status committed = connection().Commit();
  EXPECT_EQ(committed.message(), "restart transaction: RETRY_SERIALIZABLE");
  EXPECT_EQ(driver::GetErrorInfo(committed).hint, refused.hint);
}

TEST(CockroachErrors, WhatHelpsStays) {
  const auto shown = [](const char* code, const std::string& message, const char* sql = "") {
    ServerError error{.sqlstate = code, .message = message, .column = "age"};
    postgres::HideCockroachValues(sql, &error);
    return error.message;
  };
  EXPECT_EQ(shown("XXUUU", "no lease for /Table/106/1: closed"),
            "no lease for /Table/106/1: closed");
  EXPECT_EQ(shown("XXUUU", "at /Table/106/1/7/0, x"), "at /Table/106/1/…, x");
  EXPECT_EQ(shown("22P02", "could not parse \"x1\" as type int", "SELECT 'x1'::int"),
            "could not parse \"x1\" as type int");
  EXPECT_EQ(shown("22P02", "could not parse \"$1\" as type int"),
            "could not parse \"$1\" as type int");
  EXPECT_EQ(shown("22003", "integer out of range for type int4 (column \"age\")"),
            "integer out of range for type int4 (column \"age\")");
  EXPECT_EQ(shown("42P01", "relation \"t\" does not exist"), "relation \"t\" does not exist");
  EXPECT_EQ(shown("23505", "duplicate key value violates unique constraint \"t_pkey\""),
            "duplicate key value violates unique constraint \"t_pkey\"");
  EXPECT_EQ(shown("40001", "restart transaction"), "restart transaction");
}

// A violated key has the names that the server sends, and no more.
TEST_F(ErrorTest, AConstraintIsNamed) {
  server_.Say("INSERT", FakeCockroach::Error(
                            "23505", "duplicate key value violates unique constraint \"t_pkey\""));
  const auto call = Run("INSERT INTO t VALUES (1)");
  EXPECT_EQ(call->reason(), Reason::kUniqueViolation);
  EXPECT_THAT(call->message(), HasSubstr("t_pkey"));
}

}  // namespace
}  // namespace penstock::cockroachdb
