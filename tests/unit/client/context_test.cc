#include "penstock/context.h"

#include <memory>
#include <vector>

#include "gtest/gtest.h"

namespace penstock {
namespace {

TEST(ContextTest, AChildIsCancelledWithItsParentAndNotTheOtherWayRound) {
  const Context parent;
  const Context copy = parent;
  const Context child = parent.WithTimeout(absl::Minutes(1));
  const Context sibling = parent.WithTraceParent("t");
  const Context grandchild = child.WithDeadline(absl::InfiniteFuture());
  child.Cancel();
  EXPECT_TRUE(child.cancelled());
  EXPECT_TRUE(grandchild.cancelled());
  EXPECT_FALSE(parent.cancelled());
  EXPECT_FALSE(sibling.cancelled());
  copy.Cancel();
  EXPECT_TRUE(parent.cancelled());
  EXPECT_TRUE(sibling.cancelled());
}

TEST(ContextTest, AChildOfACancelledOneIsCancelled) {
  const Context parent;
  parent.Cancel();
  EXPECT_TRUE(parent.WithTimeout(absl::Minutes(1)).WithTraceParent("t").cancelled());
}

TEST(ContextTest, ChildrenOutliveTheirParentsAndLeaveThem) {
  auto parent = std::make_unique<Context>();
  const Context kept = parent->WithTimeout(absl::Minutes(1));
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(parent->WithTimeout(absl::Minutes(1)).cancelled());
  parent = nullptr;
  EXPECT_FALSE(kept.cancelled());
  kept.Cancel();
  EXPECT_TRUE(kept.cancelled());
}

}  // namespace
}  // namespace penstock
