// What a call may be limited and accompanied by.
#ifndef PENSTOCK_CONTEXT_H_
#define PENSTOCK_CONTEXT_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace penstock {

namespace internal {
class Cancellation;
}

// A deadline, a way to cancel, a trace parent and a staleness: what a call may be told besides its
// statement. A default Context can be cancelled and has none of the others. What holds for more
// than one call is elsewhere, in TransactionOptions.
//
//   Context ctx = Context().WithTimeout(absl::Seconds(5));
//   std::thread([ctx] { WaitForCtrlC(); ctx.Cancel(); }).detach();
//   auto rows = db->Query(ctx, "SELECT id, name FROM users");
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

  // This context for reads of what the database held so long `ago`: cheaper, as nobody is waited
  // for and the nearest replica may answer. From a microsecond on, to the microsecond. It is for
  // Query of a Provider, QueryAll, QueryRow and the query builder's Fetch among these; anything
  // else that reads or writes with it (Exec, a prepared statement, a transaction, keys and values)
  // is refused with INVALID_ARGUMENT rather than done as of now. UNIMPLEMENTED where
  // PingInfo::staleness is false, INVALID_ARGUMENT for a statement that is not a SELECT, and on
  // CockroachDB an error for longer ago than its garbage collection keeps.
  [[nodiscard]] Context WithStaleness(absl::Duration ago) const;

  // InfiniteFuture when there is none.
  absl::Time deadline() const { return deadline_; }
  // Empty when there is none.
  const std::string& trace_parent() const { return trace_parent_; }
  // None: reads what the database holds now.
  const std::optional<absl::Duration>& staleness() const { return staleness_; }

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
  std::optional<absl::Duration> staleness_;
};

}  // namespace penstock

#endif  // PENSTOCK_CONTEXT_H_
