// What a Migrate stream tells its client, in order.
#ifndef PENSTOCK_SERVER_RPC_MIGRATE_EVENTS_H_
#define PENSTOCK_SERVER_RPC_MIGRATE_EVENTS_H_

#include <deque>
#include <functional>
#include <mutex>
#include <optional>

#include "absl/status/status.h"
#include "penstock/v1/migration.pb.h"

namespace penstock::server {

// A queue in front of the stream, which takes one message at a time. Events come from
// the executor (steps), the ticker (progress) and, within a code step, from whoever
// answers. Thread-safe.
class MigrateEvents {
 public:
  // `write` starts the write of an event, whose end OnWritten is told. `broken` is
  // called, once and under the lock, when nothing can be written any more.
  MigrateEvents(std::function<absl::Status(const v1::MigrateResponse&)> write,
                std::function<void(const absl::Status&)> broken)
      : write_(std::move(write)), broken_(std::move(broken)) {}

  // False: nothing can be written any more. `is_answer`: Written::answered comes when
  // this and all before it have been written.
  bool Push(const v1::MigrateResponse& event, bool is_answer = false);

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
  void WriteNextLocked();

  const std::function<absl::Status(const v1::MigrateResponse&)> write_;
  const std::function<void(const absl::Status&)> broken_;

  std::mutex mutex_;
  std::deque<v1::MigrateResponse> events_;
  bool writing_ = false;
  bool has_answer_ = false;
  absl::Status error_;
  std::optional<absl::Status> finish_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_MIGRATE_EVENTS_H_
