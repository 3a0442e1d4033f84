// Keeps the idle streams of everything that a Provider makes.
#ifndef PENSTOCK_CLIENT_SRC_IDLE_STREAMS_H_
#define PENSTOCK_CLIENT_SRC_IDLE_STREAMS_H_

#include <sys/types.h>
#include <unistd.h>

#include <condition_variable>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

#include "absl/time/time.h"

namespace penstock::internal {

// A stream between two uses. It occupies a session of the daemon; destroying it ends it.
class IdleStream {
 public:
  virtual ~IdleStream() = default;
};

// Keeps a bounded number of idle streams for a bounded time. Thread-safe. In a fork of the process
// that made it, it does nothing and ends no stream (see Channel::forked).
class IdleStreams {
 public:
  // More than the number of concurrent callers in all but unusual programs. Each stream costs the
  // daemon a session and a few kilobytes.
  static constexpr size_t kMost = 64;
  static constexpr absl::Duration kAge = absl::Seconds(30);

  explicit IdleStreams(size_t most = kMost, absl::Duration age = kAge) : most_(most), age_(age) {}
  ~IdleStreams();
  IdleStreams(const IdleStreams&) = delete;
  IdleStreams& operator=(const IdleStreams&) = delete;

  // Keeps `stream` for `owner`. If there are too many, ends the one that has waited longest.
  void Give(const void* owner, std::unique_ptr<IdleStream> stream);
  // Returns the stream of `owner` that was used last, so that the others become old and end; null
  // if there is none.
  std::unique_ptr<IdleStream> Take(const void* owner);
  // Ends the streams of `owner`.
  void End(const void* owner);
  void EndAll();
  size_t size() const;

 private:
  struct Entry {
    const void* owner;
    std::unique_ptr<IdleStream> stream;
    absl::Time since;
  };
  using Entries = std::list<Entry>;

  // Ends the streams that have waited too long. Runs in a thread of its own.
  void Age();

  bool forked() const;

  const pid_t pid_ = getpid();
  const size_t most_;
  const absl::Duration age_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;
  // Ordered by the time of waiting, the longest first.
  Entries entries_;
  // Started by the first Give.
  std::thread ager_;
};

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_IDLE_STREAMS_H_
