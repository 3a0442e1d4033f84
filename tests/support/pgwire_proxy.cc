#include "tests/support/pgwire_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "tests/support/pgwire_session.h"

namespace penstock::testing {
namespace {

constexpr size_t kMaxStatements = 1000;
constexpr auto kPatience = std::chrono::seconds(20);

int PollTimeout(std::chrono::steady_clock::time_point until) {
  if (until == std::chrono::steady_clock::time_point::max()) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, 60'000));
}

}  // namespace

PgwireProxy::PgwireProxy(const std::string& socket_folder)
    : server_path_(socket_folder + "/.s.PGSQL.5432"),
      wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  Listen();
  thread_ = std::thread([this] { Serve(); });
}

PgwireProxy::~PgwireProxy() {
  Change([this] { ending_ = true; });
  thread_.join();
  sessions_.clear();
  for (const int fd : held_) close(fd);
  StopListening();
  close(wake_fd_);
}

std::string PgwireProxy::connection_string(const std::string& database) const {
  return fmt::format("host=127.0.0.1 port={} user=postgres dbname={}", port_, database);
}

// Uses the same port again after the door was closed.
void PgwireProxy::Listen() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port_));
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  const bool listens = bind(listener_, generic, size) == 0 && listen(listener_, 128) == 0 &&
                       getsockname(listener_, generic, &size) == 0;
  if (!listens) ADD_FAILURE() << "the proxy cannot listen: " << std::strerror(errno);
  port_ = ntohs(address.sin_port);
}

void PgwireProxy::StopListening() {
  if (listener_ >= 0) close(std::exchange(listener_, -1));
}

int PgwireProxy::Connect() const {
  const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  server_path_.copy(address.sun_path, sizeof address.sun_path - 1);
  if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return server;
  }
  close(server);
  return -1;
}

void PgwireProxy::AcceptLocked() {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  if (door_ == Door::kMute) {
    held_.push_back(client);
    ++counts_.held;
    return;
  }
  const int on = 1;
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const int server = Connect();
  // The server is down; the client sees that its connection is closed.
  if (server < 0) {
    close(client);
    return;
  }
  sessions_.push_back(std::make_unique<PgwireSession>(this, client, server));
}

void PgwireProxy::Serve() {
  std::vector<pollfd> waits;
  std::unique_lock lock(mutex_);
  while (!ending_) {
    waits.assign({{wake_fd_, POLLIN, 0}, {listener_, POLLIN, 0}});
    auto due = std::chrono::steady_clock::time_point::max();
    for (const auto& session : sessions_) {
      waits.resize(waits.size() + 2);
      session->Watch(&waits[waits.size() - 2], &waits[waits.size() - 1]);
      due = std::min(due, session->due());
    }
    lock.unlock();
    poll(waits.data(), waits.size(), PollTimeout(due));
    lock.lock();
    eventfd_t times = 0;
    eventfd_read(wake_fd_, &times);
    size_t at = 2;
    for (const auto& session : sessions_) {
      session->Work(waits[at], waits[at + 1]);
      at += 2;
    }
    sessions_.remove_if([](const auto& session) { return session->finished(); });
    if (waits[1].revents != 0 && listener_ >= 0) AcceptLocked();
    counts_.open = static_cast<int64_t>(sessions_.size());
    changed_.notify_all();
  }
}

void PgwireProxy::Change(const std::function<void()>& change) {
  std::lock_guard lock(mutex_);
  change();
  eventfd_write(wake_fd_, 1);
}

void PgwireProxy::ReportCockroach(const std::string& version) {
  Change([&] { switches_.cockroach_version = version; });
}

void PgwireProxy::Rewrite(std::function<std::string(std::string_view)> rewrite) {
  Change([&] { switches_.rewrite = std::move(rewrite); });
}

void PgwireProxy::SetDoor(Door door) {
  Change([&] {
    door_ = door;
    if (door == Door::kClosed) {
      StopListening();
    } else if (listener_ < 0) {
      Listen();
    }
    for (const int fd : std::exchange(held_, {})) close(fd);
    counts_.held = 0;
  });
}

void PgwireProxy::Inject(PgwireFault fault) {
  Change([&] { switches_.faults.push_back(std::move(fault)); });
}

void PgwireProxy::ClearFaults() {
  Change([&] { switches_.faults.clear(); });
}

void PgwireProxy::Stall(Direction direction) {
  Change([&] { switches_.stalled[static_cast<size_t>(direction)] = true; });
}

void PgwireProxy::Resume() {
  Change([&] { switches_.stalled[0] = switches_.stalled[1] = false; });
}

int PgwireProxy::Freeze() {
  int frozen = 0;
  Change([&] {
    for (const auto& session : sessions_) session->Freeze();
    frozen = static_cast<int>(sessions_.size());
  });
  return frozen;
}

void PgwireProxy::Delay(std::chrono::milliseconds delay) {
  Change([&] { switches_.delay = delay; });
}

void PgwireProxy::Trickle(size_t bytes) {
  Change([&] { switches_.piece = bytes; });
}

void PgwireProxy::Cut() {
  Change([&] {
    for (const auto& session : sessions_) session->Cut();
  });
}

void PgwireProxy::CutAfterBytes(size_t bytes) {
  Change([&] {
    for (const auto& session : sessions_) session->CutAfterBytes(bytes);
  });
}

int PgwireProxy::EndIdleSessions(const std::string& sqlstate) {
  int ended = 0;
  Change([&] {
    for (const auto& session : sessions_) {
      if (!session->idle()) continue;
      session->End(sqlstate);
      ++ended;
    }
  });
  return ended;
}

PgwireCounts PgwireProxy::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

bool PgwireProxy::WaitFor(const std::function<bool(const PgwireCounts&)>& condition) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] { return condition(counts_); });
}

std::deque<std::string> PgwireProxy::statements() const {
  std::lock_guard lock(mutex_);
  return statements_;
}

std::unique_ptr<PgwireFault> PgwireProxy::TakeFault(std::string_view sql) {
  for (auto fault = switches_.faults.begin(); fault != switches_.faults.end(); ++fault) {
    if (!fault->matches(sql)) continue;
    auto due = std::make_unique<PgwireFault>(*fault);
    if (--fault->times == 0) switches_.faults.erase(fault);
    return due;
  }
  return nullptr;
}

void PgwireProxy::NoteStatement(std::string_view sql, int64_t together) {
  ++counts_.executed;
  counts_.most_together = std::max(counts_.most_together, together);
  statements_.emplace_back(sql);
  if (statements_.size() > kMaxStatements) statements_.pop_front();
}

}  // namespace penstock::testing
