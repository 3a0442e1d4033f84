#include "penstock/context.h"

#include <map>
#include <memory>
#include <string>
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

TEST(ContextTest, ASettingReplacesTheOneOfItsNameInACopy) {
  const Context none;
  const Context one = none.WithSetting("app.user", "ada");
  const Context other = one.WithSetting("app.user", "eve").WithSetting("app.tenant", "");
  EXPECT_TRUE(none.settings().empty());
  EXPECT_EQ(one.settings(), (std::map<std::string, std::string>{{"app.user", "ada"}}));
  EXPECT_EQ(other.WithTimeout(absl::Minutes(1)).settings(),
            (std::map<std::string, std::string>{{"app.tenant", ""}, {"app.user", "eve"}}));
  none.Cancel();
  EXPECT_TRUE(other.cancelled());
}

}  // namespace
}  // namespace penstock
