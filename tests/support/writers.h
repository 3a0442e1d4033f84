// Callers that write concurrently with every kind of call, and record what became of the writes.
#ifndef PENSTOCK_TESTS_SUPPORT_WRITERS_H_
#define PENSTOCK_TESTS_SUPPORT_WRITERS_H_

#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "penstock/penstock.h"
#include "tests/support/account.h"

namespace penstock::testing {

// Runs one thread for each kind of call. They write rows of the table `ids` and keys of the
// keyspace `keys` of one database.
class Writers {
 public:
  struct Options {
    std::string target = {};
    // Empty means the daemon's default.
    std::string database = {};
    // "sqlite", "postgres", "cockroachdb" or "pebble".
    std::string driver = {};
    // The prefix of the ids, if several Writers write to one database.
    std::string prefix = {};
    // The time limit of each call.
    absl::Duration limit = absl::Seconds(60);
    // True if each kind of call is also made with a statement that takes a few hundredths of a
    // second.
    bool slow = true;
  };
  // Makes a call that writes the id, or several ids that begin with it.
  using Call = std::function<void(const std::string& id)>;

  explicit Writers(Options options);
  // Calls Stop.
  ~Writers();
  Writers(const Writers&) = delete;
  Writers& operator=(const Writers&) = delete;

  // Creates the table.
  absl::Status Prepare();
  // Adds another kind of call, which begins with the next Start.
  void Add(const std::string& name, Call call);
  void Start();
  // Waits until each thread has finished its call.
  void Stop();

  const Account& account() const { return account_; }
  // Records the result for an id; for calls that were added.
  void Enter(const std::string& id, const absl::Status& status) { account_.Enter(id, status); }
  Provider& db() { return *db_; }
  Context Limited() const { return Context().WithTimeout(options_.limit); }
  const Options& options() const { return options_; }

  // Returns how many times each id exists. Takes up to a minute, whatever the limit of calls is.
  absl::StatusOr<std::map<std::string, int>> There() const;
  // Deletes all ids and the record of them. Nobody may write meanwhile.
  absl::Status Clear();
  // Returns the calls that have exceeded their limit by `more`.
  std::vector<std::string> Overdue(absl::Duration more) const;
  // Returns how many calls each thread has made.
  std::vector<int64_t> calls() const;

 private:
  struct Caller {
    std::string name;
    Call call;
    std::thread thread = {};
    std::atomic<int64_t> calls{0};
    // When the current call began, in nanoseconds since the Unix epoch; 0 between calls.
    std::atomic<int64_t> since{0};
  };

  void AddCalls(const std::string& insert);
  void Run(Caller* caller);

  const Options options_;
  std::unique_ptr<Provider> db_;
  Account account_;
  std::list<Caller> callers_;
  std::atomic<bool> stopping_{false};
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_WRITERS_H_
