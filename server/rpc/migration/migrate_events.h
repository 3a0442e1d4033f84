// The messages of a Migrate stream to its client, in order.
#ifndef PENSTOCK_SERVER_RPC_MIGRATION_MIGRATE_EVENTS_H_
#define PENSTOCK_SERVER_RPC_MIGRATION_MIGRATE_EVENTS_H_

#include <deque>
#include <functional>
#include <mutex>
#include <optional>

#include "absl/status/status.h"
#include "penstock/v1/migration.pb.h"

namespace penstock::server {

// A queue in front of the stream, which takes one message at a time. Events come from worker
// threads (steps), the ticker (progress) and, within a code step, from the thread that answers.
// Thread-safe.
class MigrateEvents {
 public:
  // Starts the write of an event, whose end OnWritten learns. With `more` another one follows at
  // once, so that this one need not be sent alone.
  using WriteEvent = std::function<absl::Status(const v1::MigrateResponse&, bool more)>;

  // `broken` is called, once and under the lock, when nothing can be written any more.
  MigrateEvents(WriteEvent write, std::function<void(const absl::Status&)> broken)
      : write_(std::move(write)), broken_(std::move(broken)) {}

  // Returns false if nothing can be written any more. With `is_answer`, Written::answered comes
  // when this event and all before it have been written.
  bool Push(const v1::MigrateResponse& event, bool is_answer = false);

  // Queues an event like Push, but sends it only with the next Push or Flush: a thousand small
  // steps would otherwise send two thousand messages, each of which wakes the client.
  void Hold(const v1::MigrateResponse& event);
  // Sends what is held. To be called regularly.
  void Flush();

  // The work that is left after a write.
  struct Written {
    // The last event was written, and the call ends with this.
    std::optional<absl::Status> finish;
    // The event that was pushed with `is_answer` was written, or never will be (`failed`).
    bool answered = false;
    bool failed = false;
  };
  Written OnWritten(bool ok);

  // Nothing is pushed any more. Returns the status with which the call ends, if it can end now;
  // otherwise OnWritten returns it. A failed write takes precedence over `status`.
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
