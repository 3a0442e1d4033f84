// Statements that cannot be right are refused before their turn comes.
#ifndef PENSTOCK_SERVER_DATABASE_EARLY_CHECKS_H_
#define PENSTOCK_SERVER_DATABASE_EARLY_CHECKS_H_

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>

#include "absl/status/status.h"
#include "server/database/statement_queue.h"

namespace penstock::server {

// Who waits for the only writer of a database with a misspelt statement would be told so
// when the writer is free, or that its time is up. So what has waited for a while is
// prepared by a connection that reads, and is told at once if that fails. Thread-safe.
class EarlyChecks {
 public:
  // Told from a worker thread or the ticker's, for a run and the ticket that it had:
  // by then it may have been answered, and be gone.
  using OnWrong = std::function<void(PendingRun* run, uint64_t ticket, const absl::Status& why)>;

  // `readers` outlives the object.
  EarlyChecks(StatementQueue* readers, OnWrong on_wrong);
  // What is under way is dropped: the database's thread pool has been stopped by then.
  ~EarlyChecks();
  EarlyChecks(const EarlyChecks&) = delete;
  EarlyChecks& operator=(const EarlyChecks&) = delete;

  class Check;
  // Copies what it needs of a run that is waiting. Null: enough of them are under way.
  Check* Make(PendingRun* run, uint64_t ticket);
  // Sends it to the readers; not to be called with a lane's lock.
  void Start(Check* check);

 private:
  void OnChecked(Check* check);

  StatementQueue* const readers_;
  const OnWrong on_wrong_;
  std::mutex mutex_;
  std::list<std::unique_ptr<Check>> under_way_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_DATABASE_EARLY_CHECKS_H_
