#include "server/net/connections.h"

#include <sys/socket.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/net/unique_fd.h"
#include "tests/support/eventually.h"

namespace penstock::server {
namespace {

using ::penstock::testing::Eventually;
using ::testing::HasSubstr;

// One end of a connection; the other is closed.
UniqueFd Socket() {
  std::array<int, 2> fds{};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
  const UniqueFd other(fds[1]);
  return UniqueFd(fds[0]);
}

// Admits `count` and keeps them.
std::vector<UniqueFd> Admit(Connections* connections, const std::string& peer, int count) {
  std::vector<UniqueFd> all;
  for (int i = 0; i < count; ++i) {
    all.push_back(Socket());
    EXPECT_TRUE(connections->Admit(all.back().get(), peer).ok()) << peer << " " << i;
  }
  return all;
}

void ExpectRefused(Connections* connections, const std::string& peer, const std::string& why) {
  const UniqueFd one = Socket();
  const absl::Status status = connections->Admit(one.get(), peer);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << peer;
  EXPECT_THAT(std::string(status.message()), HasSubstr(why));
}

TEST(Connections, AreLimitedInAll) {
  Connections connections(4, 3);
  std::vector<UniqueFd> some = Admit(&connections, "192.0.2.1", 2);
  const std::vector<UniqueFd> more = Admit(&connections, "192.0.2.2", 2);
  ExpectRefused(&connections, "192.0.2.3", "max_connections (4) is reached");
  ExpectRefused(&connections, "unix", "max_connections (4) is reached");
  EXPECT_EQ(connections.Health().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(connections.size(), 4);
  // Nobody tells when one is closed.
  some.pop_back();
  Eventually([&] { return connections.Health().ok(); });
  Admit(&connections, "192.0.2.3", 1);
}

TEST(Connections, OfOnePeerAreLimited) {
  Connections connections(4, 2);
  std::vector<UniqueFd> greedy = Admit(&connections, "192.0.2.1", 2);
  ExpectRefused(&connections, "192.0.2.1", "one peer has 2 of max_connections (4)");
  EXPECT_TRUE(connections.Health().ok());
  const std::vector<UniqueFd> other = Admit(&connections, "192.0.2.2", 1);
  greedy.clear();
  Eventually([&] { return connections.size() == 1; });
  Admit(&connections, "192.0.2.1", 2);
}

// What is on this machine may have all.
TEST(Connections, OfThisMachineAreLimitedInAllOnly) {
  for (const char* peer : {"unix", "127.0.0.1", "127.1.2.3", "::1"}) {
    Connections connections(4, 1);
    const std::vector<UniqueFd> all = Admit(&connections, peer, 4);
    ExpectRefused(&connections, peer, "max_connections (4) is reached");
  }
}

// A number that the system has given away again is the new connection's alone.
TEST(Connections, ADescriptorThatIsUsedAgainCountsOnce) {
  Connections connections(2, 1);
  UniqueFd first = Socket();
  ASSERT_TRUE(connections.Admit(first.get(), "192.0.2.1").ok());
  const int number = first.get();
  first = UniqueFd();
  UniqueFd second = Socket();
  ASSERT_EQ(second.get(), number);
  EXPECT_TRUE(connections.Admit(second.get(), "192.0.2.2").ok());
  EXPECT_EQ(connections.size(), 1);
  const UniqueFd third = Socket();
  EXPECT_TRUE(connections.Admit(third.get(), "192.0.2.1").ok());
}

}  // namespace
}  // namespace penstock::server
