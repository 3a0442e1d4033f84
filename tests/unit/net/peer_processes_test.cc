#include "server/net/peer_processes.h"

#include <sys/socket.h>
#include <unistd.h>

#include <set>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace penstock::server {
namespace {

// The two ends of a connection.
std::pair<UniqueFd, UniqueFd> Connect() {
  int ends[2] = {-1, -1};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::string Name(const UniqueFd& fd) { return "fd:" + std::to_string(fd.get()); }

TEST(PeerProcesses, TellsWhoHasConnected) {
  PeerProcesses processes;
  auto [client, server] = Connect();
  const UniqueFd moved = processes.Add(std::move(server));
  ASSERT_TRUE(moved);
  const auto process = processes.Find(Name(moved));
  ASSERT_TRUE(process.has_value());
  EXPECT_EQ(process->uid, geteuid());
  EXPECT_EQ(process->groups.front(), getegid());
}

TEST(PeerProcesses, KnowsNobodyByAnotherName) {
  PeerProcesses processes;
  auto [client, server] = Connect();
  const UniqueFd moved = processes.Add(std::move(server));
  for (const std::string& name : {std::string("ipv4:127.0.0.1:1"), std::string("unix:"),
                                  std::string("fd:"), Name(moved) + "x", "fd: " + Name(moved),
                                  std::string("fd:99999999999999999999"), Name(client)}) {
    EXPECT_FALSE(processes.Find(name).has_value()) << name;
  }
}

TEST(PeerProcesses, ForgetsAConnectionThatIsClosed) {
  PeerProcesses processes;
  auto [client, server] = Connect();
  UniqueFd moved = processes.Add(std::move(server));
  const std::string name = Name(moved);
  const int number = moved.get();
  moved.Reset();
  EXPECT_FALSE(processes.Find(name).has_value());
  // Another socket by the same number is not the one that was asked.
  auto [other, its_peer] = Connect();
  const UniqueFd same(dup2(other.get(), number));
  ASSERT_EQ(same.get(), number);
  EXPECT_FALSE(processes.Find(name).has_value());
}

TEST(PeerProcesses, UsesNoNumberTwiceInARow) {
  PeerProcesses processes;
  std::set<int> numbers;
  constexpr int kConnections = 100;
  for (int i = 0; i < kConnections; ++i) {
    auto [client, server] = Connect();
    numbers.insert(processes.Add(std::move(server)).get());
  }
  EXPECT_EQ(numbers.size(), kConnections);
}

TEST(PeerProcesses, RefusesWhatIsNoUnixSocket) {
  PeerProcesses processes;
  int ends[2] = {-1, -1};
  ASSERT_EQ(pipe(ends), 0);
  const UniqueFd other(ends[1]);
  EXPECT_FALSE(processes.Add(UniqueFd(ends[0])));
}

}  // namespace
}  // namespace penstock::server
