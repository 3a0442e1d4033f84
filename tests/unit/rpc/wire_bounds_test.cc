#include "server/rpc/base/wire_bounds.h"

#include <string>

#include "drivers/api/error.h"
#include "gmock/gmock.h"
#include "grpcpp/support/slice.h"
#include "gtest/gtest.h"
#include "penstock/v1/database.pb.h"

namespace penstock::server {
namespace {

using ::testing::HasSubstr;

absl::Status Check(const std::string& bytes, size_t most,
                   const google::protobuf::Descriptor* type = v1::QueryRequest::descriptor()) {
  const grpc::Slice slice(bytes);
  grpc::ByteBuffer buffer(&slice, 1);
  return ExpandedSize(&buffer, type, most).status();
}

void ExpectTooLarge(const absl::Status& status) {
  EXPECT_EQ(driver::GetErrorInfo(status).reason, driver::Reason::kLimitExceeded) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("too many values"));
}

std::string Values(int count) {
  v1::QueryRequest request;
  for (int i = 0; i < count; ++i) request.add_args();
  return request.SerializeAsString();
}

// Two bytes each, and an object of their own.
TEST(WireBounds, CountsMessagesWithoutABody) {
  const size_t most = size_t{1} << 20;
  EXPECT_TRUE(Check(Values(16'000), most).ok());
  ExpectTooLarge(Check(Values(17'000), most));
  // What is small cannot become large, whatever is in it.
  EXPECT_TRUE(Check(Values(8'000), most).ok());
}

TEST(WireBounds, CountsRowsOfValues) {
  v1::ExecRequest request;
  for (int i = 0; i < 1'000; ++i) {
    for (int j = 0; j < 10; ++j) request.add_rows()->add_values();
  }
  const auto* type = v1::ExecRequest::descriptor();
  // 10,000 rows and 10,000 values of 64 bytes.
  EXPECT_TRUE(Check(request.SerializeAsString(), 1'300'000, type).ok());
  ExpectTooLarge(Check(request.SerializeAsString(), 1'200'000, type));
}

TEST(WireBounds, CountsTextsByTheirBytes) {
  v1::QueryRequest request;
  request.set_sql(std::string(1'000'000, 'x'));
  EXPECT_TRUE(Check(request.SerializeAsString(), 1'000'000).ok());
  ExpectTooLarge(Check(request.SerializeAsString(), 999'999));
}

TEST(WireBounds, CountsFieldsThatNobodyKnows) {
  std::string bytes;
  for (int i = 0; i < 10'000; ++i) bytes += std::string("\xc0\x3e\x01", 3);  // field 1000 is 1
  EXPECT_TRUE(Check(bytes, 320'000).ok());
  ExpectTooLarge(Check(bytes, 319'999));
}

// What does not parse is the parser's to refuse: malformed at its beginning, in its middle
// and where it ends.
TEST(WireBounds, LeavesWhatIsMalformedToTheParser) {
  // 64,000 for the values; and so little that all of it is looked at.
  const size_t most = 100'000;
  const std::string good = Values(1'000);
  for (const std::string& bytes :
       {std::string(2'000, '\xff'), std::string(2'000, '\0'), good + "\x0b", good + "\x0f",
        good + "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", good + "\x0d\x01",
        good + "\x0a\x05" + "ab"}) {
    v1::QueryRequest request;
    EXPECT_FALSE(request.ParseFromString(bytes));
    ASSERT_GT(bytes.size(), most / 64);
    EXPECT_TRUE(Check(bytes, most).ok()) << bytes.size();
  }
}

}  // namespace
}  // namespace penstock::server
