// The services, whose methods are all raw bytes on our completion queue.
#ifndef PENSTOCK_SERVER_RPC_BASE_SERVICE_H_
#define PENSTOCK_SERVER_RPC_BASE_SERVICE_H_

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "penstock/v1/admin.grpc.pb.h"
#include "penstock/v1/database.grpc.pb.h"
#include "penstock/v1/key_value.grpc.pb.h"
#include "penstock/v1/migration.grpc.pb.h"

namespace penstock::server {

// One method left to gRPC's own threads would make them poll the same sockets
// and wake ours for every event (docs/adr/0003-completion-queue.md).
using DatabaseMethods = v1::DatabaseService::WithRawMethod_Ping<
    v1::DatabaseService::WithRawMethod_Query<v1::DatabaseService::WithRawMethod_Exec<
        v1::DatabaseService::WithRawMethod_Prepare<v1::DatabaseService::WithRawMethod_Transaction<
            v1::DatabaseService::WithRawMethod_Pipeline<v1::DatabaseService::Service>>>>>>;
using KeyValueMethods =
    v1::KeyValueService::WithRawMethod_Get<v1::KeyValueService::WithRawMethod_BatchGet<
        v1::KeyValueService::WithRawMethod_Put<v1::KeyValueService::WithRawMethod_Delete<
            v1::KeyValueService::WithRawMethod_DeleteRange<v1::KeyValueService::WithRawMethod_Scan<
                v1::KeyValueService::WithRawMethod_Write<v1::KeyValueService::Service>>>>>>>;
using MigrationMethods = v1::MigrationService::WithRawMethod_Migrate<
    v1::MigrationService::WithRawMethod_GetStatus<v1::MigrationService::Service>>;
using AdminMethods = v1::AdminService::WithRawMethod_ListDatabases<
    v1::AdminService::WithRawMethod_GetStats<v1::AdminService::Service>>;

namespace health = ::grpc::health::v1;
using HealthMethods = health::Health::WithRawMethod_Check<
    health::Health::WithRawMethod_Watch<health::Health::Service>>;

namespace reflection = ::grpc::reflection::v1alpha;
using ReflectionMethods = reflection::ServerReflection::WithRawMethod_ServerReflectionInfo<
    reflection::ServerReflection::Service>;

struct Services {
  DatabaseMethods database;
  KeyValueMethods key_value;
  MigrationMethods migration;
  AdminMethods admin;
  HealthMethods health;
  ReflectionMethods reflection;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_SERVICE_H_
