// Transaction: a stream that holds one connection from begin to its end.
//
//   idle (reading) -> stepping (thread pool) -> writing -> idle …
//
// Whoever moves the state away from idle owns the call: the next request, the
// ticker with a limit, or a drain. Every end goes through the thread pool, where
// the transaction is rolled back if it is still open.
#include <atomic>
#include <optional>
#include <string>
#include <utility>

#include "drivers/api/error.h"
#include "server/database/transaction.h"
#include "server/log/log.h"
#include "server/rpc/base/call.h"
#include "server/rpc/base/call_task.h"
#include "server/rpc/base/calls.h"
#include "server/rpc/base/convert.h"
#include "server/rpc/base/lease_request.h"
#include "server/rpc/base/service.h"
#include "server/rpc/database/transaction_steps.h"
#include "text/string_views.h"

namespace penstock::server {
namespace {

using driver::MakeError;
using driver::Reason;
using Request = v1::TransactionRequest;

class TransactionCall final : public BidiCall {
 public:
  TransactionCall(const RpcContext& context, const CallSource& source)
      : BidiCall(context, source, Rpc::kTransaction, WaitForTransaction),
        steps_(context_, &answer_limits(), &cancellation_,
               [this](bool has_timeout, const google::protobuf::Duration& timeout,
                      driver::Deadline* deadline) {
                 return StepDeadline(has_timeout, timeout, deadline);
               }) {
    lease_request_.transactional = true;
    Listen(&source.services->database, &DatabaseMethods::RequestTransaction);
  }

  void Tick(TimePoint now) override {
    CheckStall(now);
    if (now >= Load(idle_until_)) EndIfIdle(Reason::kTransactionIdleTimeout);
    if (now >= Load(open_until_)) {
      if (!EndIfIdle(Reason::kTransactionTimeout)) {
        cancellation_.Cancel(driver::Deadline{.reason = Reason::kTransactionTimeout}.Error());
      }
    }
  }

  // An open transaction may go on for the grace time; then it is cut off.
  void Drain(bool now) override {
    if (now && !EndIfIdle(Reason::kDraining)) cancellation_.Cancel(EndStatus(Reason::kDraining));
  }

 private:
  enum class State : uint8_t {
    kStarting,
    kIdle,       // a read is outstanding and nothing else
    kAcquiring,  // begin waits for a connection
    kStepping,   // a worker's task is queued or running
    kWriting,    // a write is outstanding
    kEnding,     // on a worker thread for the last time, or finished
  };

  using AtomicTime = std::atomic<Duration::rep>;
  static TimePoint Load(const AtomicTime& time) { return TimePoint(Duration(time.load())); }
  static void Store(AtomicTime& to, TimePoint time) { to.store(time.time_since_epoch().count()); }

  static absl::Status EndStatus(Reason reason) {
    if (reason == Reason::kDraining) {
      return MakeError(reason, "the daemon is shutting down; the transaction was rolled back",
                       {.retry = driver::Retry::kTransaction});
    }
    return driver::Deadline{.reason = reason}.Error();
  }

  void OnStart() override { ReadNext(); }

  void ReadNext() {
    const TimePoint limit = transaction_.has_value() && idle_limit_ != Duration::zero()
                                ? Clock::System().Now() + idle_limit_
                                : TimePoint::max();
    Store(idle_until_, limit);
    state_.store(State::kIdle);
    StartRead();
  }

  // For the ticker's thread.
  bool EndIfIdle(Reason reason) {
    State idle = State::kIdle;
    if (!state_.compare_exchange_strong(idle, State::kEnding)) return false;
    end_status_ = EndStatus(reason);
    EnqueueEnd();
    return true;
  }

  void OnRead(bool ok) override {
    State idle = State::kIdle;
    if (!state_.compare_exchange_strong(idle, State::kStepping)) return;  // ended meanwhile
    Store(idle_until_, TimePoint::max());
    if (!ok) {
      // The client has closed its side or gone, without a commit.
      End(cancellation_.status());
      return;
    }
    began_ = Clock::System().Now();
    request_.Clear();
    absl::Status status = Take(in(), &request_);
    if (driver::GetErrorInfo(status).retry == driver::Retry::kStatement) {
      // There was no room for the step, and the transaction ends: the step alone must not be sent
      // again, because it is a part of the transaction.
      driver::ErrorInfo info = driver::GetErrorInfo(status);
      info.retry = driver::Retry::kTransaction;
      status = MakeError(info.reason, ToStd(status.message()), info);
    }
    if (status.ok()) status = CheckOrder();
    if (!status.ok()) {
      End(status);
    } else if (request_.step_case() == Request::kBegin) {
      status = Acquire();
      if (!status.ok()) End(status);
    } else {
      task_.Enqueue(*database_);
    }
  }

