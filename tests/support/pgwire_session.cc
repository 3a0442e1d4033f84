#include "tests/support/pgwire_session.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "fmt/format.h"

namespace penstock::testing {
namespace {

// The number of buffered bytes at which no more are read, so that the sender notices a receiver
// that does not read.
constexpr size_t kMaxBuffered = size_t{256} << 10;
// The delay after which a CockroachDB acts on a cancel.
constexpr std::chrono::milliseconds kCancelDelay(20);
// A statement that every server refuses.
constexpr std::string_view kBadStatement = "SELECT penstock_injected_failure";

bool IsCommit(std::string_view sql) { return sql == "COMMIT"; }

}  // namespace

PgwireSession::PgwireSession(PgwireProxy* proxy, int client, int server)
    : proxy_(proxy), client_{.fd = client}, server_{.fd = server} {}

PgwireSession::~PgwireSession() {
  close(client_.fd);
  close(server_.fd);
}

bool PgwireSession::MaySend(const Outgoing& out, Direction direction) const {
  return !out.bytes.empty() && !proxy_->switches_.stalled[static_cast<size_t>(direction)];
}

bool PgwireSession::MayRead(const Outgoing& towards) {
  return !towards.ending && towards.bytes.size() < kMaxBuffered;
}

void PgwireSession::Watch(pollfd* client, pollfd* server) const {
  const auto events = [this](const Outgoing& out, Direction direction, const Outgoing& towards) {
    return static_cast<short>((MayRead(towards) ? POLLIN : 0) |
                              (MaySend(out, direction) ? POLLOUT : 0));
  };
  *client = {client_.fd, events(client_, Direction::kToClient, server_), 0};
  *server = {server_.fd, events(server_, Direction::kToServer, client_), 0};
  // poll reports a hang-up even if it is not asked for, which would loop for ever.
  if (frozen_ || client->events == 0) client->fd = -1;
  if (frozen_ || server->events == 0) server->fd = -1;
}

PgwireSession::TimePoint PgwireSession::due() const {
  TimePoint due = TimePoint::max();
  if (frozen_) return due;
  for (const Outgoing* out : {&client_, &server_}) {
    if (!out->later.empty()) due = std::min(due, out->later.front().first);
  }
  return due;
}

void PgwireSession::Work(const pollfd& client, const pollfd& server) {
  if (frozen_) return;
  if (client.revents != 0 && MayRead(server_)) Read(client_.fd, &from_client_, &server_);
  FromClient();
  if (server.revents != 0 && MayRead(client_)) Read(server_.fd, &from_server_, &client_);
  FromServer();
  for (Outgoing* out : {&client_, &server_}) {
    while (!out->later.empty() && out->later.front().first <= std::chrono::steady_clock::now()) {
      out->bytes += out->later.front().second;
      out->later.pop_front();
    }
  }
  Send(&server_, Direction::kToServer);
  Send(&client_, Direction::kToClient);
  const bool done = cut_when_sent_ || client_.ending;
  if ((done && client_.empty()) || (server_.ending && server_.empty())) cut_ = true;
}

void PgwireSession::Read(int fd, std::string* into, Outgoing* towards) {
  char buffer[size_t{64} << 10];
  const ssize_t count = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (count > 0) into->append(buffer, static_cast<size_t>(count));
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) towards->ending = true;
}

void PgwireSession::Send(Outgoing* out, Direction direction) {
  if (cut_ || !MaySend(*out, direction)) return;
  size_t size = out->bytes.size();
  if (proxy_->switches_.piece != 0) size = std::min(size, proxy_->switches_.piece);
  if (direction == Direction::kToClient) size = std::min(size, bytes_left_);
  const ssize_t count = send(out->fd, out->bytes.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count < 0 && errno != EAGAIN && errno != EINTR) cut_ = true;
  if (count <= 0) return;
  out->bytes.erase(0, static_cast<size_t>(count));
  if (direction != Direction::kToClient || bytes_left_ == kUnlimited) return;
  bytes_left_ -= static_cast<size_t>(count);
  if (bytes_left_ == 0) cut_ = true;
}

