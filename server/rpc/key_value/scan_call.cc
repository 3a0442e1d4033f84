// Scan: the entries of a range, streamed.
//
//   arrive -> in a lane -> OnRun -> write -> OnWritten -> fetch -> write … finish
//
// As with Query, between OnRun and the end a scan that is longer than its first
// batch holds a connection but no thread, and no more than one batch of memory.
#include "drivers/api/error.h"
#include "server/rpc/base/call.h"
#include "server/rpc/base/calls.h"
#include "server/rpc/base/convert.h"
#include "server/rpc/base/service.h"
#include "server/rpc/key_value/arguments.h"
#include "server/rpc/key_value/entry_writer.h"

namespace penstock::server {
namespace {

class ScanRows final : public EntryWriter {
 public:
  v1::ScanResponse* response() { return &response_; }
  // The message has gone.
  void Next() {
    response_.clear_entries();
    OnTaken();
  }

 private:
  void Clear() override { response_.clear_entries(); }
  void OnKey(std::string_view key) override {
    entry_ = response_.add_entries();
    entry_->set_key(key.data(), key.size());
  }
  void OnValue(std::string_view value) override { entry_->set_value(value.data(), value.size()); }

  v1::ScanResponse response_;
  v1::Entry* entry_ = nullptr;
};

class ScanCall final : public Call, public PendingRun, public Task {
 public:
  ScanCall(const RpcContext& context, const CallSource& source)
      : Call(context, Rpc::kScan), source_(source), stream_(&server_context_) {
    source_.services->key_value.RequestScan(&server_context_, &request_bytes_, &stream_,
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
  void WaitForNext() override { WaitForScan(context_, source_); }

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
    absl::Status assigned = arguments_.Assign(request_);
    if (!assigned.ok()) return assigned;
    absl::Status limited =
        DeadlineFor(*database_, request_.has_timeout(), request_.timeout(), began_, &deadline);
    if (!limited.ok()) return limited;
    sql = "kv scan";
    key_value = arguments_.run();
    cancellation = &cancellation_;
    caller = CallerName();
    writer = &rows_;
    limits.max_bytes = answer_limits().first_batch;
    Ref();
    BeginRun(*database_, deadline);
    database_->Submit(this);
    return absl::OkStatus();
  }

  // PendingRun: the scan has begun, and its first entries are here.
  void OnRun() override {
    if (EndRun()) {
      Advance();
    } else {
      CloseCursor();
      RecordOnce();
    }
    Unref();
  }

  // Task: fetch the next entries, or clean up after a client that has gone.
  void Run() override {
    if (cancellation_.cancelled()) status = cancellation_.status();
    if (status.ok()) {
      const absl::StatusOr<bool> more = cursor->Fetch({.max_bytes = answer_limits().batch}, &rows_);
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
    const bool last = cursor == nullptr;
    if (last) RecordOnce();
    const absl::Status written =
        last ? WriteAndFinish(*rows_.response()) : Write(*rows_.response());
    if (written.ok()) return;
    status = written;
    CloseCursor();
    End(status);
  }

  void OnRead(bool) override {}

  void OnWritten(bool ok) override {
    if (!ok && status.ok()) status = GoneStatus();
    rows_.Next();
    // There is a cursor: who writes without one finishes.
    Ref();
    database_->executor().Enqueue(this);
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
  v1::ScanRequest request_;
  KeyValueArguments arguments_;
  ScanRows rows_;
  Database* database_ = nullptr;
  TimePoint began_;
  bool recorded_ = false;
};

}  // namespace

void WaitForScan(const RpcContext& context, const CallSource& source) {
  new ScanCall(context, source);  // owns itself
}

}  // namespace penstock::server
