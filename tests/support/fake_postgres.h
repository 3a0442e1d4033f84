// A fake server that speaks PostgreSQL's protocol and gives the answers, right or wrong, that a
// test sets.
#ifndef PENSTOCK_TESTS_SUPPORT_FAKE_POSTGRES_H_
#define PENSTOCK_TESTS_SUPPORT_FAKE_POSTGRES_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace penstock::testing {

// The answer to a statement. All texts are sent byte for byte.
struct FakeAnswer {
  struct Column {
    std::string name;
    uint32_t type = 25;  // text
  };
  // A missing value is NULL.
  using Row = std::vector<std::optional<std::string>>;

  std::vector<uint32_t> parameters;
  std::vector<Column> columns;
  std::vector<Row> rows;
  // If set, called for further rows with their number, from 0, until it returns nullopt.
  std::function<std::optional<Row>(int64_t number)> more;
  std::string tag = "SELECT 0";
  // If `sqlstate` is set, the answer is an error, either when the statement is prepared or
  // executed.
  std::string sqlstate;
  std::string message;
  bool fails_when_prepared = false;
  // The severity of that error: ERROR, as CockroachDB always has, or FATAL.
  std::string severity = "ERROR";
  std::string hint;
  // The state of the session's transaction afterwards ('I', 'T', 'E'), if it does not follow from
  // BEGIN, COMMIT and ROLLBACK.
  std::optional<char> state;
  // Closes the session after the answer.
  bool then_close = false;
  // How long the statement takes. A cancel ends it earlier, with 57014.
  std::chrono::milliseconds takes{0};
};

// Listens on 127.0.0.1 during its lifetime and serves each session on a thread. Thread-safe.
class FakePostgres {
 public:
  // Called on the server's threads for each statement that is described or executed.
  using Handler = std::function<FakeAnswer(std::string_view sql)>;

  explicit FakePostgres(Handler handler);
  ~FakePostgres();
  FakePostgres(const FakePostgres&) = delete;
  FakePostgres& operator=(const FakePostgres&) = delete;

  // Returns "host=127.0.0.1 port=… user=… dbname=…".
  std::string connection_string() const;
  // Reports a parameter to new sessions, in addition to the usual ones; an empty value removes it.
  void Report(const std::string& name, const std::string& value);
  // Returns the texts of all executed statements that contain `part`.
  std::vector<std::string> executed(std::string_view part = "") const;
  // Returns how many cancel requests have arrived.
  int cancels() const;
  // Delays each cancel: it takes effect when its connection has long been closed, on whatever the
  // session runs by then. With 0 it takes effect before its connection is closed.
  void DelayCancels(std::chrono::milliseconds delay);
  // Returns how many sessions have begun.
  int sessions() const;

 private:
  class Session;

  void Accept();
  void Serve(int fd);
  void Note(std::string_view sql);
  uint32_t Begin();
  void Cancel(uint32_t session);
  // Waits for `time`. Returns false if the session was cancelled.
  bool Take(uint32_t session, std::chrono::milliseconds time);
  std::map<std::string, std::string> reports() const;

  const Handler handler_;
  int listener_ = -1;
  int port_ = 0;

  mutable std::mutex mutex_;
  bool ending_ = false;
  std::map<std::string, std::string> reports_;
  std::vector<std::string> executed_;
  int cancels_ = 0;
  int sessions_ = 0;
  std::chrono::milliseconds cancel_delay_{0};
  // The sessions that run a statement, and whether each was cancelled.
  std::map<uint32_t, bool> running_;
  std::condition_variable changed_;
  std::list<int> sockets_;
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_FAKE_POSTGRES_H_
