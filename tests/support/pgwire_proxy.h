// A proxy in front of a PostgreSQL server that misbehaves on command as networks, servers and
// CockroachDB do.
#ifndef PENSTOCK_TESTS_SUPPORT_PGWIRE_PROXY_H_
#define PENSTOCK_TESTS_SUPPORT_PGWIRE_PROXY_H_

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace penstock::testing {

class PgwireSession;

// What happens to a statement when it is executed, whether prepared, unnamed or by the simple
// protocol.
struct PgwireFault {
  enum class Kind : uint8_t {
    // The server does not execute the statement. It fails with `sqlstate`, and so does its
    // transaction. A
    // COMMIT becomes a rollback.
    kRefuse,
    // The server executes the statement, but its answer is replaced by an error.
    kFailAfterwards,
    // The server executes the statement. The end of its segment, at which the server has committed
    // what is
    // in no transaction, is replaced by an error.
    kFailAtSync,
    // The server executes the statement, and commits it if it is in no transaction. The connection
    // is cut
    // before the client gets an answer.
    kLoseAnswer,
    // The connection is cut after `rows` rows of its result.
    kCutAfterRows,
  };
  Kind kind = Kind::kRefuse;
  // Decides by the statement's text whether the fault applies.
  std::function<bool(std::string_view sql)> matches;
  std::string sqlstate;
  std::string message = "injected by the test";
  int64_t rows = 0;
  // After an error the server closes the connection (severity FATAL).
  bool then_cut = false;
  // How many matching statements get the fault.
  int times = 1;
};

// Counts of what has happened so far.
struct PgwireCounts {
  int64_t opened = 0;  // sessions that have begun
  int64_t open = 0;
  int64_t held = 0;      // connections that were accepted and get no answer
  int64_t cancels = 0;   // cancel requests
  int64_t executed = 0;  // statements that were sent to be executed
  // The largest number of statements between two syncs, which make one transaction.
  int64_t most_together = 0;
  int64_t faults = 0;  // faults that have taken place
};

// Listens on 127.0.0.1 and connects to a server's unix socket for each client. Works on a thread of
// its own during its lifetime. Refuses encryption, because it could not read encrypted messages.
// Thread-safe.
class PgwireProxy {
 public:
  enum class Door : uint8_t {
    kOpen,
    kClosed,  // connections are refused
    kMute,    // connections are accepted, and nothing is ever answered
  };
  enum class Direction : uint8_t { kToServer, kToClient };

  // `socket_folder` is where the server has its socket for port 5432.
  explicit PgwireProxy(const std::string& socket_folder);
  ~PgwireProxy();
  PgwireProxy(const PgwireProxy&) = delete;
  PgwireProxy& operator=(const PgwireProxy&) = delete;

  int port() const { return port_; }
  // Returns "host=127.0.0.1 port=… user=postgres dbname=…".
  std::string connection_string(const std::string& database) const;

  // Tells new sessions that the server is a CockroachDB of this version, and behaves like one from
  // then on: all errors have the severity ERROR and no position, table or column, and a cancel
  // takes effect when the connection that asked for it has long been closed.
  void ReportCockroach(const std::string& version);
  // Changes the text of every statement on its way to the server.
  void Rewrite(std::function<std::string(std::string_view sql)> rewrite);

  void SetDoor(Door door);
  void Inject(PgwireFault fault);
  void ClearFaults();
  // Holds back all bytes in this direction until Resume.
  void Stall(Direction direction);
  void Resume();
  // Stops both directions of the sessions that are open now for good, and does not even pass on
  // that a side has closed. Returns the number of these sessions.
  int Freeze();
  // Delays each piece on its way to the client. Zero ends the delay.
  void Delay(std::chrono::milliseconds delay);
  // Sends at most so many bytes at a time, in both directions. 0 means no limit.
  void Trickle(size_t bytes);
  // Closes both ends of all sessions.
  void Cut();
  // Closes each session after so many more bytes to its client.
  void CutAfterBytes(size_t bytes);
  // Sends an unsolicited error to the sessions that are idle outside of a transaction, and closes
  // them. Returns the number of these sessions.
  int EndIdleSessions(const std::string& sqlstate);

  PgwireCounts counts() const;
  // Waits until `condition` holds. Returns false if it does not within 20 seconds.
  [[nodiscard]] bool WaitFor(const std::function<bool(const PgwireCounts&)>& condition) const;
  // Returns the texts of the last 1000 executed statements, in order.
  std::deque<std::string> statements() const;

 private:
  friend class PgwireSession;

  // The settings that sessions use; guarded by the mutex.
  struct Switches {
    std::string cockroach_version;
    std::function<std::string(std::string_view)> rewrite;
    std::list<PgwireFault> faults;
    bool stalled[2] = {false, false};
    std::chrono::milliseconds delay{0};
    size_t piece = 0;
  };

  void Serve();
  void Listen();
  void StopListening();
  void AcceptLocked();
  int Connect() const;
  void Change(const std::function<void()>& change);
  // Returns the fault for a statement and counts it; null if there is none.
  std::unique_ptr<PgwireFault> TakeFault(std::string_view sql);
  // Records a statement. `together` is its number since the last sync, from 1.
  void NoteStatement(std::string_view sql, int64_t together);

  const std::string server_path_;
  const int wake_fd_;
  int port_ = 0;
  int listener_ = -1;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Door door_ = Door::kOpen;
  bool ending_ = false;
  Switches switches_;
  PgwireCounts counts_;
  std::deque<std::string> statements_;
  std::list<std::unique_ptr<PgwireSession>> sessions_;
  std::list<int> held_;
  std::thread thread_;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_PGWIRE_PROXY_H_
