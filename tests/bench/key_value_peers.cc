#include "tests/bench/key_value_peers.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "tests/bench/callers.h"

namespace penstock::bench {
namespace {

using Clock = Stopwatch::Clock;

absl::Status NotStarted(const char* program, const testing::Process& process) {
  return absl::InternalError(
      fmt::format("{} did not start; it said:\n{}", program, process.output()));
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }

 private:
  const int number_;
};

std::string Bulk(const std::string& bytes) {
  return fmt::format("${}\r\n{}\r\n", bytes.size(), bytes);
}

// A connection with one command outstanding.
class Connection {
 public:
  Connection(int number, Call call)
      : socket_(socket(AF_UNIX, SOCK_STREAM, 0)), ids_(number), call_(call) {}

  int descriptor() const { return socket_.get(); }

  bool Connect(const std::string& path) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return false;
    std::memcpy(address.sun_path, path.data(), path.size());
    return connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }

  bool Send() {
    const std::string key = Bulk(KeyOf(ids_.current()));
    const std::string value = Bulk(ValueOf(ids_.current()));
    const std::string command =
        call_ == Call::kGet ? "*2\r\n$3\r\nGET\r\n" + key : "*3\r\n$3\r\nSET\r\n" + key + value;
    expected_ = call_ == Call::kGet ? value : "+OK\r\n";
    reply_.clear();
    return send(socket_.get(), command.data(), command.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(command.size());
  }

  // Reads what has arrived. Sets `done` if the reply is complete. Returns false for a wrong reply.
  bool Receive(bool* done) {
    std::array<char, 512> buffer;
    const ssize_t size = recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (size <= 0) return false;
    reply_.append(buffer.data(), static_cast<size_t>(size));
    *done = reply_.size() >= expected_.size();
    if (!*done) return true;
    ids_.Next();
    return reply_ == expected_;
  }

 private:
  const Descriptor socket_;
  Ids ids_;
  const Call call_;
  std::string expected_;
  std::string reply_;
};

// The connections of a round and their results.
class Crowd {
 public:
  absl::Status Open(const std::string& path, const Round& round) {
    for (int i = 0; i < round.callers; ++i) {
      Connection* added =
          connections_.emplace_back(std::make_unique<Connection>(i, round.call)).get();
      epoll_event event{.events = EPOLLIN, .data = {.ptr = added}};
      if (!added->Connect(path) ||
          epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, added->descriptor(), &event) != 0 ||
          !added->Send()) {
        return absl::InternalError("cannot connect to Redis");
      }
    }
    return absl::OkStatus();
  }

  // Keeps every connection busy until `end`.
  absl::Status ServeUntil(Clock::time_point end) {
    std::array<epoll_event, 64> events;
    while (Clock::now() < end) {
      const int count = epoll_wait(epoll_.get(), events.data(), events.size(), 100);
      for (int i = 0; i < count; ++i) {
        auto* connection = static_cast<Connection*>(events[static_cast<size_t>(i)].data.ptr);
        bool done = false;
        if (!connection->Receive(&done) || (done && !connection->Send())) {
          return absl::InternalError("Redis said something else than was expected");
        }
        if (done) ++answers_;
      }
    }
    return absl::OkStatus();
  }

  int64_t answers() const { return answers_; }

 private:
  const Descriptor epoll_{epoll_create1(0)};
  std::vector<std::unique_ptr<Connection>> connections_;
  int64_t answers_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Redis>> Redis::Start(const std::string& folder,
                                                    const std::string& socket,
                                                    const std::string& appendfsync) {
  auto redis = std::unique_ptr<Redis>(
      new Redis({"redis-server", "--port", "0", "--unixsocket", socket, "--dir", folder, "--save",
                 "", "--appendonly", "yes", "--appendfsync", appendfsync},
                folder, socket));
  if (!redis->process_.WaitForOutput("ready to accept connections")) {
    return NotStarted("redis-server", redis->process_);
  }
  return redis;
}

absl::Status Redis::Fill() const {
  Connection connection(0, Call::kPut);
  if (!connection.Connect(socket_)) return absl::InternalError("cannot connect to Redis");
  for (int64_t i = 0; i < kSelectRows; ++i) {
    bool done = false;
    if (!connection.Send()) return absl::InternalError("Redis takes no command");
    while (!done) {
      if (!connection.Receive(&done)) return absl::InternalError("Redis did not set a key");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<RoundResult> Redis::Run(const Round& round) const {
  Crowd crowd;
  absl::Status status = crowd.Open(socket_, round);
  if (status.ok()) status = crowd.ServeUntil(Clock::now() + round.warm_up);
  const int64_t before = crowd.answers();
  const Clock::time_point start = Clock::now();
  if (status.ok()) status = crowd.ServeUntil(start + round.measured);
  if (!status.ok()) return status;
  const std::chrono::duration<double> passed = Clock::now() - start;
  return RoundResult{.per_second = static_cast<double>(crowd.answers() - before) / passed.count(),
                     .answers = crowd.answers()};
}

absl::StatusOr<RoundResult> Redis::RunPipelinedGets(int clients, int pipeline,
                                                    std::chrono::milliseconds time) const {
  constexpr int64_t kCommandsPerMs = 500;
  const std::string folder = folder_ + "/redis-benchmark";
  std::filesystem::create_directory(folder);
  testing::Process benchmark(
      {"redis-benchmark", "-s", socket_, "-c", std::to_string(clients), "-P",
       std::to_string(pipeline), "-n", std::to_string(time.count() * kCommandsPerMs), "-r",
       std::to_string(kSelectRows), "--csv", "GET", "key-__rand_int__"},
      folder);
  const int code = benchmark.Wait();
  // The line of the command is its name and its rate, each in quotes, and more.
  const std::string output = benchmark.output();
  const std::string name = "\"GET key-__rand_int__\",\"";
  const size_t at = output.find(name);
  if (code != 0 || at == std::string::npos) {
    return absl::InternalError("redis-benchmark failed; it said:\n" + output);
  }
  return RoundResult{.per_second = std::strtod(output.c_str() + at + name.size(), nullptr)};
}

absl::StatusOr<std::unique_ptr<Etcd>> Etcd::Start(const std::string& folder,
                                                  const std::string& sockets) {
  // etcd requires a port in the name of a unix socket, and creates the socket in its working
  // folder.
  const std::string client = "unix://etcd:1";
  const std::string peer = "unix://peer:1";
  auto etcd = std::unique_ptr<Etcd>(
      new Etcd({"etcd", "--name", "bench", "--data-dir", folder + "/etcd", "--listen-client-urls",
                client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
                "--initial-advertise-peer-urls", peer, "--initial-cluster", "bench=" + peer},
               sockets, "unix:" + sockets + "/etcd:1"));
  if (!etcd->process_.WaitForOutput("ready to serve client requests")) {
    return NotStarted("etcd", etcd->process_);
  }
  return etcd;
}

}  // namespace penstock::bench
