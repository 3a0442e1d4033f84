#include "server/rpc/base/request_memory.h"

#include <optional>
#include <utility>

#include "drivers/api/error.h"
#include "gtest/gtest.h"
#include "server/config/config.h"

namespace penstock::server {
namespace {

TEST(RequestMemory, IsSharedAndGivenBack) {
  RequestMemory memory(100);
  std::optional<RequestMemory::Share> first = memory.Take(60).value();
  absl::StatusOr<RequestMemory::Share> second = memory.Take(40);
  ASSERT_TRUE(second.ok());
  const absl::Status refused = memory.Take(1).status();
  EXPECT_EQ(driver::GetErrorInfo(refused).reason, driver::Reason::kLimitExceeded);
  EXPECT_EQ(driver::GetErrorInfo(refused).retry, driver::Retry::kStatement);
  EXPECT_EQ(memory.taken(), 100u);
  first.reset();
  EXPECT_EQ(memory.taken(), 40u);
  EXPECT_TRUE(memory.Take(60).ok());
  EXPECT_EQ(memory.taken(), 40u);
}

// Otherwise it could never be executed.
TEST(RequestMemory, WhatComesAloneHasRoom) {
  RequestMemory memory(100);
  const auto large = memory.Take(1000);
  EXPECT_TRUE(large.ok());
  EXPECT_FALSE(memory.Take(1).ok());
}

TEST(RequestMemory, SharesAreMovedAndAdded) {
  RequestMemory memory(100);
  {
    RequestMemory::Share all;
    all.Add(memory.Take(10).value());
    all.Add(memory.Take(20).value());
    RequestMemory::Share moved = std::move(all);
    EXPECT_EQ(memory.taken(), 30u);
    moved = memory.Take(5).value();
    EXPECT_EQ(memory.taken(), 5u);
    RequestMemory::Share* const itself = &moved;
    moved = std::move(*itself);
    EXPECT_EQ(memory.taken(), 5u);
  }
  EXPECT_EQ(memory.taken(), 0u);
}

TEST(RequestMemory, HoldsTheLargestMessageTwice) {
  ServerConfig config;
  EXPECT_GE(RequestMemoryOf(config), 2 * config.max_message_bytes);
  config.max_request_memory_bytes = 1;
  EXPECT_EQ(RequestMemoryOf(config), 2 * config.max_message_bytes);
  config.max_request_memory_bytes = size_t{1} << 40;
  EXPECT_EQ(RequestMemoryOf(config), size_t{1} << 40);
}

}  // namespace
}  // namespace penstock::server
