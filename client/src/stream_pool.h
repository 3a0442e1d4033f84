// Streams that wait for their next use.
#ifndef PENSTOCK_CLIENT_SRC_STREAM_POOL_H_
#define PENSTOCK_CLIENT_SRC_STREAM_POOL_H_

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace penstock::internal {

// Thread-safe.
template <typename Stream>
class StreamPool {
 public:
  // A stream that lives, as far as can be known; null if there is none.
  std::unique_ptr<Stream> Take() {
    for (;;) {
      std::unique_ptr<Stream> stream;
      {
        const std::lock_guard lock(mutex_);
        if (idle_.empty()) return nullptr;
        // The one used last: the others can be found idle.
        stream = std::move(idle_.back());
        idle_.pop_back();
      }
      if (stream->Alive()) return stream;
    }
  }

  // Takes a stream back that is between two uses.
  void Give(std::unique_ptr<Stream> stream) {
    stream->Leave();
    const std::lock_guard lock(mutex_);
    if (open_ && idle_.size() < kMaxIdle) idle_.push_back(std::move(stream));
  }

  // Ends idle streams, and those given back later.
  void Close() {
    std::vector<std::unique_ptr<Stream>> ended;
    const std::lock_guard lock(mutex_);
    open_ = false;
    ended.swap(idle_);
  }

 private:
  // As many as there are callers at once in all but unusual programs; each costs
  // the daemon a few kilobytes.
  static constexpr size_t kMaxIdle = 64;

  std::mutex mutex_;
  bool open_ = true;
  std::vector<std::unique_ptr<Stream>> idle_;
};

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_STREAM_POOL_H_
