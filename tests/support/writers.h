// Callers that write by every sort of call at once, and know what became of it.
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

// A thread for each sort of call. They write rows of the table `ids` and keys of the keyspace
// `keys` of one database.
class Writers {
 public:
  struct Options {
    std::string target = {};
    // Empty: the daemon's default.
    std::string database = {};
    // "sqlite", "postgres", "cockroachdb" or "pebble".
    std::string driver = {};
    // What ids begin with, where several write to one database.
    std::string prefix = {};
    // Of each call.
    absl::Duration limit = absl::Seconds(60);
    // Each sort of call also with a statement that takes some hundredth of a second.
    bool slow = true;
  };
  // A call with the id that it is given, or with several that begin with it.
  using Call = std::function<void(const std::string& id)>;

  explicit Writers(Options options);
  // Does what Stop does.
  ~Writers();
  Writers(const Writers&) = delete;
  Writers& operator=(const Writers&) = delete;

  // Makes the table.
  absl::Status Prepare();
  // Another sort of call, from the next Start on.
  void Add(const std::string& name, Call call);
  void Start();
  // Waits until each has done with its call.
  void Stop();

  const Account& account() const { return account_; }
  // For calls that were added: what the one with this id ended with.
  void Enter(const std::string& id, const absl::Status& status) { account_.Enter(id, status); }
  Provider& db() { return *db_; }
  Context Limited() const { return Context().WithTimeout(options_.limit); }
  const Options& options() const { return options_; }

  // How often each id is there; in a minute, whatever the limit of calls.
  absl::StatusOr<std::map<std::string, int>> There() const;
  // Removes what is there and forgets it. Nobody writes meanwhile.
  absl::Status Clear();
  // The calls that run for longer than their limit and so much more.
  std::vector<std::string> Overdue(absl::Duration more) const;
  // How many calls each thread has made.
  std::vector<int64_t> calls() const;

 private:
  struct Caller {
    std::string name;
    Call call;
    std::thread thread = {};
    std::atomic<int64_t> calls{0};
    // When its call began, in nanoseconds of the Unix epoch; 0: between calls.
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
