// A proxy in front of a PostgreSQL server that can do what networks, servers
// and CockroachDB do, when the test says so.
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

// What happens to a statement when it is executed, by name, as text or simply.
struct PgwireFault {
  enum class Kind : uint8_t {
    // The server never executes it: it fails with `sqlstate`, and its transaction
    // with it. A COMMIT becomes a rollback.
    kRefuse,
    // The server executes it, and its answer is replaced by an error.
    kFailAfterwards,
    // The server executes it, and in place of the end of its segment, where it
    // has committed what is in no transaction, comes an error.
    kFailAtSync,
    // The server executes it, and commits if it is in no transaction; the client
    // never hears of it: the connection is cut.
    kLoseAnswer,
    // The connection is cut after `rows` rows of its result.
    kCutAfterRows,
  };
  Kind kind = Kind::kRefuse;
  // Of the statement's text.
  std::function<bool(std::string_view sql)> matches;
  std::string sqlstate;
  std::string message = "injected by the test";
  int64_t rows = 0;
  // After an error the server closes the connection (severity FATAL).
  bool then_cut = false;
  // How often; later statements that match are left alone.
  int times = 1;
};

// What has happened so far.
struct PgwireCounts {
  int64_t opened = 0;  // sessions that began
  int64_t open = 0;
  int64_t held = 0;      // connections that were accepted and get no answer
  int64_t cancels = 0;   // requests to cancel
  int64_t executed = 0;  // statements that were sent to be executed
  // The most that were executed between two syncs, which is one transaction.
  int64_t most_together = 0;
  int64_t faults = 0;  // faults that took place
};

// Listens on 127.0.0.1, and connects to a server's unix socket for each client.
// It serves on a thread of its own from construction to destruction. What is
// encrypted it could not read, so it refuses encryption. Thread-safe.
class PgwireProxy {
 public:
  enum class Door : uint8_t {
    kOpen,
    kClosed,  // connections are refused
    kMute,    // connections are accepted, and nothing is ever answered
  };
  enum class Direction : uint8_t { kToServer, kToClient };

  // `socket_folder`: where the server has its socket, for port 5432.
  explicit PgwireProxy(const std::string& socket_folder);
  ~PgwireProxy();
  PgwireProxy(const PgwireProxy&) = delete;
  PgwireProxy& operator=(const PgwireProxy&) = delete;

  int port() const { return port_; }
  // "host=127.0.0.1 port=… user=postgres dbname=…"
  std::string connection_string(const std::string& database) const;

  // New sessions are told that the server is a CockroachDB of this version. It is as unkind as
  // one, from then on: its errors are all of the severity ERROR and have neither position nor
  // table nor column, and it acts upon a cancel when the connection that asked for it has
  // long been closed.
  void ReportCockroach(const std::string& version);
  // Every statement's text is passed through this on its way to the server.
  void Rewrite(std::function<std::string(std::string_view sql)> rewrite);

  void SetDoor(Door door);
  void Inject(PgwireFault fault);
  void ClearFaults();
  // Nothing goes this way until Resume.
  void Stall(Direction direction);
  void Resume();
  // Nothing goes either way any more on the sessions that are open now; nor are
  // their ends told of each other's. Returns how many they are.
  int Freeze();
  // Each piece towards the client waits for so long. Zero: none does.
  void Delay(std::chrono::milliseconds delay);
  // So many bytes at a time, either way. 0: as many as there are.
  void Trickle(size_t bytes);
  // Closes both ends of all sessions.
  void Cut();
  // Does so with each session after it has sent so many bytes more to its client.
  void CutAfterBytes(size_t bytes);
  // Sends the error, unasked, to the sessions that are idle in no transaction, and
  // closes them. Returns how many they were.
  int EndIdleSessions(const std::string& sqlstate);

  PgwireCounts counts() const;
  // Waits until `condition` holds; false: it did not within 20 seconds.
  [[nodiscard]] bool WaitFor(const std::function<bool(const PgwireCounts&)>& condition) const;
  // The texts of the last 1000 statements executed, the latest one last.
  std::deque<std::string> statements() const;

 private:
  friend class PgwireSession;

  // What sessions look at; under the mutex.
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
  // The fault that is due for a statement, which it counts; null: none.
  std::unique_ptr<PgwireFault> TakeFault(std::string_view sql);
  // `together`: with how many others before it since the last sync, itself included.
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
