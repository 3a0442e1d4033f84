#include "penstock/errors.h"

#include <functional>

#include "client/src/status.h"
#include "google/protobuf/any.pb.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"
#include "penstock/internal/v1/error.pb.h"
#include "penstock/rows.h"

namespace penstock {
namespace {

namespace v1 = internal::v1;

absl::Status OfReason(const std::string& reason, Retry retry = Retry::kNever) {
  return MakeError(absl::StatusCode::kInternal, "m", {.reason = reason, .retry = retry});
}

TEST(ErrorsTest, EachPredicateAcceptsItsReasonAlone) {
  const std::pair<std::string, bool (*)(const absl::Status&)> cases[] = {
      {"UNIQUE_VIOLATION", IsUniqueViolation},
      {"FOREIGN_KEY_VIOLATION", IsForeignKeyViolation},
      {"NOT_NULL_VIOLATION", IsNotNullViolation},
      {"CHECK_VIOLATION", IsCheckViolation},
      {"SYNTAX", IsSyntaxError},
      {"UNDEFINED_TABLE", IsUndefinedTable},
      {"UNKNOWN_DATABASE", IsUnknownDatabase},
      {"READ_ONLY", IsReadOnly},
      {"COMMIT_OUTCOME_UNKNOWN", IsCommitOutcomeUnknown}};
  for (const auto& [reason, predicate] : cases) {
    for (const auto& [other, unused] : cases) {
      EXPECT_EQ(predicate(OfReason(other)), other == reason) << reason << " for " << other;
    }
    EXPECT_FALSE(predicate(absl::OkStatus()));
    EXPECT_FALSE(predicate(absl::AlreadyExistsError("of somebody else")));
  }
}

TEST(ErrorsTest, ConstraintsOfEveryKind) {
  for (const char* reason : {"UNIQUE_VIOLATION", "FOREIGN_KEY_VIOLATION", "NOT_NULL_VIOLATION",
                             "CHECK_VIOLATION", "CONSTRAINT_VIOLATION"}) {
    EXPECT_TRUE(IsConstraintViolation(OfReason(reason))) << reason;
  }
  EXPECT_FALSE(IsConstraintViolation(OfReason("SYNTAX")));
}

TEST(ErrorsTest, WhatMayBeTriedAgain) {
  EXPECT_TRUE(IsRetryable(OfReason("QUEUE_FULL", Retry::kStatement)));
  EXPECT_TRUE(IsTransactionRetryable(OfReason("QUEUE_FULL", Retry::kStatement)));
  EXPECT_FALSE(IsRetryable(OfReason("BUSY", Retry::kTransaction)));
  EXPECT_TRUE(IsTransactionRetryable(OfReason("BUSY", Retry::kTransaction)));
  EXPECT_FALSE(IsTransactionRetryable(OfReason("BUSY", Retry::kNever)));
  EXPECT_FALSE(IsRetryable(absl::UnavailableError("the link broke")));
}

TEST(ErrorsTest, CodesAlone) {
  EXPECT_TRUE(IsTimeout(absl::DeadlineExceededError("")));
  EXPECT_TRUE(IsCancelled(absl::CancelledError("")));
  EXPECT_TRUE(IsUnavailable(absl::UnavailableError("")));
  EXPECT_FALSE(IsTimeout(absl::CancelledError("")));
}

v1::ErrorDetail FullDetail() {
  v1::ErrorDetail detail;
  detail.set_reason(v1::REASON_UNIQUE_VIOLATION);
  detail.set_retry(v1::RETRY_TRANSACTION);
  detail.set_sqlstate("23505");
  detail.set_driver_code(2067);
  detail.set_constraint("users_pkey");
  detail.set_schema("public");
  detail.set_table("users");
  detail.set_column("id");
  detail.set_position(7);
  detail.set_hint("hint");
  return detail;
}

void ExpectFull(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(status.message(), "message");
  const ErrorDetails details = GetErrorDetails(status);
  EXPECT_EQ(details.reason, "UNIQUE_VIOLATION");
  EXPECT_EQ(details.retry, Retry::kTransaction);
  EXPECT_EQ(details.sqlstate, "23505");
  EXPECT_EQ(details.driver_code, 2067);
  EXPECT_EQ(details.constraint, "users_pkey");
  EXPECT_EQ(details.schema, "public");
  EXPECT_EQ(details.table, "users");
  EXPECT_EQ(details.column, "id");
  EXPECT_EQ(details.position, 7);
  EXPECT_EQ(details.hint, "hint");
}

TEST(ErrorsTest, DetailsOfAFailedCall) {
  v1::StatusDetails wrapped;
  wrapped.add_details()->set_type_url("type.googleapis.com/another.Detail");
  wrapped.add_details()->set_type_url("type.googleapis.com/penstock.v1.ErrorDetail");
  wrapped.mutable_details(1)->set_value(FullDetail().SerializeAsString());
  ExpectFull(internal::ToStatus(
      grpc::Status(grpc::StatusCode::ALREADY_EXISTS, "message", wrapped.SerializeAsString())));
}

TEST(ErrorsTest, DetailsOfAnAnswer) {
  v1::Error error;
  error.set_code(6);
  error.set_message("message");
  *error.mutable_detail() = FullDetail();
  ExpectFull(internal::ToStatus(error));
}

TEST(ErrorsTest, MakeErrorIsReadBack) {
  ExpectFull(
      MakeError(absl::StatusCode::kAlreadyExists, "message",
                GetErrorDetails(internal::WithDetail(absl::UnknownError(""), FullDetail()))));
}

TEST(ErrorsTest, SurvivesWhatItDoesNotKnow) {
  v1::Error error;
  error.set_code(0);
  EXPECT_EQ(internal::ToStatus(error).code(), absl::StatusCode::kUnknown) << "an error is never OK";
  error.set_code(99);
  error.mutable_detail()->set_reason(static_cast<v1::Reason>(4711));
  EXPECT_EQ(internal::ToStatus(error).code(), absl::StatusCode::kUnknown);
  EXPECT_EQ(GetErrorDetails(internal::ToStatus(error)).reason, "4711");
  const grpc::Status garbled(grpc::StatusCode::ABORTED, "m", "\xff\xff");
  EXPECT_EQ(internal::ToStatus(garbled).code(), absl::StatusCode::kAborted);
}

TEST(ResultTest, LastInsertIdOrWhyThereIsNone) {
  EXPECT_EQ(Result(1, 42).LastInsertId().value(), 42);
  EXPECT_TRUE(absl::IsUnimplemented(Result(1).LastInsertId().status()));
  EXPECT_NE(GetErrorDetails(Result(1).LastInsertId().status()).hint.find("RETURNING"),
            std::string::npos);
}

TEST(ErrorsTest, AMisspeltReasonIsNoticed) {
  const absl::Status wrong =
      MakeError(absl::StatusCode::kAlreadyExists, "there is one", {.reason = "UNIQUE_VIOLATON"});
  EXPECT_TRUE(absl::IsInternal(wrong)) << wrong;
  EXPECT_NE(wrong.ToString().find("UNIQUE_VIOLATON"), std::string::npos) << wrong;
  // What a newer daemon says has a number in place of a name.
  const absl::Status newer = MakeError(absl::StatusCode::kAborted, "new", {.reason = "9999"});
  EXPECT_EQ(GetErrorDetails(newer).reason, "9999");
  EXPECT_TRUE(absl::IsAborted(newer));
}

}  // namespace
}  // namespace penstock
