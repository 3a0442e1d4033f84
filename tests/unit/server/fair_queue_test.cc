// Whose turn it is.
#include "server/runtime/fair_queue.h"

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace penstock::server {
namespace {

struct Item : FairQueueItem {
  std::string name;
};

class FairQueueTest : public ::testing::Test {
 protected:
  // An item "a1" is the tenant a's, and "ax1" has come by his stream x; it lives as long as the
  // test.
  Item* Make(const std::string& name) {
    Item& item = items_.emplace_back();
    item.name = name;
    item.tenant = static_cast<uint64_t>(name.front());
    if (name.size() > 2) item.stream = static_cast<uint64_t>(name[1]);
    return &item;
  }
  Item* Push(const std::string& name) {
    Item* const item = Make(name);
    queue_.PushBack(item);
    return item;
  }
  void PushAll(const std::vector<std::string>& names) {
    for (const std::string& name : names) Push(name);
  }
  std::string Pop(size_t count) {
    std::string names;
    for (; count > 0 && !queue_.empty(); --count) {
      names += (names.empty() ? "" : " ") + queue_.PopFront()->name;
    }
    return names;
  }
  std::string PopAll() { return Pop(queue_.size()); }

  std::deque<Item> items_;
  FairQueue<Item> queue_;
};

TEST_F(FairQueueTest, OneTenantAloneIsServedInOrder) {
  EXPECT_TRUE(queue_.empty());
  PushAll({"a1", "a2", "a3"});
  EXPECT_EQ(queue_.size(), 3u);
  EXPECT_EQ(PopAll(), "a1 a2 a3");
  PushAll({"a4"});
  EXPECT_EQ(PopAll(), "a4");
}

TEST_F(FairQueueTest, TenantsTakeTurns) {
  PushAll({"a1", "a2", "a3", "a4", "b1", "b2", "c1"});
  EXPECT_EQ(PopAll(), "a1 b1 c1 a2 b2 a3 a4");
}

TEST_F(FairQueueTest, WhoComesLateWaitsForOneItemOfEachOther) {
  PushAll({"a1", "a2", "a3", "b1", "b2", "b3"});
  EXPECT_EQ(Pop(1), "a1");
  Push("c1");
  EXPECT_EQ(PopAll(), "b1 a2 c1 b2 a3 b3");
}

TEST_F(FairQueueTest, WhatIsPutBackIsAsIfItHadNotBeenTaken) {
  PushAll({"a1", "a2", "a3", "b1", "b2", "c1"});
  std::vector<Item*> taken;
  for (int i = 0; i < 5; ++i) taken.push_back(queue_.PopFront());
  PushAll({"d1", "b3"});
  for (; taken.size() > 1; taken.pop_back()) queue_.PushFront(taken.back());
  EXPECT_EQ(PopAll(), "b1 c1 a2 d1 b2 a3 b3");
}

TEST_F(FairQueueTest, StreamsOfATenantTakeTurnsWhenItIsHis) {
  PushAll({"ax1", "ax2", "ax3", "ay1", "a1", "a2", "b1", "b2", "b3"});
  EXPECT_EQ(PopAll(), "ax1 b1 ay1 b2 a1 b3 ax2 a2 ax3");
}

TEST_F(FairQueueTest, WhatIsPutBackOfAStreamIsAsIfItHadNotBeenTaken) {
  PushAll({"ax1", "ax2", "ax3", "ay1", "ay2", "a1"});
  std::vector<Item*> taken;
  for (int i = 0; i < 4; ++i) taken.push_back(queue_.PopFront());
  EXPECT_EQ(taken.back()->name, "ax2");
  for (; taken.size() > 1; taken.pop_back()) queue_.PushFront(taken.back());
  EXPECT_EQ(PopAll(), "ay1 a1 ax2 ay2 ax3");
}

TEST_F(FairQueueTest, AWalkMeetsTheItemsOfAllStreams) {
  PushAll({"ax1", "ay1", "ax2", "bz1", "a1"});
  std::string met;
  for (Item* item = queue_.First(); item != nullptr; item = queue_.Next(item)) {
    met += item->name + " ";
  }
  EXPECT_EQ(met, "ax1 ax2 ay1 a1 bz1 ");
}

TEST_F(FairQueueTest, TenThousandStreamsHaveTheirTurns) {
  constexpr uint64_t kStreams = 10'000;
  std::deque<Item> items;
  FairQueue<Item> queue;
  for (uint64_t stream = 1; stream <= kStreams; ++stream) {
    for (int i = 0; i < 2; ++i) {
      items.emplace_back().stream = stream;
      queue.PushBack(&items.back());
    }
  }
  for (uint64_t i = 0; i < 2 * kStreams; ++i) {
    ASSERT_EQ(queue.PopFront()->stream, i % kStreams + 1);
  }
  EXPECT_TRUE(queue.empty());
}

TEST_F(FairQueueTest, AnItemLeavesFromAnywhere) {
  Item* const first = Push("a1");
  Item* const middle = Push("a2");
  Push("a3");
  Item* const alone = Push("b1");
  Push("c1");
  queue_.Remove(middle);
  queue_.Remove(alone);
  EXPECT_EQ(queue_.size(), 3u);
  queue_.Remove(first);
  EXPECT_EQ(PopAll(), "a3 c1");
}

TEST_F(FairQueueTest, AWalkMeetsEachItemAndMayRemoveIt) {
  PushAll({"a1", "b1", "a2", "c1", "b2"});
  std::string met;
  for (Item* item = queue_.First(); item != nullptr;) {
    Item* const next = queue_.Next(item);
    met += item->name + " ";
    if (item->name != "b2") queue_.Remove(item);
    item = next;
  }
  EXPECT_EQ(met, "a1 a2 b1 b2 c1 ");
  EXPECT_EQ(PopAll(), "b2");
}

TEST_F(FairQueueTest, AFullQueueHasRoomForWhoHasLessThanHisShare) {
  const auto has_room = [this](char tenant) {
    return queue_.HasRoom(static_cast<uint64_t>(tenant), 4);
  };
  PushAll({"a1", "a2", "a3"});
  EXPECT_TRUE(has_room('a'));
  Push("a4");
  EXPECT_FALSE(has_room('a'));
  EXPECT_TRUE(has_room('b'));
  PushAll({"b1", "b2"});
  EXPECT_FALSE(has_room('b'));
  EXPECT_TRUE(has_room('c')) << "a third of four is one";
  Push("c1");
  EXPECT_FALSE(has_room('c'));
  EXPECT_TRUE(has_room('d'));
  Push("d1");
  EXPECT_FALSE(has_room('e')) << "a fifth of four is none";
}

TEST_F(FairQueueTest, TenThousandTenantsHaveTheirTurnsAndLeaveNothingBehind) {
  constexpr uint64_t kTenants = 10'000;
  std::deque<Item> items;
  FairQueue<Item> queue;
  for (int round = 0; round < 2; ++round) {
    for (uint64_t tenant = 1; tenant <= kTenants; ++tenant) {
      for (int i = 0; i < 2; ++i) {
        items.emplace_back().tenant = tenant;
        queue.PushBack(&items.back());
      }
    }
    EXPECT_EQ(queue.size(), 2 * kTenants);
    for (uint64_t i = 0; i < 2 * kTenants; ++i) {
      ASSERT_EQ(queue.PopFront()->tenant, i % kTenants + 1);
    }
    EXPECT_TRUE(queue.empty());
  }
}

}  // namespace
}  // namespace penstock::server
