#include "server/net/acceptor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/net/listener.h"
#include "tests/support/eventually.h"

namespace penstock::server {
namespace {

using ::penstock::testing::Eventually;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

UniqueFd Socket() { return UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

bool Connect(const UniqueFd& fd, int port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
}

// An acceptor on two ports, and what it has accepted.
class AcceptorTest : public ::testing::Test {
 protected:
  AcceptorTest() {
    std::vector<UniqueFd> listeners;
    for (int& port : ports_) {
      listeners.push_back(std::move(ListenTcp("127.0.0.1", 0)->front()));
      port = LocalPort(listeners.back().get());
    }
    acceptor_.emplace("test", std::move(listeners),
                      Acceptor::Handlers{.accept =
                                             [this](Accepted it) {
                                               std::lock_guard lock(mutex_);
                                               accepted_.push_back(std::move(it));
                                             },
                                         .tick = [this] { ++ticks_; }});
  }

  std::vector<size_t> Listeners() {
    std::lock_guard lock(mutex_);
    std::vector<size_t> listeners;
    for (const Accepted& it : accepted_) listeners.push_back(it.listener);
    return listeners;
  }

  int ports_[2] = {};
  std::mutex mutex_;
  std::vector<Accepted> accepted_;
  std::atomic<int> ticks_ = 0;
  std::optional<Acceptor> acceptor_;
};

TEST_F(AcceptorTest, SaysByWhichSocketAndWho) {
  const UniqueFd second = Socket();
  ASSERT_TRUE(Connect(second, ports_[1]));
  Eventually([&] { return Listeners().size() == 1; });
  const UniqueFd first = Socket();
  ASSERT_TRUE(Connect(first, ports_[0]));
  Eventually([&] { return Listeners().size() == 2; });
  EXPECT_THAT(Listeners(), ElementsAre(1, 0));
  EXPECT_EQ(PeerName(accepted_[0].peer), "127.0.0.1");
  EXPECT_TRUE(acceptor_->Health().ok());
}

TEST_F(AcceptorTest, TicksWithoutConnections) {
  const int before = ticks_;
  Eventually([&] { return ticks_ > before + 2; });
}

// Without descriptors it says so, and accepts what waited once there are some again.
TEST_F(AcceptorTest, RecoversFromAShortageOfDescriptors) {
  const UniqueFd waiting[] = {Socket(), Socket()};
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  rlimit none = limit;
  none.rlim_cur = 3;  // those of the standard streams; the others stay open
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  EXPECT_TRUE(Connect(waiting[0], ports_[0]));
  EXPECT_TRUE(Connect(waiting[1], ports_[1]));
  Eventually([&] { return !acceptor_->Health().ok(); });
  EXPECT_EQ(acceptor_->Health().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(acceptor_->Health().message()), HasSubstr("Too many open files"));
  EXPECT_TRUE(Listeners().empty());
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  Eventually([&] { return Listeners().size() == 2; });
  Eventually([&] { return acceptor_->Health().ok(); });
  const UniqueFd next = Socket();
  ASSERT_TRUE(Connect(next, ports_[1]));
  Eventually([&] { return Listeners().size() == 3; });
}

TEST_F(AcceptorTest, StopEndsTheListening) {
  acceptor_->Stop();
  for (const int port : ports_) EXPECT_FALSE(Connect(Socket(), port));
  acceptor_->Stop();
}

std::string NameOf(const char* address) {
  sockaddr_storage peer{};
  auto& v4 = reinterpret_cast<sockaddr_in&>(peer);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(peer);
  if (inet_pton(AF_INET, address, &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = 4711;
  } else if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = 4711;
  } else {
    peer.ss_family = AF_UNIX;
  }
  return PeerName(peer);
}

TEST(PeerName, IsTheHostOrItsNetwork) {
  EXPECT_EQ(NameOf("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(NameOf("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(NameOf("::1"), "::1");
  EXPECT_EQ(NameOf("2001:db8:1:2::1"), "2001:db8:1:2::");
  EXPECT_EQ(NameOf("2001:db8:1:2:3:4:5:6"), NameOf("2001:db8:1:2::1"));
  EXPECT_NE(NameOf("2001:db8:1:3::1"), NameOf("2001:db8:1:2::1"));
  EXPECT_EQ(NameOf(""), "unix");
}

}  // namespace
}  // namespace penstock::server
