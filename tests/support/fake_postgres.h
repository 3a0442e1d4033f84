// A server that speaks PostgreSQL's protocol and answers what the test says, right or wrong.
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

// What a statement comes to. All texts are sent as they are, whatever their bytes.
struct FakeAnswer {
  struct Column {
    std::string name;
    uint32_t type = 25;  // text
  };
  // Nothing: SQL NULL.
  using Row = std::vector<std::optional<std::string>>;

  std::vector<uint32_t> parameters;
  std::vector<Column> columns;
  std::vector<Row> rows;
  // Called for further rows, from 0, until it has none.
  std::function<std::optional<Row>(int64_t number)> more;
  std::string tag = "SELECT 0";
  // Instead of all that: an error, when the statement is prepared, or when it is executed.
  std::string sqlstate;
  std::string message;
  bool fails_when_prepared = false;
  // Of that error: ERROR, as CockroachDB's always are, or FATAL.
  std::string severity = "ERROR";
  std::string hint;
  // In what state the session's transaction is afterwards ('I', 'T', 'E'), where BEGIN, COMMIT
  // and ROLLBACK do not tell.
  std::optional<char> state;
  // It is the last thing that the session says.
  bool then_close = false;
  // It takes so long, unless a cancel ends it before, with 57014.
  std::chrono::milliseconds takes{0};
};

// Listens on 127.0.0.1 from construction to destruction; each session has a thread. Thread-safe.
class FakePostgres {
 public:
  // Called for each statement that is described or executed, from threads of the server's.
  using Handler = std::function<FakeAnswer(std::string_view sql)>;

  explicit FakePostgres(Handler handler);
  ~FakePostgres();
  FakePostgres(const FakePostgres&) = delete;
  FakePostgres& operator=(const FakePostgres&) = delete;

  // "host=127.0.0.1 port=… user=… dbname=…"
  std::string connection_string() const;
  // What new sessions are told, beside what a sound server tells; "" takes one away.
  void Report(const std::string& name, const std::string& value);
  // The texts of all statements executed so far whose text has `part` in it.
  std::vector<std::string> executed(std::string_view part = "") const;
  // How many requests to cancel have come.
  int cancels() const;
  // So much later each of them is acted upon, when the connection that it came by has long been
  // closed: it ends whatever the session runs by then. 0: before it is closed.
  void DelayCancels(std::chrono::milliseconds delay);
  // So many sessions have begun.
  int sessions() const;

 private:
  class Session;

  void Accept();
  void Serve(int fd);
  void Note(std::string_view sql);
  uint32_t Begin();
  void Cancel(uint32_t session);
  // False: it was cancelled.
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
  // Those that run a statement, and whether it was cancelled.
  std::map<uint32_t, bool> running_;
  std::condition_variable changed_;
  std::list<int> sockets_;
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_FAKE_POSTGRES_H_