void PgwireSession::ToClient(std::string_view bytes) {
  const std::chrono::milliseconds delay = proxy_->switches_.delay;
  if (delay.count() == 0 && client_.later.empty()) {
    client_.bytes += bytes;
  } else {
    client_.later.emplace_back(std::chrono::steady_clock::now() + delay, bytes);
  }
}

bool PgwireSession::is_cockroach() const { return !proxy_->switches_.cockroach_version.empty(); }

void PgwireSession::End(const std::string& sqlstate) {
  ToClient(pgwire::ErrorResponse(is_cockroach() ? "ERROR" : "FATAL", sqlstate,
                                 "the session is ended by the test"));
  skipping_ = true;
  cut_when_sent_ = true;
}

void PgwireSession::FromClient() {
  if (!opened_) TakeOpening();
  if (!opened_) return;
  if (raw_) {
    server_.bytes += std::exchange(from_client_, "");
    return;
  }
  size_t taken = 0;
  while (const auto message = pgwire::FirstMessage(std::string_view(from_client_).substr(taken))) {
    OnClientMessage(*message);
    taken += message->whole.size();
  }
  from_client_.erase(0, taken);
}

void PgwireSession::TakeOpening() {
  const std::optional<size_t> length = pgwire::OpeningLength(from_client_);
  if (!length) return;
  const std::string packet = from_client_.substr(0, *length);
  from_client_.erase(0, *length);
  switch (pgwire::OpeningOf(packet)) {
    case pgwire::Opening::kEncryption: ToClient("N"); return;
    case pgwire::Opening::kCancel:
      raw_ = true;
      ++proxy_->counts_.cancels;
      break;
    case pgwire::Opening::kSession: ++proxy_->counts_.opened; break;
  }
  opened_ = true;
  if (raw_ && is_cockroach()) {
    // CockroachDB closes the connection of a cancel before it acts on it, possibly on another node.
    server_.later.emplace_back(std::chrono::steady_clock::now() + kCancelDelay, packet);
    shutdown(client_.fd, SHUT_RDWR);
    return;
  }
  server_.bytes += packet;
}

void PgwireSession::ToServer(std::string_view bytes, Asked asked) {
  server_.bytes += bytes;
  asked_.push_back(std::move(asked));
}

void PgwireSession::OnClientMessage(const pgwire::Message& message) {
  if (deaf_) return;
  std::string_view body = message.body();
  switch (message.tag()) {
    case 'P': {
      const std::string name(pgwire::TakeText(&body));
      const std::string sql(pgwire::TakeText(&body));
      prepared_[name] = sql;
      const auto& rewrite = proxy_->switches_.rewrite;
      ToServer(rewrite ? pgwire::Parse(name, rewrite(sql), body) : std::string(message.whole),
               {.tag = 'P'});
      break;
    }
    case 'B': {
      const std::string portal(pgwire::TakeText(&body));
      portals_[portal] = prepared_[std::string(pgwire::TakeText(&body))];
      ToServer(message.whole, {.tag = 'B'});
      break;
    }
    case 'E': OnExecute(message, portals_[std::string(pgwire::TakeText(&body))]); break;
    case 'Q': OnExecute(message, std::string(pgwire::TakeText(&body))); break;
    case 'S': executed_ = 0; [[fallthrough]];
    case 'C':
    case 'D': ToServer(message.whole, {.tag = message.tag()}); break;
    // The server does not answer these.
    default: server_.bytes += message.whole; break;
  }
}

void PgwireSession::OnExecute(const pgwire::Message& message, const std::string& sql) {
  proxy_->NoteStatement(sql, ++executed_);
  const char tag = message.tag();
  std::shared_ptr<PgwireFault> fault = proxy_->TakeFault(sql);
  if (fault == nullptr || fault->kind != PgwireFault::Kind::kRefuse) {
    ToServer(message.whole, {.tag = tag, .fault = std::move(fault)});
    return;
  }
  deaf_ = fault->then_cut;
  // Makes the server fail instead, so that the statement's transaction fails, too.
  if (tag == 'Q') {
    ToServer(pgwire::Query(IsCommit(sql) ? fmt::format("ROLLBACK; {}", kBadStatement)
                                         : std::string(kBadStatement)),
             {.tag = 'Q', .fault = std::move(fault)});
    return;
  }
  if (IsCommit(sql)) {
    for (const char hidden : {'P', 'B', 'E'}) asked_.push_back({.tag = hidden, .hidden = true});
    server_.bytes += pgwire::ExecuteText("ROLLBACK");
  }
  ToServer(pgwire::Parse("", kBadStatement, std::string(2, '\0')),
           {.tag = 'P', .fault = std::move(fault)});
}

