// What the client writes and reads by itself of a Pipeline's messages, beside the generated ones.
#include "client/src/pipe_wire.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/v1/database.pb.h"

namespace penstock::internal {
namespace {

TEST(PipeWireTest, WritesRequests) {
  penstock::v1::PipelineRequest::Call call;
  call.set_trace_parent("00-1-2-01");
  call.mutable_run()->set_statement(7);
  std::string bytes;
  AppendPipeCall(call.SerializeAsString(), 1, &bytes);
  AppendPipeNext(300, &bytes);
  AppendPipeCancel(1, &bytes);
  AppendPipeCall(call.SerializeAsString(), UINT64_MAX, &bytes);
  AppendPipeNext(2, &bytes);
  penstock::v1::PipelineRequest request;
  ASSERT_TRUE(request.ParseFromString(bytes));
  ASSERT_EQ(request.calls_size(), 2);
  EXPECT_EQ(request.calls(0).id(), 1);
  EXPECT_EQ(request.calls(0).run().statement(), 7);
  EXPECT_EQ(request.calls(1).id(), UINT64_MAX);
  EXPECT_EQ(request.calls(1).trace_parent(), "00-1-2-01");
  EXPECT_THAT(request.next(), ::testing::ElementsAre(300, 2));
  EXPECT_THAT(request.cancel(), ::testing::ElementsAre(1));
}

TEST(PipeWireTest, TakesNoMoreRoomThanItSays) {
  for (const size_t size : {size_t{0}, size_t{127}, size_t{16384}, size_t{3} << 20}) {
    std::string bytes;
    AppendPipeCall(std::string(size, 'x'), UINT32_MAX, &bytes);
    EXPECT_LE(bytes.size(), size + kPipeFrameBytes);
  }
}

TEST(PipeWireTest, ReadsResponses) {
  penstock::v1::PipelineResponse response;
  response.mutable_limits()->set_max_calls(1024);
  response.mutable_limits()->set_max_bytes(1 << 20);
  response.set_draining(true);
  penstock::v1::PipelineResponse::Answer& part = *response.add_answers();
  part.set_id(300);
  part.set_more(true);
  part.mutable_result()->set_row_count(2);
  penstock::v1::PipelineResponse::Answer& error = *response.add_answers();
  error.set_id(1);
  error.mutable_error()->set_message("no");
  const std::string bytes = response.SerializeAsString();
  PipeAnswers read;
  ASSERT_TRUE(ReadPipeAnswers(bytes, &read));
  EXPECT_EQ(read.max_calls, 1024);
  EXPECT_EQ(read.max_bytes, 1 << 20);
  EXPECT_TRUE(read.draining);
  ASSERT_EQ(read.answers.size(), 2);
  EXPECT_EQ(read.answers[0].id, 300);
  EXPECT_TRUE(read.answers[0].more);
  EXPECT_FALSE(read.answers[0].failed);
  EXPECT_EQ(read.answers[0].bytes, part.SerializeAsString());
  EXPECT_EQ(read.answers[1].id, 1);
  EXPECT_FALSE(read.answers[1].more);
  EXPECT_TRUE(read.answers[1].failed);
}

// Fields of a newer daemon are skipped, and their order does not matter.
TEST(PipeWireTest, SkipsWhatItDoesNotKnow) {
  penstock::v1::PipelineResponse response;
  response.add_answers()->set_id(7);
  const std::string unknown = {static_cast<char>(0xfa), 0x06, 0x01, 'x'};  // field 111
  PipeAnswers read;
  ASSERT_TRUE(ReadPipeAnswers(unknown + response.SerializeAsString() + unknown, &read));
  ASSERT_EQ(read.answers.size(), 1);
  EXPECT_EQ(read.answers[0].id, 7);
}

TEST(PipeWireTest, RefusesWhatIsCutOff) {
  penstock::v1::PipelineResponse response;
  response.add_answers()->mutable_error()->set_message("a message");
  const std::string bytes = response.SerializeAsString();
  for (size_t size = 1; size < bytes.size(); ++size) {
    PipeAnswers read;
    EXPECT_FALSE(ReadPipeAnswers(bytes.substr(0, size), &read)) << size;
  }
}

}  // namespace
}  // namespace penstock::internal
