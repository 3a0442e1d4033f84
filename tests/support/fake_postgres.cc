#include "tests/support/fake_postgres.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "tests/support/pgwire.h"

namespace penstock::testing {
namespace {

std::string Number(uint64_t number, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(number >> (8 * i) & 0xff);
  return text;
}

std::string Make(char tag, const std::string& body) {
  return tag + Number(body.size() + 4, 4) + body;
}

std::string ParameterDescription(const FakeAnswer& answer) {
  std::string body = Number(answer.parameters.size(), 2);
  for (const uint32_t type : answer.parameters) body += Number(type, 4);
  return Make('t', body);
}

std::string RowDescription(const FakeAnswer& answer) {
  if (answer.columns.empty()) return Make('n', "");
  std::string body = Number(answer.columns.size(), 2);
  for (const FakeAnswer::Column& column : answer.columns) {
    // The column belongs to no table, has any length and no modifiers, and is sent as text.
    body += column.name + '\0' + Number(0, 6) + Number(column.type, 4) + Number(0xffff, 2) +
            Number(0xffffffff, 4) + Number(0, 2);
  }
  return Make('T', body);
}

std::string DataRow(const FakeAnswer::Row& row) {
  std::string body = Number(row.size(), 2);
  for (const auto& value : row) {
    body += value.has_value() ? Number(value->size(), 4) + *value : Number(0xffffffff, 4);
  }
  return Make('D', body);
}

}  // namespace

// The session of one client, on a thread of its own.
class FakePostgres::Session {
 public:
  Session(FakePostgres* server, int fd) : server_(server), fd_(fd) {}

  void Run() {
    if (!Open()) return;
    std::string input;
    while (Read(&input)) {
      while (const auto message = pgwire::FirstMessage(input)) {
        if (message->tag() == 'X') return;
        OnMessage(message->tag(), message->body());
        if (closing_) {
          Flush();
          shutdown(fd_, SHUT_RDWR);
          return;
        }
        input.erase(0, message->whole.size());
      }
      if (!Flush()) return;
    }
  }

 private:
  // Reads the opening packets and refuses encryption. Returns false for a cancel request and at the
  // end.
  bool Open() {
    std::string input;
    for (;;) {
      const auto length = pgwire::OpeningLength(input);
      if (!length.has_value()) {
        if (!Read(&input)) return false;
        continue;
      }
      const pgwire::Opening opening = pgwire::OpeningOf(input);
      if (opening == pgwire::Opening::kCancel) {
        server_->Cancel(SessionIn(input));
        return false;
      }
      if (opening == pgwire::Opening::kSession) break;
      input.erase(0, *length);
      output_ += 'N';
      if (!Flush()) return false;
    }
    output_ += Make('R', Number(0, 4));
    for (const auto& [name, value] : server_->reports()) {
      if (!value.empty()) output_ += pgwire::ParameterStatus(name, value);
    }
    id_ = server_->Begin();
    output_ += Make('K', Number(id_, 4) + Number(1, 4)) + Make('Z', "I");
    return Flush();
  }

  // Returns the session that a cancel request names.
  static uint32_t SessionIn(std::string_view request) {
    constexpr size_t kBefore = 8;
    uint32_t session = 0;
    for (const char c : request.substr(kBefore, 4)) {
      session = session << 8U | static_cast<unsigned char>(c);
    }
    return session;
  }

  void OnMessage(char tag, std::string_view body) {
    if (tag == 'S') {
      skipping_ = false;
      output_ += Make('Z', std::string(1, state_));
      return;
    }
    if (skipping_) return;
    switch (tag) {
      case 'P': OnParse(body); break;
      case 'B': OnBind(body); break;
      case 'D': OnDescribe(body); break;
      case 'E': OnExecute(std::string(pgwire::TakeText(&body))); break;
      default: break;
    }
  }

  void OnParse(std::string_view body) {
    const std::string name(pgwire::TakeText(&body));
    prepared_[name] = pgwire::TakeText(&body);
    const FakeAnswer answer = server_->handler_(prepared_[name]);
    if (answer.fails_when_prepared) return Fail(answer);
    output_ += Make('1', "");
  }

  void OnBind(std::string_view body) {
    const std::string portal(pgwire::TakeText(&body));
    portals_[portal] = prepared_[std::string(pgwire::TakeText(&body))];
    output_ += Make('2', "");
  }

  void OnDescribe(std::string_view body) {
    const bool statement = body.starts_with('S');
    body.remove_prefix(1);
    const std::string name(pgwire::TakeText(&body));
    const FakeAnswer answer = server_->handler_(statement ? prepared_[name] : portals_[name]);
    if (statement) output_ += ParameterDescription(answer);
    output_ += RowDescription(answer);
  }

