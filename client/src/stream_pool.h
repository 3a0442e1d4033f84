// The idle streams of one prepared Statement, or of ExecRunner.
#ifndef PENSTOCK_CLIENT_SRC_STREAM_POOL_H_
#define PENSTOCK_CLIENT_SRC_STREAM_POOL_H_

#include <atomic>
#include <memory>
#include <utility>

#include "client/src/idle_streams.h"

namespace penstock::internal {

// Thread-safe.
template <typename Stream>
class StreamPool {
 public:
  explicit StreamPool(std::shared_ptr<IdleStreams> idle) : idle_(std::move(idle)) {}
  ~StreamPool() { Close(); }
  StreamPool(const StreamPool&) = delete;
  StreamPool& operator=(const StreamPool&) = delete;

  // Returns a stream that is alive (see Stream::Alive), or null.
  std::unique_ptr<Stream> Take() {
    while (std::unique_ptr<IdleStream> idle = idle_->Take(this)) {
      std::unique_ptr<Stream> stream(static_cast<Stream*>(idle.release()));
      if (stream->Alive()) return stream;
    }
    return nullptr;
  }

  // Takes back a stream that is between two uses.
  void Give(std::unique_ptr<Stream> stream) {
    stream->Leave();
    if (open_) idle_->Give(this, std::move(stream));
    // Close may have been called meanwhile.
    if (!open_) idle_->End(this);
  }

  // Ends the idle streams, and those that are given back later.
  void Close() {
    open_ = false;
    idle_->End(this);
  }

 private:
  const std::shared_ptr<IdleStreams> idle_;
  std::atomic<bool> open_{true};
};

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_STREAM_POOL_H_
