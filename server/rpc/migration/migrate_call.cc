#include "server/rpc/migration/migrate_call.h"

#include <utility>

#include "drivers/api/error.h"
#include "server/rpc/base/convert.h"
#include "server/rpc/base/service.h"

namespace penstock::server {

using driver::MakeError;
using driver::MakeErrorWithHint;
using driver::Reason;

MigrateCall::MigrateCall(const RpcContext& context, const CallSource& source)
    : BidiCall(context, source, Rpc::kMigrate, WaitForMigrate),
      steps_(context_, &answer_limits(), &cancellation_,
             [this](bool has_timeout, const google::protobuf::Duration& timeout,
                    driver::Deadline* deadline) {
               return DeadlineFor(*database_, has_timeout, timeout, Clock::System().Now(),
                                  deadline);
             }),
      events_(
          [this](const v1::MigrateResponse& event, bool more) {
            more_events_ = more;
            return Write(event);
          },
          [this](const absl::Status& why) { cancellation_.Cancel(why); }) {
  lease_request_.transactional = true;
  Listen(&source.services->migration, &MigrationMethods::RequestMigrate);
}

void MigrateCall::Tick(TimePoint now) {
  CheckStall(now);
  events_.Flush();
  const State state = state_.load();
  if (state == State::kQueued || state == State::kPausing) TickWaiting(state, now);
  if (state == State::kCoding && cancellation_.cancelled()) EndCoding();
  if (state == State::kRunning && progress_.TakeDue(now)) {
    const int32_t index = progress_.index();
    if (index >= 0) events_.Push(progress_.Report(index, now, false));
  }
}

void MigrateCall::Drain(bool now) {
  const State state = state_.load();
  const bool waits = state == State::kQueued || state == State::kPausing;
  if (waits || now) cancellation_.Cancel(DrainingStatus());
}

void MigrateCall::OnRead(bool ok) {
  if (migration_ != nullptr) return OnCode(ok);
  if (cancellation_.cancelled()) return Finish(cancellation_.status());
  if (!ok) {
    return Finish(MakeError(Reason::kProtocol, database_ == nullptr
                                                   ? "the stream ended before `start`"
                                                   : "the stream ended before all `files`"));
  }
  v1::MigrateRequest request;
  bool more = false;
  bool in_memory = true;
  RequestMemory::Share share;
  absl::Status status = Take(in(), &request, &share);
  if (status.ok()) {
    const auto find = [this](std::string_view name) { return FindDatabase(name); };
    status = intake_.Take(find, &request, &more, &in_memory);
  }
  // Files in memory stay there until the end.
  if (in_memory) files_share_.Add(std::move(share));
  if (!status.ok()) return Finish(status);
  if (request.has_start()) {
    database_ = intake_.database();
    waiting_since_ = Clock::System().Now();
    lock_until_ = waiting_since_ + intake_.lock_timeout();
  }
  if (more) return StartRead();
  Do(Work::kPrepare);
}

void MigrateCall::OnWritten(bool ok) {
  const MigrateEvents::Written written = events_.OnWritten(ok);
  if (written.finish.has_value()) {
    Finish(*written.finish);
  } else if (written.answered && written.failed) {
    End(GoneStatus());
  } else if (written.answered) {
    Answer();
  }
}

void MigrateCall::DoWrite(const grpc::ByteBuffer& bytes, void* tag) {
  grpc::WriteOptions options;
  if (more_events_) options.set_buffer_hint();
  stream()->Write(bytes, options, tag);
}

void MigrateCall::Do(Work work) {
  work_ = work;
  state_.store(work == Work::kEnd ? State::kEnding : State::kRunning);
  task_.Enqueue(*database_);
}

void MigrateCall::End(absl::Status status) {
  end_status_ = std::move(status);
  Do(Work::kEnd);
}

void MigrateCall::TickWaiting(State state, TimePoint now) {
  if (cancellation_.cancelled()) return End(cancellation_.status());
  if (state == State::kQueued && TakeTurn()) return Do(Work::kAcquire);
  if (state == State::kPausing && now >= pause_until_) return Do(Work::kAcquire);
  if (now >= lock_until_) {
    return End(MakeErrorWithHint(Reason::kMigrationLocked,
                                 "another migrator has held the migration lock of this database "
                                 "for longer than lock_timeout",
                                 "wait for it to end, or raise lock_timeout"));
  }
  if (!progress_.TakeDue(now)) return;
  v1::MigrateResponse event;
  ToProto(now - waiting_since_, event.mutable_waiting()->mutable_elapsed());
  events_.Push(event);
}

bool MigrateCall::TakeTurn() {
  // A run that only looks need not wait.
  if (!has_turn_ && !dry_run_) has_turn_ = database_->TryBeginMigration();
  return has_turn_ || dry_run_;
}

void MigrateCall::Acquire() {
  const bool reads = migration_->spec().action == MigrationSpec::Action::kStatus;
  state_.store(State::kAcquiring);
  lease_request_.Start(*database_, reads ? driver::Lane::kRead : driver::Lane::kWrite,
                       driver::Deadline::None());
}

void MigrateCall::OnLease(const absl::Status& status) {
  if (status.ok()) {
    Do(Work::kLock);
  } else {
    End(status);
  }
}

void MigrateCall::OnCancelled() { lease_request_.Cancel(cancellation_.status()); }

void WaitForMigrate(const RpcContext& context, const CallSource& source) {
  new MigrateCall(context, source);  // owns itself
}

}  // namespace penstock::server
