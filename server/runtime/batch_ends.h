// What is done once when a whole batch of statements has been answered.
#ifndef PENSTOCK_SERVER_RUNTIME_BATCH_ENDS_H_
#define PENSTOCK_SERVER_RUNTIME_BATCH_ENDS_H_

#include <vector>

namespace penstock::server {

// Is told when the batch ends in which it was deferred.
class AtBatchEnd {
 public:
  virtual void OnBatchEnd() = 0;

 protected:
  ~AtBatchEnd() = default;
};

// Lasts as long as one thread answers a batch, so that those who get several of the answers may
// pass them on together. One within another has no effect of its own. Belongs to its thread.
class BatchEnds {
 public:
  BatchEnds();
  // Tells each that was deferred.
  ~BatchEnds();
  BatchEnds(const BatchEnds&) = delete;
  BatchEnds& operator=(const BatchEnds&) = delete;

  // Returns the one of the batch that this thread answers, or null.
  static BatchEnds* Current() { return current_; }
  // Lets `who`, who stays alive until then, be told at the end. Returns false if that was to be
  // done already.
  bool Defer(AtBatchEnd* who);

 private:
  static thread_local BatchEnds* current_;
  std::vector<AtBatchEnd*> deferred_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RUNTIME_BATCH_ENDS_H_
