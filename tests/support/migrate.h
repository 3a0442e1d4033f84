// Makes migration calls over the wire.
#ifndef PENSTOCK_TESTS_SUPPORT_MIGRATE_H_
#define PENSTOCK_TESTS_SUPPORT_MIGRATE_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "grpcpp/channel.h"
#include "penstock/v1/error.pb.h"
#include "penstock/v1/migration.grpc.pb.h"

namespace penstock::testing {

// Names and contents of files.
using MigrationFiles = std::vector<std::pair<std::string, std::string>>;
using MigrateStart = v1::MigrateRequest::Start;

// The result of one Migrate call.
struct Migrated {
  grpc::Status status;
  v1::ErrorDetail detail;
  std::vector<v1::MigrateResponse> events;

  // Returns the plan's files, separated by spaces.
  std::string plan() const;
  // Returns how many steps were reported as done.
  int done() const;
  const v1::MigrateResponse::Result& result() const { return events.back().result(); }
};

class MigrationWire {
 public:
  explicit MigrationWire(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(v1::MigrationService::NewStub(channel)) {}

  v1::MigrationService::Stub& stub() { return *stub_; }

  // Calls `on_event`, if it is set, with each event; if it returns false the call is cancelled.
  Migrated Migrate(MigrateStart start, const MigrationFiles& files,
                   const std::function<bool(const v1::MigrateResponse&)>& on_event = nullptr);
  Migrated Up(const MigrationFiles& files) { return Migrate({}, files); }
  Migrated Down(const MigrationFiles& files, int64_t steps);
  // Return for example "1 applied, 2 pending".
  std::string Status(const MigrationFiles& files);
  std::string Status(const v1::GetStatusRequest& request);

 private:
  std::unique_ptr<v1::MigrationService::Stub> stub_;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_MIGRATE_H_