  absl::Status CheckOrder() const {
    const bool begin = request_.step_case() == Request::kBegin;
    if (request_.step_case() == Request::STEP_NOT_SET) {
      return MakeError(Reason::kProtocol, "a request of a Transaction stream has no step set");
    }
    if (!transaction_.has_value() && !begin) {
      return MakeError(Reason::kProtocol,
                       "the first request of a Transaction stream must be `begin`");
    }
    if (transaction_.has_value() && begin) {
      return MakeError(
          Reason::kProtocol,
          "duplicate `begin`; the transaction was rolled back (use `savepoint` for a nested one)");
    }
    return absl::OkStatus();
  }

  // Returns the shorter of the request's limit and the configured one; zero is no limit.
  static absl::Status Limit(bool given, const google::protobuf::Duration& requested,
                            Milliseconds configured, Duration* limit) {
    *limit = configured;
    if (!given) return absl::OkStatus();
    Duration wanted;
    absl::Status status = FromProto(requested, &wanted);
    if (!status.ok()) return status;
    if (wanted == Duration::zero()) {
      return MakeError(Reason::kInvalidParameter,
                       "a limit of zero would end the transaction at once");
    }
    *limit = configured == Milliseconds::zero() ? wanted : std::min<Duration>(wanted, configured);
    return absl::OkStatus();
  }

  absl::Status Acquire() {
    const Request::Begin& begin = request_.begin();
    if (!v1::IsolationLevel_IsValid(begin.isolation())) {
      return MakeError(Reason::kInvalidParameter, "`isolation` is not a known level");
    }
    absl::StatusOr<Database*> database = FindDatabase(begin.database());
    if (!database.ok()) return database.status();
    database_ = *database;
    Duration open_limit;
    absl::Status status = Limit(begin.has_idle_timeout(), begin.idle_timeout(),
                                database_->limits().transaction_idle_timeout, &idle_limit_);
    if (!status.ok()) return status;
    status = Limit(begin.has_timeout(), begin.timeout(), database_->limits().transaction_timeout,
                   &open_limit);
    if (!status.ok()) return status;
    if (open_limit != Duration::zero()) Store(open_until_, began_ + open_limit);
    // Whoever may read by SQL and write some keys does the two in different transactions: the
    // backend refuses writes by the transaction.
    const std::string& name = database_->name();
    options_.must_only_read = principal().CheckSql(name).ok() && !principal().MayWriteBySql(name);
    const bool may_write = principal().Check(Right::kWrite, name).ok() && !options_.must_only_read;
    options_.read_only = begin.read_only() || !may_write;
    options_.isolation = static_cast<driver::Isolation>(begin.isolation());
    options_.cancellation = &cancellation_;
    options_.caller = CallerName();
    status = AssignSettings(begin, *database_, &settings_);
    if (!status.ok()) return status;
    options_.settings = settings_.values();
    status = StepDeadline(false, {}, &options_.deadline);
    if (!status.ok()) return status;
    state_.store(State::kAcquiring);
    lease_request_.Start(*database_,
                         options_.read_only ? driver::Lane::kRead : driver::Lane::kWrite,
                         options_.deadline);
    return absl::OkStatus();
  }

  void OnLease(const absl::Status& status) {
    state_.store(State::kStepping);
    if (status.ok()) {
      task_.Enqueue(*database_);
    } else {
      End(status);
    }
  }

  void OnCancelled() override { lease_request_.Cancel(cancellation_.status()); }

  void Work() {
    if (state_.load() == State::kEnding) {
      RunEnd();
    } else if (!too_large_.ok()) {
      steps_.Drop(std::exchange(too_large_, absl::OkStatus()));
      SendPart();
    } else if (steps_.more()) {
      steps_.Fetch();
      SendPart();
    } else {
      RunStep();
    }
  }