void PgwireSession::FromServer() {
  if (raw_) {
    ToClient(std::exchange(from_server_, ""));
    return;
  }
  size_t taken = 0;
  while (const auto message = pgwire::FirstMessage(std::string_view(from_server_).substr(taken))) {
    OnServerMessage(*message);
    taken += message->whole.size();
  }
  from_server_.erase(0, taken);
}

void PgwireSession::OnServerMessage(const pgwire::Message& message) {
  const char tag = message.tag();
  if (cut_ || cut_when_sent_) return;
  if (!ready_ && (tag == 'K' || tag == 'Z') && !std::exchange(told_, true) &&
      !proxy_->switches_.cockroach_version.empty()) {
    ToClient(pgwire::ParameterStatus("crdb_version", proxy_->switches_.cockroach_version));
  }
  const bool faulty = !skipping_ && Faulty(message);
  const bool hidden = skipping_ || faulty || (!asked_.empty() && asked_.front().hidden);
  Settle(tag);
  if (tag == 'Z') {
    ready_ = true;
    ready_state_ = message.body()[0];
    if (cut_when_ready_) cut_ = true;
    if (const auto fault = std::exchange(fail_when_ready_, nullptr)) Fail(*fault);
    if (cut_when_sent_) return;
    if (std::exchange(skipping_, false) || !hidden) ToClient(message.whole);
  } else if (!hidden) {
    const bool error = tag == 'E' && is_cockroach();
    ToClient(error ? pgwire::AsCockroachError(message) : std::string(message.whole));
  }
}

bool PgwireSession::Faulty(const pgwire::Message& message) {
  if (asked_.empty() || asked_.front().fault == nullptr) return false;
  Asked& asked = asked_.front();
  const std::shared_ptr<PgwireFault> fault = asked.fault;
  const char tag = message.tag();
  const bool failed = tag == 'E';
  switch (fault->kind) {
    case PgwireFault::Kind::kRefuse:
      if (failed) Fail(*fault);
      return failed || tag == 'C';
    case PgwireFault::Kind::kFailAfterwards:
      if (tag != 'C' && tag != 'I') return false;
      Fail(*fault);
      skipping_ = true;
      return true;
    case PgwireFault::Kind::kFailAtSync:
      if (tag == 'C') fail_when_ready_ = fault;
      return false;
    case PgwireFault::Kind::kLoseAnswer:
      if (tag != 'C' && tag != 'D') return false;
      ++proxy_->counts_.faults;
      skipping_ = true;
      cut_when_ready_ = true;
      return true;
    case PgwireFault::Kind::kCutAfterRows:
      if (tag != 'D' || asked.rows++ < fault->rows) return false;
      ++proxy_->counts_.faults;
      cut_when_sent_ = true;
      return true;
  }
  return false;
}

void PgwireSession::Fail(const PgwireFault& fault) {
  ++proxy_->counts_.faults;
  const bool fatal = fault.then_cut && !is_cockroach();
  ToClient(pgwire::ErrorResponse(fatal ? "FATAL" : "ERROR", fault.sqlstate, fault.message));
  if (fault.then_cut) cut_when_sent_ = true;
}

void PgwireSession::Settle(char tag) {
  const auto is_end = [this] { return asked_.front().tag == 'S' || asked_.front().tag == 'Q'; };
  if (asked_.empty()) return;
  const char front = asked_.front().tag;
  switch (tag) {
    case '1':
    case '2':
    case '3': asked_.pop_front(); break;
    case 'T':
    case 'n':
      if (front == 'D') asked_.pop_front();
      break;
    case 'C':
    case 'I':
    case 's':
      if (front == 'E') asked_.pop_front();
      break;
    case 'E':
      while (!asked_.empty() && !is_end()) asked_.pop_front();
      break;
    case 'Z': asked_.pop_front(); break;
    default: break;
  }
}

}  // namespace penstock::testing
