// Runs one command after another over a Link: waits for its results and cancels it in time.
#ifndef PENSTOCK_DRIVERS_POSTGRES_COMMAND_RUNNER_H_
#define PENSTOCK_DRIVERS_POSTGRES_COMMAND_RUNNER_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/deadline.h"
#include "drivers/api/driver.h"
#include "drivers/postgres/flavor.h"
#include "drivers/postgres/link.h"
#include "drivers/postgres/options.h"

namespace penstock::postgres {

// Begins a transaction in which the server refuses to write.
inline constexpr char kBeginReadOnly[] = "BEGIN READ ONLY";

// Knows when a command has to end: at its deadline, or when its caller cancels it. As long as
// it lives, a cancel wakes the link.
class CommandWatch final : driver::Cancellation::Listener {
 public:
  // `link` and `cancellation`, which may be null, outlive the watch.
  CommandWatch(Link* link, const driver::Deadline& deadline, driver::Cancellation* cancellation);
  ~CommandWatch();
  CommandWatch(const CommandWatch&) = delete;
  CommandWatch& operator=(const CommandWatch&) = delete;

  // Says why the command has to end; OK: it may go on.
  absl::Status Interruption() const;
  driver::TimePoint until() const { return deadline_.at; }
  bool cancelled() const { return cancellation_ != nullptr && cancellation_->cancelled(); }

 private:
  void OnCancel() override { link_->Wake(); }

  Link* const link_;
  const driver::Deadline deadline_;
  driver::Cancellation* const cancellation_;
};

// Knows when one of the commands in a segment has to end. They end together: the server tells
// nothing of the first before it has come to the last.
class SegmentWatch {
 public:
  // `watch` outlives the segment's.
  void Add(const CommandWatch* watch);

  // Says why one of them has to end; OK: all may go on. Reads the clock once, and again for each
  // of them only when the time of one is up. It costs a look at each of them, so whoever has many
  // commands asks once for all of them, and then when the link is woken or the time is up.
  absl::Status Interruption() const;
  // The earliest deadline of all of them.
  driver::TimePoint until() const { return until_; }

 private:
  std::vector<const CommandWatch*> watches_;
  driver::TimePoint until_ = driver::TimePoint::max();
};

// One command on its way, and what has come of it so far.
struct PendingCommand {
  explicit PendingCommand(const CommandWatch* its_watch)
      : watch(its_watch), until(its_watch->until()) {}
  // Says why the command, or another one of its segment, has to end; OK: it may go on.
  absl::Status Interruption() const {
    return segment != nullptr ? segment->Interruption() : watch->Interruption();
  }
  // The command shares a segment, which outlives it.
  void Share(const SegmentWatch* its_segment) {
    segment = its_segment;
    until = its_segment->until();
  }

  const CommandWatch* watch;
  // Null: the command has a segment to itself.
  const SegmentWatch* segment = nullptr;
  // The deadline: the earliest of its segment.
  driver::TimePoint until;
  // False: another command follows before the sync.
  bool ends_with_sync = true;
  // Counts the executions that have succeeded.
  size_t done = 0;
  // Counts the results that were asked for, so that the time is looked at now and then.
  size_t results = 0;
  // The server has not run it, because one before it in its segment has failed.
  bool skipped = false;
  // Rows were thrown away, so that it cannot end well any more.
  bool rows_dropped = false;
  // Set once the server has been asked to cancel the command.
  absl::Status interruption;
  driver::TimePoint give_up = driver::TimePoint::max();
  driver::TimePoint cancel_again = driver::TimePoint::max();
  std::chrono::milliseconds cancel_pause{50};
};

// Owns the link. Used by one thread at a time.
class CommandRunner {
 public:
  // `options` and `flavor` outlive the runner.
  CommandRunner(const Options& options, const Flavor& flavor, std::unique_ptr<Link> link);

  Link& link() const { return *link_; }
  // True: commands can still be sent.
  bool linked() const { return !link_->broken(); }
  // True: the open transaction takes nothing but a rollback any more, as of the last sync.
  bool transaction_aborted() const {
    return link_->broken() || link_->transaction() == Link::Transaction::kFailed;
  }

  // Waits for the next result of `command`, which is cancelled when its time is up. Fails when
  // the link breaks, or is broken here because the server does not react to the cancel.
  absl::StatusOr<Result> Next(PendingCommand* command);
  // Has the server cancel the command, which then ends with `why`; OK: nothing happens.
  void Interrupt(PendingCommand* command, absl::Status why);
  // To be called at the sync that ends the segment of `command`: waits until its cancel can hit
  // nothing that is sent later, and breaks the link if that takes too long.
  void SettleCancel(const PendingCommand& command);

  // Takes the results of one command, behind which others follow in its segment, and returns its
  // error. If it has failed, the server skips the others.
  absl::Status FinishCommand(PendingCommand* command);
  // Does so for `count` commands, and returns the first error.
  absl::Status FinishCommands(PendingCommand* command, int count);
  // Takes what is left of a segment, up to its sync, and returns the first error in it.
  // `visit`, if not null, is shown each row and each end of a command; after a first RowByRow
  // the rows come one by one. If it returns false the link is broken, because what the server
  // sends is not to be believed.
  using Visit = std::function<bool(const Result&)>;
  absl::Status FinishSegment(PendingCommand* command, const Visit& visit = nullptr);

  // The error that `result` is, for the statement `sql`. The values of the parameters of `run`,
  // if it is not null, are left out of it.
  absl::Status Failure(const Result& result, const PendingCommand& command,
                       std::string_view sql = {}, const driver::StatementRun* run = nullptr) const;

  // Runs a statement of the driver's own; without a watch it has ControlLimit.
  absl::Status Control(const std::string& sql, const CommandWatch& watch);
  absl::Status Control(const std::string& sql);
  static driver::Deadline ControlLimit();

  // Queues a statement of the driver's own whose outcome does not matter, with a sync of its
  // own. Returns the number of segments that TakeAhead has to take for it, which is 1.
  int SendAhead(const std::string& sql);
  void TakeAhead(int segments, const CommandWatch& watch);

  // How often a command is tried that cancels of others hit.
  static constexpr int kMostCancels = 3;
  // A cancel that was meant for another command has ended this one, and nobody has asked for
  // that. Only CockroachDB does so, whose cancels come late. Outside a transaction the command
  // had no effect.
  bool HitByCancel(const absl::Status& status) const;
  // Nobody else is to have the session: a late cancel may still hit whatever runs in it.
  bool closing() const;
  // The error of a commit whose answer was lost with the link.
  absl::Status OutcomeUnknown() const;

 private:
  // Looks at the time although results keep coming, so that nobody waits and is told of it.
  // False: the server does not react to the cancel, and the link is broken.
  bool LookAtTime(PendingCommand* command);
  // To be called when a wait has ended without a result. False: as LookAtTime.
  bool KeepWaiting(PendingCommand* command);

  const Options& options_;
  const Flavor& flavor_;
  const std::unique_ptr<Link> link_;
};

// The error of a write or commit that failed with `why` and may have been done all the same.
absl::Status OutcomeUnknown(const absl::Status& why);
// The error of a transaction in which HitByCancel was true: it has to be run again.
absl::Status CancelledByChance(const absl::Status& status);

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_COMMAND_RUNNER_H_
