// The HTTP port, by real sockets and requests as bytes.
#ifndef PENSTOCK_TESTS_UNIT_HTTP_FIXTURE_H_
#define PENSTOCK_TESTS_UNIT_HTTP_FIXTURE_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "server/http/http_server.h"

namespace penstock::server {

// A connection to a port of this machine, closed when destroyed.
class Connection {
 public:
  enum Later { kLater };

  Connection(int port, Later) : port_(port), fd_(socket(AF_INET, SOCK_STREAM, 0)) {}
  explicit Connection(int port) : Connection(port, kLater) { connected_ = Connect(); }
  ~Connection() { close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool Connect() const {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port_));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }

  bool connected() const { return connected_; }

  bool TrySend(const std::string& bytes) const {
    return send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }

  void Send(const std::string& bytes) const {
    if (!TrySend(bytes)) throw std::runtime_error("not everything was sent");
  }

  void EndSending() const { shutdown(fd_, SHUT_WR); }

  // What comes until the server closes the connection.
  std::string ReadAll() const { return ReadUntil(""); }

  // What comes up to this text (empty: none), or until the server closes the connection.
  std::string ReadUntil(const std::string& end) const {
    std::string all;
    char buffer[4096];
    while (end.empty() || !all.ends_with(end)) {
      const ssize_t count = recv(fd_, buffer, sizeof(buffer), 0);
      if (count <= 0) break;
      all.append(buffer, static_cast<size_t>(count));
    }
    return all;
  }

 private:
  const int port_;
  const int fd_;
  bool connected_ = false;
};

// A handler that is entered and does not come back until it is let go.
class HeldHandler {
 public:
  std::string operator()() {
    entered_ = true;
    entered_.notify_one();
    leave_.wait(false);
    return "late\n";
  }
  void AwaitEntered() const { entered_.wait(false); }
  void LetGo() {
    leave_ = true;
    leave_.notify_one();
  }

 private:
  std::atomic<bool> entered_ = false;
  std::atomic<bool> leave_ = false;
};

class HttpServerTest : public ::testing::Test {
 protected:
  void Start(const std::string& listen = "127.0.0.1:0") {
    auto server = HttpServer::Start(
        listen,
        {.metrics = [this] { return metrics_(); },
         .ready = [this] { return ready_(); },
         .admit = [this](HttpPath path, const HttpCaller& caller) { return admit_(path, caller); }},
        limits_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  std::string Ask(const std::string& method, const std::string& path,
                  const std::string& headers = "") const {
    return Raw(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
               headers + "\r\n");
  }

  // What the server answers to these bytes until it closes the connection.
  std::string Raw(const std::string& bytes) const {
    const Connection connection(server_->port());
    connection.Send(bytes);
    return connection.ReadAll();
  }

  HttpLimits limits_;

  std::function<std::string()> metrics_ = [] { return "penstock_up 1\n"; };
  std::function<absl::Status()> ready_ = [] { return absl::OkStatus(); };
  std::function<absl::Status(HttpPath, const HttpCaller&)> admit_ =
      [](HttpPath, const HttpCaller&) { return absl::OkStatus(); };
  std::unique_ptr<HttpServer> server_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_TESTS_UNIT_HTTP_FIXTURE_H_