  void OnExecute(const std::string& portal) {
    const std::string& sql = portals_[portal];
    server_->Note(sql);
    const FakeAnswer answer = server_->handler_(sql);
    if (answer.takes.count() > 0) {
      Flush();
      if (!server_->Take(id_, answer.takes)) {
        return Fail({.sqlstate = "57014", .message = "query execution canceled"});
      }
    }
    // A commit that fails rolls back.
    if (sql == "COMMIT") state_ = 'I';
    if (!answer.sqlstate.empty()) return Fail(answer);
    for (const FakeAnswer::Row& row : answer.rows) output_ += DataRow(row);
    bool listening = true;
    for (int64_t i = 0; listening && answer.more != nullptr; ++i) {
      const std::optional<FakeAnswer::Row> row = answer.more(i);
      if (!row.has_value()) break;
      output_ += DataRow(*row);
      listening = Flush();
    }
    if (sql.starts_with("BEGIN")) state_ = 'T';
    if (sql.starts_with("ROLLBACK TO")) state_ = 'T';
    if (sql == "COMMIT" || sql == "ROLLBACK") state_ = 'I';
    state_ = answer.state.value_or(state_);
    closing_ = answer.then_close;
    output_ += Make('C', answer.tag + '\0');
  }

  void Fail(const FakeAnswer& answer) {
    output_ += pgwire::ErrorResponse(answer.severity, answer.sqlstate, answer.message, answer.hint);
    skipping_ = true;
    if (state_ == 'T') state_ = 'E';
    state_ = answer.state.value_or(state_);
    closing_ = answer.then_close;
  }

  bool Read(std::string* input) const {
    char bytes[4096];
    const ssize_t got = recv(fd_, bytes, sizeof bytes, 0);
    if (got > 0) input->append(bytes, static_cast<size_t>(got));
    return got > 0;
  }

  bool Flush() {
    while (!output_.empty()) {
      const ssize_t sent = send(fd_, output_.data(), output_.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      output_.erase(0, static_cast<size_t>(sent));
    }
    return true;
  }

  FakePostgres* const server_;
  const int fd_;
  std::string output_;
  bool skipping_ = false;
  uint32_t id_ = 0;
  char state_ = 'I';
  bool closing_ = false;
  std::map<std::string, std::string> prepared_;
  std::map<std::string, std::string> portals_;
};

FakePostgres::FakePostgres(Handler handler)
    : handler_(std::move(handler)),
      reports_({{"server_version", "15.0"},
                {"client_encoding", "UTF8"},
                {"DateStyle", "ISO, MDY"},
                {"IntervalStyle", "iso_8601"},
                {"TimeZone", "UTC"},
                {"standard_conforming_strings", "on"}}) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(bind(listener_, any, size), 0);
  EXPECT_EQ(listen(listener_, SOMAXCONN), 0);
  EXPECT_EQ(getsockname(listener_, any, &size), 0);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

FakePostgres::~FakePostgres() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_all();
    shutdown(listener_, SHUT_RDWR);
    for (const int fd : sockets_) shutdown(fd, SHUT_RDWR);
  }
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
  close(listener_);
}

void FakePostgres::Accept() {
  for (;;) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    std::lock_guard lock(mutex_);
    if (ending_ || fd < 0) {
      if (fd >= 0) close(fd);
      return;
    }
    sockets_.push_back(fd);
    threads_.emplace_back([this, fd] { Serve(fd); });
  }
}

void FakePostgres::Serve(int fd) {
  Session(this, fd).Run();
  std::lock_guard lock(mutex_);
  sockets_.remove(fd);
  close(fd);
}

std::string FakePostgres::connection_string() const {
  return fmt::format("host=127.0.0.1 port={} user=fake dbname=fake", port_);
}

void FakePostgres::Report(const std::string& name, const std::string& value) {
  std::lock_guard lock(mutex_);
  reports_[name] = value;
}

std::map<std::string, std::string> FakePostgres::reports() const {
  std::lock_guard lock(mutex_);
  return reports_;
}

uint32_t FakePostgres::Begin() {
  std::lock_guard lock(mutex_);
  return static_cast<uint32_t>(++sessions_);
}

int FakePostgres::sessions() const {
  std::lock_guard lock(mutex_);
  return sessions_;
}

int FakePostgres::cancels() const {
  std::lock_guard lock(mutex_);
  return cancels_;
}

void FakePostgres::DelayCancels(std::chrono::milliseconds delay) {
  std::lock_guard lock(mutex_);
  cancel_delay_ = delay;
}

void FakePostgres::Cancel(uint32_t session) {
  std::unique_lock lock(mutex_);
  ++cancels_;
  const auto act = [this, session] {
    const auto running = running_.find(session);
    if (running == running_.end()) return;
    running->second = true;
    changed_.notify_all();
  };
  if (cancel_delay_.count() == 0 || ending_) return act();
  threads_.emplace_back([this, act, delay = cancel_delay_] {
    std::unique_lock later(mutex_);
    const bool ended = changed_.wait_for(later, delay, [this] { return ending_; });
    if (!ended) act();
  });
}

bool FakePostgres::Take(uint32_t session, std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  bool& cancelled = running_[session];
  cancelled = false;
  changed_.wait_for(lock, time, [&] { return cancelled || ending_; });
  const bool done = !cancelled;
  running_.erase(session);
  return done;
}

void FakePostgres::Note(std::string_view sql) {
  std::lock_guard lock(mutex_);
  executed_.emplace_back(sql);
}

std::vector<std::string> FakePostgres::executed(std::string_view part) const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> texts;
  std::copy_if(executed_.begin(), executed_.end(), std::back_inserter(texts),
               [part](const std::string& sql) { return sql.find(part) != std::string::npos; });
  return texts;
}

}  // namespace penstock::testing
