// GetStatus: reads the files and the history on an executor's thread.
#include <atomic>
#include <utility>

#include "server/rpc/calls.h"
#include "server/rpc/migration_convert.h"
#include "server/rpc/service.h"
#include "server/rpc/unary_call.h"

namespace penstock::server {
namespace {

class MigrationStatusCall final : public UnaryCall, public Pool::Waiter, public Task {
 public:
  MigrationStatusCall(const RpcContext& context, const CallSource& source)
      : UnaryCall(context, Rpc::kMigrationStatus), Task(Sort::kBlocking), source_(source) {
    source_.services->migration.RequestGetStatus(&server_context_, &request_bytes_, &responder_,
                                                 source_.queue, source_.queue, StartTag());
  }

  void Tick(TimePoint) override {}
  void Drain(bool) override {}

 private:
  void WaitForNext() override { WaitForMigrationStatus(context_, source_); }

  void OnStart() override {
    const absl::Status acquired = Acquire();
    if (!acquired.ok()) Finish(acquired);
  }

  absl::Status Acquire() {
    absl::Status status = Parse(&request_bytes_, &request_);
    if (!status.ok()) return status;
    absl::StatusOr<Database*> database = context_.databases->Find(request_.database());
    if (!database.ok()) return database.status();
    database_ = *database;
    status = DeadlineFor(*database_, false, {}, Clock::System().Now(), &deadline_);
    if (!status.ok()) return status;
    wait_until = database_->AcquireDeadline(deadline_);
    Pool& pool = database_->pool(driver::Lane::kRead);
    waiting_in_.store(&pool);
    Ref();
    pool.Acquire(this);
    return absl::OkStatus();
  }

  void OnCancelled() override {
    Pool* pool = waiting_in_.load();
    if (pool != nullptr && pool->Forget(this)) OnLease(cancellation_.status());
  }

  void OnLease(absl::StatusOr<Lease> lease) override {
    waiting_in_.store(nullptr);
    if (lease.ok()) {
      lease_ = *std::move(lease);
      database_->executor().Enqueue(this);
    } else {
      Finish(lease.status());
      Unref();
    }
  }

  void Run() override {
    v1::GetStatusResponse response;
    const absl::Status status = Fill(&response);
    lease_.Release();
    Answer(status, response);
    Unref();
  }

  absl::Status Fill(v1::GetStatusResponse* response) {
    std::vector<migrations::File> files;
    if (request_.folder().empty()) {
      TakeFiles(request_.mutable_files(), &files);
    } else {
      absl::StatusOr<std::vector<migrations::File>> read =
          ReadFolderBelow(context_.config->server.migrations_root, request_.folder());
      if (!read.ok()) return read.status();
      files = *std::move(read);
    }
    const std::string& driver = database_->info().name;
    auto dialect = migrations::MakeDialect(driver, database_->migrations_table());
    if (!dialect.ok()) return dialect.status();
    auto source =
        migrations::ReadSource(files, FromProto(request_.code_steps()), driver, **dialect);
    if (!source.ok()) return source.status();
    absl::Status connected = lease_.Connect(deadline_);
    if (!connected.ok()) return connected;
    migrations::Session session(lease_.operator->(), &cancellation_);
    session.SetLimits(Duration::zero(), deadline_);
    migrations::Migrator migrator(*std::move(dialect), *std::move(source), &session);
    absl::StatusOr<migrations::History> history = migrator.ReadHistory();
    if (!history.ok()) return history.status();
    ToProto(migrator.source(), *history, response);
    return absl::OkStatus();
  }

  const CallSource source_;
  std::atomic<Pool*> waiting_in_{nullptr};
  Database* database_ = nullptr;
  driver::Deadline deadline_;
  v1::GetStatusRequest request_;
  Lease lease_;
};

}  // namespace

void WaitForMigrationStatus(const RpcContext& context, const CallSource& source) {
  new MigrationStatusCall(context, source);  // owns itself
}

}  // namespace penstock::server
