// drivers/api: errors and deadlines.
#include <atomic>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "drivers/api/deadline.h"
#include "drivers/api/error.h"
#include "gtest/gtest.h"
#include "text/utf8.h"

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

// Names are whatever somebody has called a table.
TEST(ErrorTest, AnyByteSurvivesInAnyField) {
  const std::vector<std::string ErrorInfo::*> fields = {
      &ErrorInfo::sqlstate, &ErrorInfo::constraint, &ErrorInfo::schema, &ErrorInfo::table,
      &ErrorInfo::column,   &ErrorInfo::hint,       &ErrorInfo::detail};
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  std::vector<std::string> texts = {all, all + all, "", std::string(70'000, '\x1f')};
  for (const char c : all) {
    texts.push_back(std::string(1, c));
    texts.push_back(std::string("a") + c + "b" + c);
  }
  for (const std::string& text : texts) {
    for (const auto field : fields) {
      ErrorInfo info;
      info.driver_code = std::numeric_limits<int32_t>::min();
      info.position = std::numeric_limits<int32_t>::max();
      for (const auto other : fields) info.*other = "other";
      info.*field = text;
      const absl::Status status = MakeError(Reason::kCheckViolation, "failed", info);
      info.reason = Reason::kCheckViolation;
      info.retry = Retry::kNever;
      EXPECT_EQ(GetErrorInfo(status), info) << ::testing::PrintToString(text);
      EXPECT_EQ(GetErrorInfo(Annotate(status, "row 3")), info);
    }
    ErrorInfo info;
    for (const auto field : fields) info.*field = text;
    const absl::Status status = MakeError(Reason::kUniqueViolation, text, info);
    for (const auto field : fields) EXPECT_EQ(GetErrorInfo(status).*field, text);
    EXPECT_EQ(GetErrorInfo(MakeErrorWithHint(Reason::kSyntax, "", text)).hint, text);
  }
}

TEST(TextTest, ToUtf8KeepsWhatIsValid) {
  for (const char* text : {"", "abc", "größe 世界 🌍", "\x01\x1f\x7f"})
    EXPECT_EQ(ToUtf8(text), text);
  EXPECT_EQ(ToUtf8(std::string("a\0b", 3)), std::string("a\0b", 3));
  EXPECT_EQ(ToUtf8("a\xff"), "a\xef\xbf\xbd");
  EXPECT_EQ(ToUtf8("\xc3ü\xe4"), "\xef\xbf\xbdü\xef\xbf\xbd");
  for (int c = 0; c < 256; ++c)
    EXPECT_TRUE(IsUtf8(ToUtf8(std::string("a") + static_cast<char>(c))));
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
      {Reason::kDuplicateObject, StatusCode::kAlreadyExists, Retry::kNever},
      {Reason::kRaised, StatusCode::kFailedPrecondition, Retry::kNever},
      {Reason::kUndefinedObject, StatusCode::kNotFound, Retry::kNever},
      {Reason::kWrongState, StatusCode::kFailedPrecondition, Retry::kNever},
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
