// What a call may be limited and accompanied by.
#ifndef PENSTOCK_CONTEXT_H_
#define PENSTOCK_CONTEXT_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace penstock {

namespace internal {
class Cancellation;
}

// A deadline, a way to cancel, and a trace parent. A default Context has none
// of the first and the last.
//
//   Context ctx = Context().WithTimeout(absl::Seconds(5));
//   std::thread([ctx] { WaitForCtrlC(); ctx.Cancel(); });
//   auto rows = db->Query(ctx, …);
//
// Copies share one cancellation: Cancel on any of them cancels the calls of all of them. A
// context made by a With function has one of its own: it is cancelled with the context that it
// was made from, and cancelling it leaves that one alone. Cheap to copy.
// Thread-safe, except that one must not be assigned to while it is in use.
class Context {
 public:
  Context();

  // This context with a deadline; the earlier of the two, if it had one. A call
  // that is not done by then fails with DEADLINE_EXCEEDED; the daemon is told
  // the time that is left and stops the statement itself.
  [[nodiscard]] Context WithDeadline(absl::Time deadline) const;

  // The same, with the deadline `timeout` from now.
  [[nodiscard]] Context WithTimeout(absl::Duration timeout) const;

  // This context with the content of a W3C `traceparent` header. It is sent when
  // a call opens a stream to the daemon. A call that reuses an open one cannot
  // send its own, so an Exec with a trace parent never does, and the
  // runs of a Statement belong to the trace of the run that opened their stream.
  [[nodiscard]] Context WithTraceParent(std::string_view trace_parent) const;

  // InfiniteFuture when there is none.
  absl::Time deadline() const { return deadline_; }
  // Empty when there is none.
  const std::string& trace_parent() const { return trace_parent_; }

  // Ends running calls, and every later one, with CANCELLED. For good. What was sent may
  // have been done already: see IsCommitOutcomeUnknown.
  void Cancel() const;
  bool cancelled() const;

  // For the implementation of this library.
  internal::Cancellation* cancellation() const { return cancellation_.get(); }

 private:
  // The same limits, with a cancellation below that of this one.
  Context Child() const;

  std::shared_ptr<internal::Cancellation> cancellation_;
  absl::Time deadline_ = absl::InfiniteFuture();
  std::string trace_parent_;
};

}  // namespace penstock

#endif  // PENSTOCK_CONTEXT_H_
