#include "client/src/idle_streams.h"

#include <atomic>
#include <memory>
#include <thread>

#include "gtest/gtest.h"

namespace penstock::internal {
namespace {

struct Fake final : IdleStream {
  explicit Fake(std::atomic<int>* count) : ended(count) {}
  ~Fake() override { ++*ended; }
  std::atomic<int>* const ended;
};

class IdleStreamsTest : public ::testing::Test {
 protected:
  std::unique_ptr<IdleStream> Make() { return std::make_unique<Fake>(&ended_); }

  std::atomic<int> ended_ = 0;
  const int one_ = 0, two_ = 0;
};

TEST_F(IdleStreamsTest, EachOwnerHasItsOwnAndTheLastUsedComesFirst) {
  IdleStreams idle;
  std::unique_ptr<IdleStream> first = Make(), second = Make();
  const IdleStream* const last = second.get();
  idle.Give(&one_, std::move(first));
  idle.Give(&one_, std::move(second));
  EXPECT_EQ(idle.Take(&two_), nullptr);
  EXPECT_EQ(idle.Take(&one_).get(), last);
  EXPECT_EQ(idle.size(), 1U);
  idle.Give(&two_, Make());
  idle.End(&one_);
  EXPECT_EQ(idle.size(), 1U);
  idle.EndAll();
  EXPECT_EQ(idle.size(), 0U);
  EXPECT_EQ(ended_, 4 - 1);
}

TEST_F(IdleStreamsTest, AllOwnersTogetherAreBounded) {
  IdleStreams idle(3);
  for (int i = 0; i < 10; ++i) idle.Give(i % 2 == 0 ? &one_ : &two_, Make());
  EXPECT_EQ(idle.size(), 3U);
  EXPECT_EQ(ended_, 7);
}

// Nobody calls meanwhile.
TEST_F(IdleStreamsTest, TheyAge) {
  IdleStreams idle(10, absl::Milliseconds(20));
  for (int i = 0; i < 5; ++i) idle.Give(&one_, Make());
  while (ended_ < 5) std::this_thread::yield();
  EXPECT_EQ(idle.size(), 0U);
  idle.Give(&one_, Make());
  while (ended_ < 6) std::this_thread::yield();
}

TEST_F(IdleStreamsTest, ThoseThatAreLeftEndWithIt) {
  { IdleStreams(10).Give(&one_, Make()); }
  EXPECT_EQ(ended_, 1);
}

}  // namespace
}  // namespace penstock::internal
