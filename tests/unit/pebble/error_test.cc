#include "drivers/pebble/error.h"

#include <gtest/gtest.h>

#include "drivers/api/error.h"
#include "rocksdb/status.h"

namespace penstock::pebble {
namespace {

using driver::Reason;
using driver::Retry;
using rocksdb::Status;

TEST(Classify, Table) {
  using S = absl::StatusCode;
  struct Case {
    Status from;
    Reason reason;
    S code;
    Retry retry = Retry::kNever;
  };
  const Case cases[] = {
      {Status::Busy(), Reason::kSerializationFailure, S::kAborted, Retry::kTransaction},
      {Status::TryAgain(), Reason::kSerializationFailure, S::kAborted, Retry::kTransaction},
      {Status::Busy(Status::kDeadlock), Reason::kDeadlock, S::kAborted, Retry::kTransaction},
      {Status::TimedOut(Status::kLockTimeout), Reason::kBusy, S::kAborted, Retry::kTransaction},
      {Status::Corruption("block checksum"), Reason::kCorruption, S::kDataLoss},
      {Status::NoSpace("disk"), Reason::kDiskFull, S::kResourceExhausted, Retry::kStatement},
      {Status::MemoryLimit(), Reason::kLimitExceeded, S::kResourceExhausted},
      {Status::NotSupported("that"), Reason::kUnsupported, S::kUnimplemented},
      {Status::InvalidArgument("that"), Reason::kInvalidParameter, S::kInvalidArgument},
  };
  for (const Case& each : cases) {
    const absl::Status status = Classify(each.from);
    const driver::ErrorInfo info = driver::GetErrorInfo(status);
    EXPECT_EQ(status.code(), each.code) << each.from.ToString();
    EXPECT_EQ(info.reason, each.reason) << each.from.ToString();
    EXPECT_EQ(info.driver_code, each.from.code());
    if (each.reason != Reason::kLimitExceeded) {
      EXPECT_EQ(info.retry, each.retry) << each.from.ToString();
    }
    EXPECT_NE(status.message().find(each.from.ToString()), absl::string_view::npos);
  }
  EXPECT_TRUE(Classify(Status::OK()).ok());
  EXPECT_EQ(driver::GetErrorInfo(Classify(Status::IOError("read"))).reason, Reason::kIo);
}

}  // namespace
}  // namespace penstock::pebble
