// The connection of one client through the proxy.
#ifndef PENSTOCK_TESTS_SUPPORT_PGWIRE_SESSION_H_
#define PENSTOCK_TESTS_SUPPORT_PGWIRE_SESSION_H_

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "tests/support/pgwire.h"
#include "tests/support/pgwire_proxy.h"

namespace penstock::testing {

// Follows both streams message by message and matches answers to requests. Used by the proxy's
// thread, or under the proxy's mutex.
class PgwireSession {
 public:
  // Takes ownership of both sockets.
  PgwireSession(PgwireProxy* proxy, int client, int server);
  ~PgwireSession();
  PgwireSession(const PgwireSession&) = delete;
  PgwireSession& operator=(const PgwireSession&) = delete;

  // Sets the events to poll for on the client's and the server's socket.
  void Watch(pollfd* client, pollfd* server) const;
  // Returns when there is something to do even without an event; max means never.
  std::chrono::steady_clock::time_point due() const;
  // Moves all bytes that can be moved.
  void Work(const pollfd& client, const pollfd& server);

  void Cut() { cut_ = true; }
  void Freeze() { frozen_ = true; }
  void CutAfterBytes(size_t bytes) { bytes_left_ = bytes; }
  bool finished() const { return cut_; }
  bool idle() const { return ready_ && asked_.empty() && ready_state_ == 'I'; }
  // Sends an error that ends the session.
  void End(const std::string& sqlstate);

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  static constexpr size_t kUnlimited = std::numeric_limits<size_t>::max();

  // Bytes on their way to one socket.
  struct Outgoing {
    int fd;
    std::string bytes;
    // Pieces that must not be sent before a time.
    std::deque<std::pair<TimePoint, std::string>> later;
    // The other side has closed its connection; this one is closed when all bytes are sent.
    bool ending = false;

    bool empty() const { return bytes.empty() && later.empty(); }
  };

  // A message of the client that the server has to answer.
  struct Asked {
    char tag;
    bool hidden = false;  // true if the proxy sent it, not the client
    std::shared_ptr<PgwireFault> fault;
    int64_t rows = 0;
  };

  using Direction = PgwireProxy::Direction;
  bool MaySend(const Outgoing& out, Direction direction) const;
  static bool MayRead(const Outgoing& towards);
  void Read(int fd, std::string* into, Outgoing* towards);
  void Send(Outgoing* out, Direction direction);
  void FromClient();
  void TakeOpening();
  void OnClientMessage(const pgwire::Message& message);
  void OnExecute(const pgwire::Message& message, const std::string& sql);
  void ToServer(std::string_view bytes, Asked asked);
  void FromServer();
  void OnServerMessage(const pgwire::Message& message);
  // Handles the answer to a statement with a fault. Returns true if the answer must not be passed
  // on.
  bool Faulty(const pgwire::Message& message);
  void Fail(const PgwireFault& fault);
  // Removes the request that a message of the server has answered.
  void Settle(char tag);
  void ToClient(std::string_view bytes);
  bool is_cockroach() const;

  PgwireProxy* const proxy_;
  Outgoing client_;
  Outgoing server_;
  std::string from_client_;
  std::string from_server_;
  bool opened_ = false;
  bool raw_ = false;    // a cancel request, which is passed on unchanged
  bool told_ = false;   // the parameters at the start of the session have been sent
  bool ready_ = false;  // the server has been ready for a query once
  char ready_state_ = 'I';
  bool skipping_ = false;  // answers up to the next ReadyForQuery are dropped
  bool cut_when_ready_ = false;
  std::shared_ptr<PgwireFault> fail_when_ready_;
  bool cut_when_sent_ = false;
  bool cut_ = false;
  bool frozen_ = false;
  bool deaf_ = false;  // requests are ignored: the simulated server has ended
  size_t bytes_left_ = kUnlimited;
  int64_t executed_ = 0;  // since the last sync
  std::deque<Asked> asked_;
  std::map<std::string, std::string> prepared_;  // texts of statements by name
  std::map<std::string, std::string> portals_;   // texts of portals by name
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_PGWIRE_SESSION_H_
