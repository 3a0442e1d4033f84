// The way to the daemon, shared by everything that a Provider makes.
#ifndef PENSTOCK_CLIENT_SRC_CHANNEL_H_
#define PENSTOCK_CLIENT_SRC_CHANNEL_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message_lite.h"
#include "grpcpp/client_context.h"
#include "penstock/config.h"
#include "penstock/context.h"
#include "penstock/v1/admin.grpc.pb.h"
#include "penstock/v1/database.grpc.pb.h"
#include "penstock/v1/key_value.grpc.pb.h"
#include "penstock/v1/migration.grpc.pb.h"

namespace penstock::internal {

// Thread-safe.
struct Channel {
  // INVALID_ARGUMENT or NOT_FOUND; see New.
  static absl::StatusOr<std::shared_ptr<Channel>> Make(const Config& config);

  // The error of a call that need not begin, else OK: the provider is closed, or
  // the context has ended.
  absl::Status Check(const Context& ctx) const;

  // RESOURCE_EXHAUSTED for a message that is larger than may be sent.
  absl::Status CheckSize(const google::protobuf::MessageLite& message) const;

  // Gives a call the trace parent of `ctx` and the program's name. Its deadline is not
  // set.
  void SetUp(const Context& ctx, grpc::ClientContext* call) const;

  // What a caller is to know about a call that ended with `end`. `gave_up`: this
  // side cancelled it because its deadline had passed.
  absl::Status Explain(const absl::Status& end, const Context& ctx, bool gave_up) const;

  Config config;
  std::unique_ptr<v1::DatabaseService::Stub> database;
  std::unique_ptr<v1::KeyValueService::Stub> key_value;
  std::unique_ptr<v1::AdminService::Stub> admin;
  std::unique_ptr<v1::MigrationService::Stub> migration;
  // Provider::Close cancels it, and with it every call.
  Context open;
};

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_CHANNEL_H_
