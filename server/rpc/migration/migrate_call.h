// Migrate: one run of a database's migrations, and a report of it.
//
//   reading (requests) -> queued (other calls of this daemon) -> acquiring (a
//   connection) -> running (thread pool): lock -> plan -> step … -> ending
//                     \-> pausing (another daemon has the lock) -> acquiring
//
// A call that waits does so without a thread and without a connection: the ticker moves it on. Each
// unit of work (a lock attempt, the plan, a step or a few short ones) is a task of its own on the
// database's thread pool.
//
// state_ says who owns the call. While it is kReading, kAcquiring or kAnswering an operation of
// gRPC or of the pool is outstanding, while it is kRunning or kEnding the one task is, and their
// ends own the call. The ticker alone owns a call that is kQueued or kPausing; a drain cancels it.
// A request and the ticker may both want a call that is kCoding: they move it on by
// compare-and-swap, and the one that succeeds owns it. The owner alone touches the other members,
// except progress_ and events_, which the ticker reads and sends meanwhile.
//
// A lock, a transaction and a turn that were taken are given back by RunEnd, on a worker thread,
// however the call ends.
//
// migrate_call.cc has the moves from one state to the next,
// migrate_work.cc the units of work, migrate_code.cc the code step.
#ifndef PENSTOCK_SERVER_RPC_MIGRATION_MIGRATE_CALL_H_
#define PENSTOCK_SERVER_RPC_MIGRATION_MIGRATE_CALL_H_

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "server/auth/principal.h"
#include "server/database/migration_run.h"
#include "server/database/transaction.h"
#include "server/rpc/base/call.h"
#include "server/rpc/base/call_task.h"
#include "server/rpc/base/calls.h"
#include "server/rpc/base/lease_request.h"
#include "server/rpc/database/transaction_steps.h"
#include "server/rpc/migration/migrate_events.h"
#include "server/rpc/migration/migrate_intake.h"
#include "server/rpc/migration/step_progress.h"

namespace penstock::server {

// Owns itself.
class MigrateCall final : public BidiCall {
 public:
  MigrateCall(const RpcContext& context, const CallSource& source);

  void Tick(TimePoint now) override;
  void Drain(bool now) override;

 private:
  enum class State : uint8_t {
    kReading,    // a read is outstanding
    kQueued,     // waits while another migration of this daemon has its turn
    kPausing,    // waits because another daemon had the lock
    kAcquiring,  // waits for a connection
    kRunning,    // a worker's task is queued or running
    kCoding,     // a read is outstanding in a code step
    kAnswering,  // a part of an answer is being written in a code step
    kEnding,     // the last task is queued or running, or the call is finished
  };
  // The next work of the task.
  enum class Work : uint8_t {
    kPrepare,
    kAcquire,
    kLock,
    kPlan,
    kStep,
    kCode,
    kFetch,
    kCodeDone,
    kRecord,
    kStatus,
    kEnd
  };

  // Call.
  void OnStart() override { StartRead(); }
  void OnRead(bool ok) override;
  void OnWritten(bool ok) override;
  void DoWrite(const grpc::ByteBuffer& bytes, void* tag) override;
  void OnCancelled() override;

  // Enqueues the work. The caller owns the call.
  void Do(Work work);
  void End(absl::Status status);
  // For the ticker's thread, which owns a call that waits.
  void TickWaiting(State state, TimePoint now);
  bool TakeTurn();

  void Acquire();
  void OnLease(const absl::Status& status);

  // On a worker thread.
  void Run();
  absl::Status RunWork();
  absl::Status RunPrepare();
  absl::Status RunLock();
  absl::Status RunPlan();
  // Runs steps for kStepsTogether; the others are a task of their own.
  absl::Status RunSteps();
  void BeginStep();
  absl::Status RunStep();
  absl::Status EndStep(const absl::Status& status);
  // Goes on after a step: with the next one, or to the end.
  absl::Status GoOn();
  absl::Status RunRecord();
  absl::Status RunStatus();
  absl::Status Succeed(int32_t steps, const std::vector<migrations::HistoryRow>& rows);
  void RunEnd();

  // A code step.
  absl::Status RunBeginCode();
  void ReadCode();
  // For the ticker's thread.
  void EndCoding();
  // A request of a code step has come.
  void OnCode(bool ok);
  void RunCode();
  void RunFetch();
  // Sends the next part of the answer, or goes on after the last; on a worker thread, or after a
  // write.
  void Answer();
  absl::Status RunCodeDone();
  // Gives the connection back to the migration.
  void GiveUpCode();

  std::atomic<State> state_{State::kReading};
  Work work_ = Work::kPrepare;
  CallTask task_{this, [this] { Run(); }, Task::Kind::kBlocking};
  LeaseRequest lease_request_{this, &cancellation_,
                              [this](const absl::Status& status) { OnLease(status); }};
  absl::Status end_status_;

  MigrateIntake intake_;
  RequestMemory::Share files_share_;
  Database* database_ = nullptr;  // set by start
  bool dry_run_ = false;
  bool has_turn_ = false;
  TimePoint waiting_since_;
  TimePoint lock_until_;
  TimePoint pause_until_;
  std::unique_ptr<MigrationRun> migration_;
  size_t next_step_ = 0;

  // The state of a code step.
  std::optional<Transaction> transaction_;
  std::optional<Principal> code_caller_;
  TransactionSteps steps_;
  v1::MigrateRequest code_;

  StepProgress progress_;
  MigrateEvents events_;
  bool more_events_ = false;  // of the write that is being started
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_MIGRATION_MIGRATE_CALL_H_
