// The messages of a Pipeline by their bytes are those of protobuf.
#include "server/rpc/database/pipeline_wire.h"

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "penstock/v1/database.pb.h"

namespace penstock::server {
namespace {

// What a message has.
struct PipelineParts {
  std::vector<std::string_view> calls;
  std::vector<uint64_t> next;
  std::vector<uint64_t> cancel;

  // Returns false if it is no message.
  bool Assign(std::string_view message) {
    using Part = PipelineReader::Part;
    *this = {};
    PipelineReader reader(message);
    for (Part part = reader.Read(); part != Part::kEnd; part = reader.Read()) {
      switch (part) {
        case Part::kCall: calls.push_back(reader.call()); break;
        case Part::kNext: next.push_back(reader.id()); break;
        case Part::kCancel: cancel.push_back(reader.id()); break;
        default: return false;
      }
    }
    return true;
  }
};

TEST(PipelineWireTest, ARequestIsTakenApart) {
  v1::PipelineRequest request;
  for (uint64_t id = 1; id < 300; ++id) {
    v1::PipelineRequest::Call* const call = request.add_calls();
    call->set_id(id << (id % 50));
    call->set_application(std::string(id, 'a'));
    call->mutable_query()->set_sql("SELECT 1");
    request.add_next(id * id);
    request.add_cancel(~id);
  }
  const std::string bytes = request.SerializeAsString();
  PipelineParts parts;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(parts.Assign(bytes));
    ASSERT_EQ(parts.calls.size(), 299u);
    EXPECT_EQ(parts.next, std::vector<uint64_t>(request.next().begin(), request.next().end()));
    EXPECT_EQ(parts.cancel,
              std::vector<uint64_t>(request.cancel().begin(), request.cancel().end()));
    for (int c = 0; c < request.calls_size(); ++c) {
      const auto call = parts.calls[static_cast<size_t>(c)];
      EXPECT_EQ(call, request.calls(c).SerializeAsString());
      EXPECT_EQ(PipelineHead::Of(call).id, request.calls(c).id());
      EXPECT_EQ(PipelineHead::Of(call).content, v1::PipelineRequest::Call::kQuery);
    }
  }
}

TEST(PipelineWireTest, NumbersNeedNotBePackedNorFieldsBeInOrder) {
  PipelineParts parts;
  ASSERT_TRUE(parts.Assign(std::string("\x18\x05\x10\x07\x12\x02\x01\x02\xf8\x07\x01", 11)));
  EXPECT_EQ(parts.next, (std::vector<uint64_t>{7, 1, 2}));
  EXPECT_EQ(parts.cancel, (std::vector<uint64_t>{5}));
  // The content stands before the id.
  const PipelineHead head = PipelineHead::Of(std::string("\x4a\x00\x08\x96\x01", 5));
  EXPECT_EQ(head.id, 150u);
  EXPECT_EQ(head.content, v1::PipelineRequest::Call::kGet);
  EXPECT_EQ(PipelineHead::Of("").id, 0u);
}

TEST(PipelineWireTest, WhatIsNoMessageIsRefused) {
  v1::PipelineRequest request;
  request.add_calls()->set_application("application");
  request.add_next(300);
  const std::string bytes = request.SerializeAsString();
  PipelineParts parts;
  EXPECT_TRUE(parts.Assign(""));
  int refused = 0;
  for (size_t size = 1; size < bytes.size(); ++size) {
    v1::PipelineRequest parsed;
    const bool valid = parsed.ParseFromString(bytes.substr(0, size));
    EXPECT_EQ(parts.Assign(std::string_view(bytes).substr(0, size)), valid) << size;
    refused += valid ? 0 : 1;
  }
  EXPECT_GT(refused, 0);
  // A number that goes on behind the end of its list.
  EXPECT_FALSE(parts.Assign(std::string("\x12\x01\x80\x01", 4)));
}

// Whatever comes, nothing beyond it is read.
TEST(PipelineWireTest, AnyBytes) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  PipelineParts parts;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random() % 40, '\0');
    // Small numbers are tags and lengths more often.
    for (char& byte : bytes) byte = static_cast<char>(random() % (random() % 2 == 0 ? 32 : 256));
    if (!parts.Assign(bytes)) continue;
    for (const std::string_view call : parts.calls) {
      EXPECT_GE(call.data(), bytes.data());
      EXPECT_LE(call.data() + call.size(), bytes.data() + bytes.size());
      PipelineHead::Of(call);
    }
  }
}

TEST(PipelineWireTest, AnswersArePutTogether) {
  std::string bytes;
  v1::PipelineResponse expected;
  for (uint64_t id = 1; id != 0; id <<= 7) {
    for (const bool more : {false, true}) {
      v1::PipelineResponse::Answer* const answer = expected.add_answers();
      answer->set_id(id);
      answer->set_more(more);
      answer->mutable_error()->set_message(std::string(id % 1000 * 300, 'e'));
      const std::string content = answer->error().SerializeAsString();
      const size_t before = bytes.size();
      AppendAnswer(id, more, v1::PipelineResponse::Answer::kErrorFieldNumber, content, &bytes);
      EXPECT_LE(bytes.size() - before, AnswerBytes(content.size()));
    }
  }
  EXPECT_EQ(bytes, expected.SerializeAsString());
}

}  // namespace
}  // namespace penstock::server
