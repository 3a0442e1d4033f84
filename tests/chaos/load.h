// Callers that read and write all the time and keep account of what they were told.
#ifndef PENSTOCK_TESTS_CHAOS_LOAD_H_
#define PENSTOCK_TESTS_CHAOS_LOAD_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "penstock/penstock.h"

namespace penstock::testing {

// The writers write rows of the table `load (id bigint, part integer)`, which has no
// key, so that what is written twice is seen: one row of part 0 for a statement by
// itself, parts 1 and 2 for a transaction. A failure that may be retried is, with
// the same id.
class Load {
 public:
  explicit Load(const std::string& target);
  // Ends it.
  ~Load();

  // Every caller ends its call and comes back.
  void Stop();

  // Calls that have ended well.
  int64_t succeeded() const { return succeeded_; }
  // Of ids whose writing was acknowledged, and of those where nobody knows. After Stop.
  const std::set<int64_t>& acknowledged() const { return acknowledged_; }
  const std::set<int64_t>& unknown() const { return unknown_; }
  // Answers that were wrong, and failures that no restart explains. After Stop.
  const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  void Start(std::function<void()> call);
  void ReadMany();
  void ReadOne();
  void Write(bool in_transaction);
  absl::Status WriteOnce(const Context& ctx, int64_t id, bool in_transaction);
  // One that a restart explains: the server was away.
  static bool Expected(const absl::Status& status);
  void Complain(const std::string& what);

  const std::unique_ptr<Provider> db_;
  std::atomic<bool> stopping_{false};
  std::atomic<int64_t> succeeded_{0};
  std::atomic<int64_t> next_id_{1};
  std::mutex mutex_;
  std::set<int64_t> acknowledged_;
  std::set<int64_t> unknown_;
  std::vector<std::string> complaints_;
  std::vector<std::thread> callers_;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_CHAOS_LOAD_H_
