// GetStatus: reads the files and the history on a worker thread.
#include <utility>

#include "server/rpc/base/calls.h"
#include "server/rpc/base/connection_call.h"
#include "server/rpc/base/service.h"
#include "server/rpc/migration/migration_convert.h"

namespace penstock::server {
namespace {

class MigrationStatusCall final : public ConnectionCall {
 public:
  MigrationStatusCall(const RpcContext& context, const CallSource& source)
      : ConnectionCall(context, source, Rpc::kGetStatus, WaitForGetStatus, Task::Kind::kBlocking) {
    Listen(&source.services->migration, &MigrationMethods::RequestGetStatus);
  }

 private:
  void OnStart() override {
    absl::Status status = Take(&request_bytes_, &request_);
    if (status.ok()) status = Acquire(request_.database());
    if (!status.ok()) Finish(status);
  }

  void OnConnection() override {
    v1::GetStatusResponse response;
    const absl::Status status = Fill(&response);
    lease().Release();
    Answer(status, response);
  }

  absl::Status Fill(v1::GetStatusResponse* response) {
    auto files = std::make_shared<migrations::Files>();
    std::vector<std::string> others;
    if (request_.folder().empty()) {
      TakeFiles(request_.mutable_files(), files.get());
    } else {
      absl::StatusOr<std::shared_ptr<migrations::Files>> read =
          ReadFolderBelow(context_.config->server.migrations_root, request_.folder());
      if (!read.ok()) return read.status();
      files = *std::move(read);
    }
    const std::string& driver = database().info().name;
    auto dialect = migrations::MakeDialect(driver, database().migrations_table());
    if (!dialect.ok()) return dialect.status();
    auto source =
        migrations::ReadSource(files, FromProto(request_.code_steps()), driver, **dialect, &others);
    if (!source.ok()) return source.status();
    absl::Status connected = lease().Connect(deadline());
    if (!connected.ok()) return connected;
    migrations::MigrationConnection connection(lease().operator->(), &cancellation_);
    connection.SetLimits(Duration::zero(), deadline());
    migrations::Migrator migrator(*std::move(dialect), *std::move(source), &connection);
    return ReadStatus(&migrator, others, response);
  }

  v1::GetStatusRequest request_;
};

}  // namespace

void WaitForGetStatus(const RpcContext& context, const CallSource& source) {
  new MigrationStatusCall(context, source);  // owns itself
}

}  // namespace penstock::server
