// Query: one statement, its rows streamed.
//
//   arrive -> in a lane -> OnRun -> write -> OnWritten -> fetch -> write … finish
//
// Between OnRun and the end a result that is longer than its first batch holds
// a connection but no thread.
#include <chrono>
#include <memory>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "server/rpc/base/call.h"
#include "server/rpc/base/calls.h"
#include "server/rpc/base/convert.h"
#include "server/rpc/base/service.h"
#include "server/rpc/database/result_builder.h"

namespace penstock::server {
namespace {

class QueryCall final : public Call, public PendingRun, public Task {
 public:
  QueryCall(const RpcContext& context, const CallSource& source)
      : Call(context, Rpc::kQuery), source_(source), stream_(&server_context_) {
    source_.services->database.RequestQuery(&server_context_, &request_bytes_, &stream_,
                                            source_.queue, source_.queue, StartTag());
  }

  void Tick(TimePoint now) override {
    CheckStall(now);
    CheckRun(now, deadline, may_write());
  }

  void Drain(bool now) override {
    if (now) cancellation_.Cancel(DrainingStatus());
  }

 private:
  void WaitForNext() override { WaitForQuery(context_, source_); }

  void OnStart() override {
    const absl::Status submitted = Submit();
    if (!submitted.ok()) Finish(submitted);
  }

  absl::Status Submit() {
    began_ = Clock::System().Now();
    absl::Status parsed = Take(&request_bytes_, &request_);
    if (!parsed.ok()) return parsed;
    absl::StatusOr<Database*> database = context_.databases->Find(request_.database());
    if (!database.ok()) return database.status();
    database_ = *database;
    absl::Status assigned = arguments_.Assign(request_.args());
    if (!assigned.ok()) return assigned;
    absl::Status limited =
        DeadlineFor(*database_, request_.has_timeout(), request_.timeout(), began_, &deadline);
    if (!limited.ok()) return limited;
    absl::Status stale = SetStaleness();
    if (!stale.ok()) return stale;
    builder_.Start(request_.format(), answer_limits().batch);
    sql = request_.sql();
    args = arguments_.values();
    cancellation = &cancellation_;
    caller = CallerName();
    writer = &builder_;
    limits.max_bytes = answer_limits().first_batch;
    max_returning_bytes = answer_limits().Returning(database_->limits().max_returning_bytes);
    Ref();
    BeginRun(*database_, deadline);
    database_->Submit(this);
    return absl::OkStatus();
  }

  absl::Status SetStaleness() {
    if (!request_.has_staleness()) return absl::OkStatus();
    if (!database_->info().capabilities.staleness) {
      return driver::MakeErrorWithHint(
          driver::Reason::kUnsupported,
          fmt::format("the driver {} has no capability 'staleness'", database_->info().name),
          "leave it out: the query then reads what the database holds now");
    }
    Duration ago;
    absl::Status converted = FromProto(request_.staleness(), &ago);
    staleness = std::chrono::duration_cast<std::chrono::microseconds>(ago);
    if (converted.ok() && staleness.count() > 0) return absl::OkStatus();
    return driver::MakeError(driver::Reason::kInvalidParameter,
                             "staleness must be a duration of a microsecond or more");
  }

  // PendingRun: the statement has begun, and its first rows are here.
  void OnRun() override {
    if (EndRun()) {
      Advance();
    } else {
      CloseCursor();
      RecordOnce();
    }
    Unref();
  }

  // Task: fetch the next rows, or clean up after a client that has gone.
  void Run() override {
    // A statement that writes is asked all the same: the driver, which sees the cancel
    // too, knows what has become of it.
    if (status.ok() && read_only && cancellation_.cancelled()) status = cancellation_.status();
    if (status.ok()) {
      absl::StatusOr<bool> more = cursor->Fetch({.max_bytes = answer_limits().batch}, &builder_);
      if (!more.ok()) status = more.status();
      if (!more.ok() || !*more) {
        summary = cursor->summary();
        CloseCursor();
      }
    } else {
      CloseCursor();
    }
    Advance();
    Unref();
  }

  // Sends what there is. On an executor's thread, so a cursor may be closed.
  void Advance() {
    if (!status.ok()) {
      CloseCursor();
      End(status);
      return;
    }
    if (cursor == nullptr) RecordOnce();
    builder_.Flush(cursor == nullptr ? &summary : nullptr);
    SendPart();
  }

  // On any thread.
  void SendPart() {
    if (!builder_.TakePart(&response_)) {
      Ref();
      database_->executor().Enqueue(this);
      return;
    }
    const absl::Status written =
        response_.has_summary() ? WriteAndFinish(response_) : Write(response_);
    if (written.ok()) return;
    status = Undelivered(*this, written);
    if (cursor == nullptr) {
      End(status);
    } else {
      Ref();
      database_->executor().Enqueue(this);
    }
  }

  void OnRead(bool) override {}

  void OnWritten(bool ok) override {
    if (!ok && status.ok()) status = Undelivered(*this, GoneStatus());
    if (status.ok()) {
      SendPart();
    } else if (cursor != nullptr) {
      Ref();
      database_->executor().Enqueue(this);
    } else {
      End(status);
    }
  }

  void End(const absl::Status& outcome) {
    RecordOnce();
    Finish(outcome);
  }

  void RecordOnce() {
    if (recorded_) return;
    recorded_ = true;
    RecordStatement(context_, *database_, *this, began_);
  }

  void DoWrite(const grpc::ByteBuffer& bytes, void* tag) override { stream_.Write(bytes, tag); }
  void DoWriteAndFinish(const grpc::ByteBuffer& bytes, void* tag) override {
    stream_.WriteAndFinish(bytes, {}, grpc::Status::OK, tag);
  }
  void DoFinish(const grpc::Status& outcome, void* tag) override { stream_.Finish(outcome, tag); }

  const CallSource source_;
  grpc::ServerAsyncWriter<grpc::ByteBuffer> stream_;
  grpc::ByteBuffer request_bytes_;
  v1::QueryRequest request_;
  v1::QueryResponse response_;
  Arguments arguments_;
  ResultBuilder builder_;
  Database* database_ = nullptr;
  TimePoint began_;
  bool recorded_ = false;
};

}  // namespace

void WaitForQuery(const RpcContext& context, const CallSource& source) {
  new QueryCall(context, source);  // owns itself
}

}  // namespace penstock::server
