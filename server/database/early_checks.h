// Refuses statements that cannot be right before their turn comes.
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

// A caller that waits for the only writer of a database with a misspelt statement would hear of it
// only when the writer is free, or would hear that its time is up. So a connection that reads
// prepares each statement that has waited for a while, and its caller is told at once if that
// fails. Thread-safe.
class EarlyChecks {
 public:
  // Called on a worker thread or the ticker's, with a run and the ticket that it had. The run may
  // have been answered meanwhile, and be gone.
  using OnWrong = std::function<void(PendingRun* run, uint64_t ticket, const absl::Status& why)>;

  // `readers` outlives the object.
  EarlyChecks(StatementQueue* readers, OnWrong on_wrong);
  // Drops the checks under way; the database has stopped its thread pool before.
  ~EarlyChecks();
  EarlyChecks(const EarlyChecks&) = delete;
  EarlyChecks& operator=(const EarlyChecks&) = delete;

  class Check;
  // Copies what a check needs of a waiting run. Returns null if enough checks are under way.
  Check* Make(PendingRun* run, uint64_t ticket);
  // Sends the check to the readers. The caller holds no lock of a queue.
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
