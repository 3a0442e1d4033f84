// What goes with a call: deadline, cancellation, trace parent, staleness and settings.
#ifndef PENSTOCK_CONTEXT_H_
#define PENSTOCK_CONTEXT_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace penstock {

namespace internal {
class Cancellation;
}

// Carries a deadline, a cancellation, a trace parent, a staleness and settings of the session to a
// call. A default Context can be cancelled and has none of the others. Options of a whole
// transaction are in TransactionOptions.
//
//   Context ctx = Context().WithTimeout(absl::Seconds(5));
//   std::thread([ctx] { WaitForCtrlC(); ctx.Cancel(); }).detach();
//   auto rows = db->Query(ctx, "SELECT id, name FROM users");
//
// Copies share one cancellation: Cancel on any of them cancels the calls of all of them. A
// context made by a With function has its own: it is cancelled together with the context that it
// was made from, but cancelling it does not cancel that one. Cheap to copy.
// Thread-safe, except that a Context must not be assigned to while it is in use.
class Context {
 public:
  Context();

  // Returns a copy with this deadline, or its earlier one. A call that is not done by the deadline
  // fails with DEADLINE_EXCEEDED. The daemon is told how much time is left and stops the statement
  // itself.
  [[nodiscard]] Context WithDeadline(absl::Time deadline) const;

  // Does the same with a deadline that is `timeout` from now.
  [[nodiscard]] Context WithTimeout(absl::Duration timeout) const;

  // Returns a copy with the content of a W3C `traceparent` header, which each call carries to the
  // daemon. What has a stream to itself (a transaction, a batch, a request of more than 60 KiB, and
  // everything with a daemon that is older than the Pipeline call) sends it when it opens the
  // stream, and a call that reuses an open stream cannot send another. Therefore such an Exec with
  // a trace parent always opens its own stream, and such runs of a Statement belong to the trace of
  // the run that opened their stream.
  [[nodiscard]] Context WithTraceParent(std::string_view trace_parent) const;

  // Returns a copy for reading what the database held `ago`, in microseconds, at least one. Such a
  // read is cheaper, because it waits for nobody and the nearest replica may answer it. It applies
  // to Query, QueryAll and QueryRow of a Provider and to the query builder's Fetch functions on
  // one. Every other call that reads or writes (Exec, a prepared statement, a transaction,
  // key-value operations) refuses such a context with INVALID_ARGUMENT. Errors: UNIMPLEMENTED if
  // PingInfo::staleness is false, INVALID_ARGUMENT if the statement is not a SELECT, and on
  // CockroachDB an error if `ago` is longer than garbage collection keeps old values.
  [[nodiscard]] Context WithStaleness(absl::Duration ago) const;

  // Returns a copy with this setting of the database's session, in place of another one of that
  // name: the statement reads it with current_setting('app.user', true). It is that of the
  // statements of this context alone; none of it is there for another one. It applies to statements
  // and prepared statements, and to a transaction from its beginning to its end. A context for a
  // step of a transaction has the settings that the transaction began with, or none, and is refused
  // with INVALID_ARGUMENT otherwise; so is one with settings for key-value operations outside of a
  // transaction and for migrations. Errors: UNIMPLEMENTED if PingInfo::settings is false,
  // PERMISSION_DENIED if the daemon's configuration does not allow the name, INVALID_ARGUMENT and
  // RESOURCE_EXHAUSTED if the value is not UTF-8, has a NUL or more than 16 KiB.
  [[nodiscard]] Context WithSetting(std::string_view name, std::string_view value) const;

  // InfiniteFuture if there is none.
  absl::Time deadline() const { return deadline_; }
  // Empty if there is none.
  const std::string& trace_parent() const { return trace_parent_; }
  // nullopt means that the current content is read.
  const std::optional<absl::Duration>& staleness() const { return staleness_; }
  // By name.
  const std::map<std::string, std::string>& settings() const;

  // Ends the running calls and every later one with CANCELLED. It cannot be taken back. A request
  // that was already sent may have taken effect: see IsCommitOutcomeUnknown.
  void Cancel() const;
  bool cancelled() const;

  // Used by the implementation of this library only.
  internal::Cancellation* cancellation() const { return cancellation_.get(); }

 private:
  // Returns a copy whose cancellation is a child of this one's.
  Context Child() const;

  std::shared_ptr<internal::Cancellation> cancellation_;
  absl::Time deadline_ = absl::InfiniteFuture();
  std::string trace_parent_;
  std::optional<absl::Duration> staleness_;
  // Null if there are none.
  std::shared_ptr<const std::map<std::string, std::string>> settings_;
};

}  // namespace penstock

#endif  // PENSTOCK_CONTEXT_H_
