#include "server/rpc/base/answer_limits.h"

#include "gtest/gtest.h"

namespace penstock::server {
namespace {

TEST(AnswerLimits, AreTheSmallerOfBothSides) {
  const ServerConfig server;
  const AnswerLimits alone = AnswerLimits::For(server, "");
  EXPECT_EQ(alone.message, server.max_message_bytes);
  EXPECT_EQ(alone.batch, server.batch_bytes);
  EXPECT_EQ(alone.first_batch, server.first_batch_bytes);
  // A client that takes more changes nothing.
  EXPECT_EQ(AnswerLimits::For(server, "2147483647").message, server.max_message_bytes);
  const AnswerLimits small = AnswerLimits::For(server, "4096");
  EXPECT_EQ(small.message, 4096u);
  EXPECT_LE(small.first_batch, small.batch);
  // Two rows of half a batch each, and what is around them, are one message.
  EXPECT_LT(small.batch, small.message);
  EXPECT_LT(small.Returning(server.max_message_bytes), small.message);
  EXPECT_EQ(small.Returning(100), 100u);
}

TEST(AnswerLimits, WhatIsNoNumberIsAsIfNothingWereSaid) {
  const ServerConfig server;
  for (const char* said : {" ", "x", "-1", "+4096", "4096x", "4096 ", "0x1000", "1e4", "4,096",
                           "18446744073709551616", "99999999999999999999999999"}) {
    EXPECT_EQ(AnswerLimits::For(server, said).message, server.max_message_bytes) << said;
  }
}

// No status could be sent otherwise.
TEST(AnswerLimits, AreNeverBelowAKibibyte) {
  for (const char* said : {"0", "1", "1023"}) {
    const AnswerLimits limits = AnswerLimits::For({}, said);
    EXPECT_EQ(limits.message, 1024u) << said;
    EXPECT_GT(limits.batch, 0u) << said;
    EXPECT_GT(limits.first_batch, 0u) << said;
  }
}

}  // namespace
}  // namespace penstock::server
