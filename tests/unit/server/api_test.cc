// drivers/api: errors and deadlines.
#include <atomic>
#include <string>
#include <tuple>

#include "drivers/api/deadline.h"
#include "drivers/api/error.h"
#include "gtest/gtest.h"

namespace penstock::driver {
namespace {

TEST(ErrorTest, CarriesItsParticulars) {
  ErrorInfo info;
  info.driver_code = 2067;
  info.position = 7;
  info.table = "users";
  info.column = "name";
  info.hint = "choose another";
  const absl::Status status = MakeError(Reason::kUniqueViolation, "taken", info);
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  info.reason = Reason::kUniqueViolation;
  info.retry = Retry::kNever;
  EXPECT_EQ(GetErrorInfo(status), info);
  const absl::Status annotated = Annotate(status, "row 3");
  EXPECT_EQ(annotated.message(), "row 3: taken");
  EXPECT_EQ(GetErrorInfo(annotated), info);
}

TEST(ErrorTest, AnyOtherStatusHasNone) {
  EXPECT_EQ(GetErrorInfo(absl::InternalError("x")), ErrorInfo());
  EXPECT_TRUE(Annotate(absl::OkStatus(), "x").ok());
}

TEST(ErrorTest, EveryReasonHasTheCodeAndRetryOfTheContract) {
  using absl::StatusCode;
  const std::tuple<Reason, StatusCode, Retry> table[] = {
      {Reason::kUniqueViolation, StatusCode::kAlreadyExists, Retry::kNever},
      {Reason::kForeignKeyViolation, StatusCode::kFailedPrecondition, Retry::kNever},
      {Reason::kCheckViolation, StatusCode::kFailedPrecondition, Retry::kNever},
      {Reason::kNotNullViolation, StatusCode::kFailedPrecondition, Retry::kNever},
      {Reason::kSyntax, StatusCode::kInvalidArgument, Retry::kNever},
      {Reason::kInvalidParameter, StatusCode::kInvalidArgument, Retry::kNever},
      {Reason::kDataException, StatusCode::kInvalidArgument, Retry::kNever},
      {Reason::kUndefinedTable, StatusCode::kNotFound, Retry::kNever},
      {Reason::kUnknownDatabase, StatusCode::kNotFound, Retry::kNever},
      {Reason::kSerializationFailure, StatusCode::kAborted, Retry::kTransaction},
      {Reason::kDeadlock, StatusCode::kAborted, Retry::kTransaction},
      {Reason::kBusy, StatusCode::kAborted, Retry::kTransaction},
      {Reason::kConnectionFailed, StatusCode::kUnavailable, Retry::kStatement},
      {Reason::kConnectionLost, StatusCode::kUnavailable, Retry::kStatement},
      {Reason::kCommitOutcomeUnknown, StatusCode::kUnknown, Retry::kNever},
      {Reason::kRequestTimeout, StatusCode::kDeadlineExceeded, Retry::kNever},
      {Reason::kCancelled, StatusCode::kCancelled, Retry::kNever},
      {Reason::kQueueFull, StatusCode::kResourceExhausted, Retry::kStatement},
      {Reason::kDiskFull, StatusCode::kResourceExhausted, Retry::kStatement},
      {Reason::kUnauthenticated, StatusCode::kUnauthenticated, Retry::kNever},
      {Reason::kNotAllowed, StatusCode::kPermissionDenied, Retry::kNever},
      {Reason::kUnsupported, StatusCode::kUnimplemented, Retry::kNever},
      {Reason::kBackendCredentials, StatusCode::kFailedPrecondition, Retry::kNever},
      {Reason::kCorruption, StatusCode::kDataLoss, Retry::kNever},
      {Reason::kMigrationRefused, StatusCode::kFailedPrecondition, Retry::kNever},
      {Reason::kMigrationLocked, StatusCode::kAborted, Retry::kStatement},
  };
  for (const auto& [reason, code, retry] : table) {
    EXPECT_EQ(CodeOf(reason), code) << static_cast<int>(reason);
    EXPECT_EQ(RetryOf(reason), retry) << static_cast<int>(reason);
  }
}

TEST(DeadlineTest, TheEarlierRungWinsAndIsNamed) {
  const TimePoint now{};
  const Deadline request{.at = now + std::chrono::seconds(2), .reason = Reason::kRequestTimeout};
  const Deadline query{.at = now + std::chrono::seconds(1), .reason = Reason::kQueryTimeout};
  const Deadline& first = Earlier(request, query);
  EXPECT_EQ(first.reason, Reason::kQueryTimeout);
  EXPECT_EQ(first.Error().message(), "the query_timeout of the database passed");
  EXPECT_FALSE(Deadline::None().passed(TimePoint::max() - std::chrono::seconds(1)));
}

struct CountingListener final : Cancellation::Listener {
  void OnCancel() override { ++calls; }
  int calls = 0;
};

TEST(CancellationTest, TheFirstReasonStaysAndEachListenerIsCalledOnce) {
  Cancellation cancellation;
  CountingListener one;
  CountingListener two;
  cancellation.Add(&one);
  cancellation.Add(&two);
  cancellation.Cancel(absl::CancelledError("first"));
  cancellation.Cancel(absl::CancelledError("second"));
  EXPECT_TRUE(cancellation.cancelled());
  EXPECT_EQ(cancellation.status().message(), "first");
  EXPECT_EQ(one.calls, 1);
  EXPECT_EQ(two.calls, 1);
}

TEST(CancellationTest, ALateListenerIsCalledAtOnceAndARemovedOneNever) {
  Cancellation cancellation;
  CountingListener removed;
  CountingListener kept;
  CountingListener late;
  cancellation.Add(&kept);
  cancellation.Add(&removed);
  cancellation.Remove(&removed);
  cancellation.Cancel(absl::CancelledError("gone"));
  EXPECT_EQ(removed.calls, 0);
  EXPECT_EQ(kept.calls, 1);
  cancellation.Add(&late);
  EXPECT_EQ(late.calls, 1);
  cancellation.Remove(&kept);
  cancellation.Remove(&late);
  cancellation.Reset();
  EXPECT_FALSE(cancellation.cancelled());
  EXPECT_TRUE(cancellation.status().ok());
}

}  // namespace
}  // namespace penstock::driver
