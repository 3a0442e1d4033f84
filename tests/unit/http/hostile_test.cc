// What clients may not do to the HTTP port, and to each other.
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/net/unique_fd.h"
#include "tests/unit/http/fixture.h"

namespace penstock::server {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using HostileHttpTest = HttpServerTest;

TEST_F(HostileHttpTest, OtherMethodsAreRefused) {
  Start();
  for (const char* method :
       {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "X"}) {
    EXPECT_THAT(Ask(method, "/metrics", "Content-Length: 0\r\n"),
                AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("Allow: GET, HEAD\r\n")))
        << method;
  }
}

TEST_F(HostileHttpTest, RubbishIsRefusedAndTheNextIsServed) {
  Start();
  for (const std::string& rubbish :
       {std::string("rubbish\r\n\r\n"), std::string("GET\r\n\r\n"),
        std::string("\x16\x03\x01\x02\0\r\n\r\n", 9),
        "GET /" + std::string(10'000, 'x') + " HTTP/1.1\r\n\r\n",
        std::string("POST /metrics HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n")}) {
    const Connection connection(server_->port());
    connection.Send(rubbish);
    connection.EndSending();
    EXPECT_THAT(connection.ReadAll(), Not(StartsWith("HTTP/1.1 200"))) << rubbish.substr(0, 40);
  }
  EXPECT_THAT(Ask("GET", "/healthz"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HostileHttpTest, LargeRequestsAreRefused) {
  Start();
  EXPECT_THAT(Ask("GET", "/" + std::string(17'000, 'x')), StartsWith("HTTP/1.1 414 "));
  EXPECT_THAT(Ask("GET", "/metrics", "X: " + std::string(17'000, 'x') + "\r\n"),
              StartsWith("HTTP/1.1 431 "));
}

TEST_F(HostileHttpTest, BodiesAreRefusedUnread) {
  Start();
  for (const char* method : {"GET", "HEAD"}) {
    EXPECT_THAT(Ask(method, "/metrics", "Content-Length: 99999999\r\n"),
                StartsWith("HTTP/1.1 413 "));
    EXPECT_THAT(Ask(method, "/readyz", "Transfer-Encoding: chunked\r\n"),
                StartsWith("HTTP/1.1 413 "));
  }
  EXPECT_THAT(Ask("POST", "/metrics", "Content-Length: 99999999\r\n"), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(Ask("POST", "/metrics", "Transfer-Encoding: chunked\r\n"),
              StartsWith("HTTP/1.1 405 "));
}

// Headers that do not end are not kept until they do.
TEST_F(HostileHttpTest, EndlessHeadersAreCutOff) {
  Start();
  const Connection connection(server_->port());
  connection.Send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n");
  size_t sent = 0;
  while (sent < (size_t{64} << 20) &&
         connection.TrySend("X-A: " + std::string(1000, 'x') + "\r\n")) {
    sent += 1000;
  }
  EXPECT_LT(sent, size_t{16} << 20);  // what the sockets hold, at most
}

TEST_F(HostileHttpTest, TheHostIsChecked) {
  Start();
  for (const char* host : {"localhost", "127.0.0.1:9420", "[::1]:9420", "a.b-c.example"}) {
    EXPECT_THAT(Raw("GET /healthz HTTP/1.1\r\nConnection: close\r\nHost: " + std::string(host) +
                    "\r\n\r\n"),
                StartsWith("HTTP/1.1 200 "))
        << host;
  }
  for (const char* hosts : {"", "Host:\r\n", "Host: a b\r\n", "Host: a/../b\r\n", "Host: a,b\r\n",
                            "Host: a@b\r\n", "Host: <x>\r\n", "Host: a\r\nHost: b\r\n"}) {
    EXPECT_THAT(Raw("GET /healthz HTTP/1.1\r\nConnection: close\r\n" + std::string(hosts) + "\r\n"),
                StartsWith("HTTP/1.1 400 "))
        << hosts;
  }
  EXPECT_THAT(Raw("GET /healthz HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1."));
}

TEST_F(HostileHttpTest, RangesAreNotServed) {
  metrics_ = [] { return std::string(100'000, 'm'); };
  Start();
  std::string ranges = "bytes=0-";
  for (int i = 0; i < 2000; ++i) ranges += ",0-";
  const std::string answer = Ask("GET", "/metrics", "Range: " + ranges + "\r\n");
  EXPECT_THAT(answer.substr(0, 20), StartsWith("HTTP/1.1 200 "));
  EXPECT_LT(answer.size(), 101'000u);
}

// Each of these holds a connection; together they are more than there may be.
TEST_F(HostileHttpTest, SlowConnectionsAreInNobodysWay) {
  limits_.connections = 32;
  limits_.connections_by_peer = 16;
  Start();
  std::vector<std::unique_ptr<Connection>> slow;
  for (int i = 0; i < 100; ++i) {
    slow.push_back(std::make_unique<Connection>(server_->port()));
    if (i % 3 == 1) slow.back()->TrySend("GET /metr");
    if (i % 3 == 2) slow.back()->TrySend("GET /metrics HTTP/1.1\r\nHost: lo");
  }
  for (const char* path : {"/healthz", "/readyz", "/metrics"}) {
    EXPECT_THAT(Ask("GET", path), StartsWith("HTTP/1.1 200 ")) << path;
  }
}

// No byte of them renews the time that a request has.
TEST_F(HostileHttpTest, DrippingConnectionsAreCutOff) {
  limits_.request_time = std::chrono::milliseconds(300);
  Start();
  const auto began = std::chrono::steady_clock::now();
  const Connection connection(server_->port());
  connection.Send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ");
  while (connection.TrySend("x")) {
    ASSERT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

// Nor does a client that sends requests and does not read the answers.
TEST_F(HostileHttpTest, ClientsThatDoNotReadAreCutOff) {
  limits_.request_time = std::chrono::milliseconds(300);
  metrics_ = [] { return std::string(size_t{64} << 20, 'm'); };
  Start();
  const Connection connection(server_->port());
  connection.Send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto began = std::chrono::steady_clock::now();
  while (connection.TrySend(" ")) {
    ASSERT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

TEST_F(HostileHttpTest, ASlowHandlerDoesNotDelayHealth) {
  HeldHandler held;
  metrics_ = [&] { return held(); };
  Start();
  const Connection connection(server_->port());
  connection.Send("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  held.AwaitEntered();
  EXPECT_THAT(Ask("GET", "/healthz"), StartsWith("HTTP/1.1 200 "));
  held.LetGo();
  EXPECT_THAT(connection.ReadAll(), EndsWith("\r\n\r\nlate\n"));
}

// One that fails to accept goes on once the cause has gone.
TEST_F(HostileHttpTest, StarvedOfDescriptorsItRecovers) {
  Start();
  const Connection waiting(server_->port(), Connection::kLater);
  std::vector<UniqueFd> all;
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{.rlim_cur = 64, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  for (;;) {
    UniqueFd fd(dup(0));
    if (!fd) break;
    all.push_back(std::move(fd));
  }
  ASSERT_TRUE(waiting.Connect());
  while (server_->Health().ok()) std::this_thread::yield();
  EXPECT_EQ(server_->Health().message(), "HTTP accepts no connections: Too many open files");
  all.clear();
  waiting.Send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(waiting.ReadAll(), StartsWith("HTTP/1.1 200 "));
  EXPECT_TRUE(server_->Health().ok()) << server_->Health();
  setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace penstock::server
