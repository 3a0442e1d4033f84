// What the HTTP port serves.
#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/http/fixture.h"

namespace penstock::server {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(HttpServerTest, Metrics) {
  Start();
  EXPECT_THAT(
      Ask("GET", "/metrics"),
      AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("Content-Type: text/plain; version=0.0.4\r\n"),
            EndsWith("\r\n\r\npenstock_up 1\n")));
}

TEST_F(HttpServerTest, HealthIsAlwaysGood) {
  ready_ = [] { return absl::UnavailableError("draining"); };
  Start();
  EXPECT_THAT(Ask("GET", "/healthz"),
              AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("\r\n\r\nalive\n")));
}

TEST_F(HttpServerTest, ReadinessFollowsTheHandler) {
  std::atomic<bool> draining = false;
  ready_ = [&] { return draining ? absl::UnavailableError("draining") : absl::OkStatus(); };
  Start();
  EXPECT_THAT(Ask("GET", "/readyz"),
              AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("\r\n\r\nready\n")));
  draining = true;
  EXPECT_THAT(Ask("GET", "/readyz"),
              AllOf(StartsWith("HTTP/1.1 503 "), EndsWith("\r\n\r\ndraining\n")));
  draining = false;
  EXPECT_THAT(Ask("GET", "/readyz"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, HeadHasNoBody) {
  Start();
  EXPECT_THAT(Ask("HEAD", "/metrics"),
              AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("Content-Length: 14\r\n"),
                    EndsWith("\r\n\r\n")));
}

TEST_F(HttpServerTest, OtherPathsSayWhatThereIs) {
  Start();
  for (const char* path : {"/", "/metrics/x", "/../etc/passwd", "/%2e%2e/etc/passwd", "/x%00"}) {
    EXPECT_THAT(Ask("GET", path), AllOf(StartsWith("HTTP/1.1 404 "), HasSubstr("/metrics"),
                                        HasSubstr("/healthz"), HasSubstr("/readyz")))
        << path;
  }
}

TEST_F(HttpServerTest, ConnectionsAreKeptAlive) {
  Start();
  const Connection connection(server_->port());
  for (int i = 0; i < 3; ++i) {
    connection.Send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_THAT(connection.ReadUntil("penstock_up 1\n"), StartsWith("HTTP/1.1 200 "));
    connection.Send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_THAT(connection.ReadUntil("alive\n"), StartsWith("HTTP/1.1 200 "));
  }
}

// What one client sends at once is answered one after the other.
TEST_F(HttpServerTest, PipelinedRequests) {
  Start();
  std::string requests;
  for (int i = 0; i < 50; ++i) requests += "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  requests += "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  const std::string answers = Raw(requests);
  size_t count = 0;
  for (size_t at = 0; (at = answers.find("\r\n\r\nready\n", at)) != std::string::npos; ++at)
    ++count;
  EXPECT_EQ(count, 50u);
  EXPECT_THAT(answers, EndsWith("alive\n"));
}

TEST_F(HttpServerTest, AnExceptionsTextIsNotShown) {
  metrics_ = []() -> std::string { throw std::runtime_error("hunter2"); };
  Start();
  EXPECT_THAT(Ask("GET", "/metrics"),
              AllOf(StartsWith("HTTP/1.1 500 "), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(Ask("GET", "/healthz"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, ServesManyAtOnce) {
  Start();
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        if (Ask("GET", "/metrics").ends_with("\r\n\r\npenstock_up 1\n")) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 4 * 20);
}

TEST_F(HttpServerTest, StopLetsARequestEnd) {
  HeldHandler held;
  metrics_ = [&] { return held(); };
  Start();
  const Connection connection(server_->port());
  connection.Send("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  held.AwaitEntered();
  std::thread stopper([this] { server_->Stop(); });
  held.LetGo();
  EXPECT_THAT(connection.ReadAll(), EndsWith("\r\n\r\nlate\n"));
  stopper.join();
}

TEST_F(HttpServerTest, StopClosesThePortAndMayBeRepeated) {
  Start();
  const int port = server_->port();
  // The server closes first, which leaves a connection in TIME_WAIT on the port.
  EXPECT_THAT(Ask("GET", "/healthz"), StartsWith("HTTP/1.1 200 "));
  server_->Stop();
  server_->Stop();
  EXPECT_FALSE(Connection(port).connected());
  Start("127.0.0.1:" + std::to_string(port));
  EXPECT_EQ(server_->port(), port);
}

TEST_F(HttpServerTest, StartAndStopAtOnce) {
  for (int i = 0; i < 50; ++i) Start();
}

TEST_F(HttpServerTest, Ipv6) {
  Start("[::1]:0");
  EXPECT_GT(server_->port(), 0);
}

TEST_F(HttpServerTest, APortInUseIsRefusedWithTheReason) {
  Start();
  const std::string listen = "127.0.0.1:" + std::to_string(server_->port());
  const auto second = HttpServer::Start(listen, {});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(second.status().message(),
            "cannot listen for HTTP on " + listen +
                ": Address already in use; choose another address with http_listen");
}

TEST_F(HttpServerTest, AnUnknownHostIsRefused) {
  const auto server = HttpServer::Start("no-such-host.invalid:0", {});
  EXPECT_EQ(server.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(server.status().message()),
              HasSubstr("cannot listen for HTTP on no-such-host.invalid:0"));
}

}  // namespace
}  // namespace penstock::server
