#include "drivers/api/password.h"

#include <atomic>
#include <optional>
#include <string>
#include <thread>

#include "gtest/gtest.h"

namespace penstock::driver {
namespace {

TEST(PasswordTest, CopiesAreOne) {
  Password one("first");
  const Password other = one;
  one.Set("second");
  EXPECT_EQ(other.Get(), "second");
  EXPECT_EQ(other.Last(), "second");
}

TEST(PasswordTest, TheSourceIsAskedAtEachGetAndOnlyThere) {
  Password password("first");
  std::optional<std::string> next;
  std::string told;
  int asked = 0;
  password.Follow([&](const std::string& so_far) {
    ++asked;
    told = so_far;
    return next;
  });
  EXPECT_EQ(password.Last(), "first");
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(password.Get(), "first");
  EXPECT_EQ(told, "first");
  next = "second";
  EXPECT_EQ(password.Get(), "second");
  EXPECT_EQ(password.Last(), "second");
  next.reset();
  EXPECT_EQ(password.Get(), "second");
  EXPECT_EQ(told, "second");
  EXPECT_EQ(asked, 3);
}

TEST(PasswordTest, ASourceThatIsGoneIsNotAsked) {
  const auto source = [](const std::string&) { return std::optional<std::string>("followed"); };
  Password set("first");
  set.Follow(source);
  set.Set("second");
  EXPECT_EQ(set.Get(), "second");
  Password kept("first");
  kept.Follow(source);
  kept.Keep();
  EXPECT_EQ(kept.Get(), "first");
}

TEST(PasswordTest, TakesTextAndSource) {
  Password used("old");
  const Password copy = used;
  Password read("new");
  used.Take(read);
  EXPECT_EQ(copy.Get(), "new");
  read.Follow([](const std::string&) { return std::optional<std::string>("followed"); });
  used.Take(read);
  EXPECT_EQ(copy.Last(), "new");
  EXPECT_EQ(copy.Get(), "followed");
  EXPECT_EQ(read.Last(), "new");
  used.Take(copy);
  EXPECT_EQ(copy.Last(), "followed");
}

// What was set while the source was asked is newer than what it says.
TEST(PasswordTest, ASourceDoesNotUndoASet) {
  Password password("first");
  password.Follow([&](const std::string&) {
    password.Set("set");
    return std::optional<std::string>("stale");
  });
  EXPECT_EQ(password.Get(), "set");
  EXPECT_EQ(password.Last(), "set");
}

TEST(PasswordTest, ManyThreadsAskAtOnce) {
  Password password("0");
  std::atomic<int> next = 1;
  password.Follow(
      [&](const std::string&) { return std::optional<std::string>(std::to_string(next++)); });
  const auto ask = [&] {
    for (int i = 0; i < 1000; ++i) EXPECT_FALSE(password.Get().empty());
  };
  std::thread one(ask);
  std::thread other(ask);
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(password.Last().empty());
  one.join();
  other.join();
  EXPECT_EQ(next, 2001);
}

}  // namespace
}  // namespace penstock::driver
