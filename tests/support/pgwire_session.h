// One client's connection through the proxy.
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

// Follows both streams message by message and knows to which request each
// answer belongs. Used by the proxy's thread, or under the proxy's mutex.
class PgwireSession {
 public:
  // Owns both sockets.
  PgwireSession(PgwireProxy* proxy, int client, int server);
  ~PgwireSession();
  PgwireSession(const PgwireSession&) = delete;
  PgwireSession& operator=(const PgwireSession&) = delete;

  // What to poll for: the client's socket and the server's.
  void Watch(pollfd* client, pollfd* server) const;
  // When there is something to do without any news; max: never.
  std::chrono::steady_clock::time_point due() const;
  // Moves what can be moved.
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

  // Bytes on their way out of one socket.
  struct Outgoing {
    int fd;
    std::string bytes;
    // Not before its time each.
    std::deque<std::pair<TimePoint, std::string>> later;
    // The other side has closed: so will this one when all is sent.
    bool ending = false;

    bool empty() const { return bytes.empty() && later.empty(); }
  };

  // A message of the client's that the server is to answer.
  struct Asked {
    char tag;
    bool hidden = false;  // the client does not know of it
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
  // The answer is to a statement with a fault that is due now; true: it is dealt
  // with.
  bool Faulty(const pgwire::Message& message);
  void Fail(const PgwireFault& fault);
  // Forgets the request that a message of the server's has answered.
  void Settle(char tag);
  void ToClient(std::string_view bytes);
  bool is_cockroach() const;

  PgwireProxy* const proxy_;
  Outgoing client_;
  Outgoing server_;
  std::string from_client_;
  std::string from_server_;
  bool opened_ = false;
  bool raw_ = false;    // a request to cancel: passed on as it is
  bool told_ = false;   // the parameters of its start are complete
  bool ready_ = false;  // the server has been ready once
  char ready_state_ = 'I';
  bool skipping_ = false;  // answers up to the next ReadyForQuery are dropped
  bool cut_when_ready_ = false;
  std::shared_ptr<PgwireFault> fail_when_ready_;
  bool cut_when_sent_ = false;
  bool cut_ = false;
  bool frozen_ = false;
  bool deaf_ = false;  // the server it pretends to be has ended: nothing more is run
  size_t bytes_left_ = kUnlimited;
  int64_t executed_ = 0;  // since the last sync
  std::deque<Asked> asked_;
  std::map<std::string, std::string> prepared_;  // name to text
  std::map<std::string, std::string> portals_;   // name to text
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_PGWIRE_SESSION_H_
