// The HTTP port, by real sockets and requests as bytes.
#include "server/http/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace penstock::server {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// A connection to a port of this machine, closed when destroyed.
class Connection {
 public:
  explicit Connection(int port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~Connection() { close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool connected() const { return connected_; }

  void Send(const std::string& bytes) const {
    if (send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) {
      throw std::runtime_error("not everything was sent");
    }
  }

  void EndSending() const { shutdown(fd_, SHUT_WR); }

  // What comes until the server closes the connection.
  std::string ReadAll() const {
    std::string all;
    char buffer[4096];
    for (ssize_t count; (count = recv(fd_, buffer, sizeof(buffer), 0)) > 0;) {
      all.append(buffer, static_cast<size_t>(count));
    }
    return all;
  }

 private:
  const int fd_;
  bool connected_;
};

class HttpServerTest : public ::testing::Test {
 protected:
  void Start(const std::string& listen = "127.0.0.1:0") {
    auto server = HttpServer::Start(
        listen, {.metrics = [this] { return metrics_(); }, .ready = [this] { return ready_(); }});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  std::string Ask(const std::string& method, const std::string& path) const {
    const Connection connection(server_->port());
    connection.Send(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return connection.ReadAll();
  }

  std::function<std::string()> metrics_ = [] { return "penstock_up 1\n"; };
  std::function<absl::Status()> ready_ = [] { return absl::OkStatus(); };
  std::unique_ptr<HttpServer> server_;
};

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

TEST_F(HttpServerTest, OtherMethodsAreRefused) {
  Start();
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH"}) {
    const Connection connection(server_->port());
    connection.Send(std::string(method) +
                    " /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    EXPECT_THAT(connection.ReadAll(),
                AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("Allow: GET, HEAD\r\n")))
        << method;
  }
}

TEST_F(HttpServerTest, RubbishIsRefusedAndTheNextIsServed) {
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

TEST_F(HttpServerTest, LargeRequestsAreRefused) {
  Start();
  EXPECT_THAT(Ask("GET", "/" + std::string(9000, 'x')), StartsWith("HTTP/1.1 414 "));
  const Connection connection(server_->port());
  connection.Send("POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4097\r\n\r\n" +
                  std::string(4097, 'x'));
  EXPECT_THAT(connection.ReadAll(), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, AnExceptionsTextIsNotShown) {
  metrics_ = []() -> std::string { throw std::runtime_error("hunter2"); };
  Start();
  EXPECT_THAT(Ask("GET", "/metrics"),
              AllOf(StartsWith("HTTP/1.1 500 "), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(Ask("GET", "/healthz"), StartsWith("HTTP/1.1 200 "));
}

// Two silent connections take both threads; they are closed after two seconds.
TEST_F(HttpServerTest, SilentConnectionsDoNotStayInTheWay) {
  Start();
  const Connection first(server_->port());
  const Connection second(server_->port());
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
  std::atomic<bool> entered = false;
  std::atomic<bool> leave = false;
  metrics_ = [&]() -> std::string {
    entered = true;
    entered.notify_one();
    leave.wait(false);
    return "late\n";
  };
  Start();
  const Connection connection(server_->port());
  connection.Send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  entered.wait(false);
  std::thread stopper([this] { server_->Stop(); });
  leave = true;
  leave.notify_one();
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