  void RunStep() {
    v1::TransactionResponse response;
    switch (request_.step_case()) {
      case Request::kBegin: return RunBegin();
      case Request::kCommit:
        response.mutable_committed();
        return AnswerLast(transaction_->Commit(), response);
      case Request::kRollback:
        response.mutable_rolled_back();
        return AnswerLast(transaction_->Rollback(), response);
      default: break;
    }
    steps_.Run(principal(), database_, &*transaction_, request_, began_);
    SendPart();
  }

  void RunBegin() {
    transaction_.emplace(database_);
    absl::Status status = transaction_->Begin(std::move(lease_request_.lease()), options_);
    if (!status.ok()) return End(status);
    v1::TransactionResponse response;
    response.mutable_begun();
    Answer(response.SerializeAsString());
  }

  // On the I/O thread of a write's end, or on a worker thread.
  void SendPart() {
    std::string part;
    if (steps_.Next(&part)) {
      AnswerPart(std::move(part));
    } else if (steps_.more()) {
      state_.store(State::kStepping);
      task_.Enqueue(*database_);
    } else {
      ReadNext();
    }
  }

  // A failed step is an answer, unless the whole transaction is over.
  void AnswerPart(std::string part) {
    const absl::Status& error = steps_.failure();
    const bool over = driver::GetErrorInfo(error).reason == Reason::kTransactionTimeout;
    if (!error.ok() && (over || cancellation_.cancelled())) {
      End(over ? error : cancellation_.status());
    } else {
      Answer(std::move(part));
    }
  }

  absl::Status StepDeadline(bool has_timeout, const google::protobuf::Duration& timeout,
                            driver::Deadline* deadline) const {
    absl::Status status = DeadlineFor(*database_, has_timeout, timeout, began_, deadline);
    *deadline = driver::Earlier(*deadline,
                                {.at = Load(open_until_), .reason = Reason::kTransactionTimeout});
    return status;
  }

  void Answer(std::string response) {
    state_.store(State::kWriting);
    // Once it is under way, somebody else owns the call.
    absl::Status written = Write(std::move(response));
    if (written.ok()) return;
    // The row does not fit into a message; the rest of the result goes with it.
    too_large_ = std::move(written);
    state_.store(State::kStepping);
    task_.Enqueue(*database_);
  }

  void AnswerLast(const absl::Status& outcome, const v1::TransactionResponse& response) {
    if (!outcome.ok()) return End(outcome);
    state_.store(State::kEnding);
    WriteAndFinish(response).IgnoreError();  // an empty message fits
  }

  void OnWritten(bool ok) override {
    if (!ok) {
      End(GoneStatus());
    } else if (cancellation_.cancelled()) {
      End(cancellation_.status());
    } else {
      SendPart();
    }
  }

  // Ends the call from any thread that owns it.
  void End(const absl::Status& status) {
    state_.store(State::kEnding);
    end_status_ = status;
    if (!transaction_.has_value()) {
      Finish(end_status_);
    } else {
      EnqueueEnd();
    }
  }

  void EnqueueEnd() {
    if (database_ == nullptr) {
      Finish(end_status_);
    } else {
      task_.Enqueue(*database_);
    }
  }

  void RunEnd() {
    steps_.Close();
    if (transaction_.has_value()) transaction_->End(Transaction::Conclusion::kKilled);
    Finish(end_status_);
  }

  std::atomic<State> state_{State::kStarting};
  AtomicTime idle_until_{TimePoint::max().time_since_epoch().count()};
  AtomicTime open_until_{TimePoint::max().time_since_epoch().count()};
  absl::Status end_status_;  // set by who moves the state to kEnding

  Database* database_ = nullptr;  // set by begin
  Duration idle_limit_{};
  // Borrows of the request for its begin.
  CallSettings settings_;
  driver::TransactionOptions options_;
  std::optional<Transaction> transaction_;
  Request request_;
  TimePoint began_;
  TransactionSteps steps_;
  // The reason why the last answer was not written; OK if it was.
  absl::Status too_large_;
  LeaseRequest lease_request_{this, &cancellation_,
                              [this](const absl::Status& status) { OnLease(status); }};
  CallTask task_{this, [this] { Work(); }};
};

}  // namespace

void WaitForTransaction(const RpcContext& context, const CallSource& source) {
  new TransactionCall(context, source);  // owns itself
}

}  // namespace penstock::server
