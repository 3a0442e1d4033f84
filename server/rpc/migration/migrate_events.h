// What a Migrate stream tells its client, in order.
#ifndef PENSTOCK_SERVER_RPC_MIGRATION_MIGRATE_EVENTS_H_
#define PENSTOCK_SERVER_RPC_MIGRATION_MIGRATE_EVENTS_H_

#include <deque>
#include <functional>
#include <mutex>
#include <optional>

#include "absl/status/status.h"
#include "penstock/v1/migration.pb.h"

namespace penstock::server {

// A queue in front of the stream, which takes one message at a time. Events come from
// the thread pool (steps), the ticker (progress) and, within a code step, from whoever
// answers. Thread-safe.
class MigrateEvents {
 public:
  // Starts the write of an event, whose end OnWritten is told; `more`: another one
  // follows at once, so that this one need not be sent alone.
  using WriteEvent = std::function<absl::Status(const v1::MigrateResponse&, bool more)>;

  // `broken` is called, once and under the lock, when nothing can be written any more.
  MigrateEvents(WriteEvent write, std::function<void(const absl::Status&)> broken)
      : write_(std::move(write)), broken_(std::move(broken)) {}

  // False: nothing can be written any more. `is_answer`: Written::answered comes when
  // this and all before it have been written.
  bool Push(const v1::MigrateResponse& event, bool is_answer = false);

  // As Push, but it is not sent before the next Push or Flush: a thousand small steps
  // would otherwise send two thousand messages, each of which wakes the client.
  void Hold(const v1::MigrateResponse& event);
  // Sends what is held. To be called regularly.
  void Flush();

  // What there is to do after a write.
  struct Written {
    // The last event has gone: the call ends with this.
    std::optional<absl::Status> finish;
    // What was pushed with `is_answer` has gone, or never will (`failed`).
    bool answered = false;
    bool failed = false;
  };
  Written OnWritten(bool ok);

  // Nothing is pushed any more. What the call ends with, if it can end now; otherwise
  // OnWritten says so. A failed write goes before `status`.
  std::optional<absl::Status> End(const absl::Status& status);

 private:
  // Everything that is queued is to be written now.
  void StartLocked();
  void WriteNextLocked();
  void Clear();

  const WriteEvent write_;
  const std::function<void(const absl::Status&)> broken_;

  std::mutex mutex_;
  std::deque<v1::MigrateResponse> events_;
  size_t due_ = 0;  // so many of them, from the front, are not held
  bool writing_ = false;
  bool has_answer_ = false;
  absl::Status error_;
  std::optional<absl::Status> finish_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_MIGRATION_MIGRATE_EVENTS_H_
