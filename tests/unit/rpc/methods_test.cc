#include "server/metrics/methods.h"

#include <set>
#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "grpc/health/v1/health.pb.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"
#include "gtest/gtest.h"
#include "penstock/v1/admin.pb.h"
#include "penstock/v1/database.pb.h"
#include "penstock/v1/key_value.pb.h"
#include "penstock/v1/migration.pb.h"

namespace penstock::server {
namespace {

// One that is declared and has no row would answer UNIMPLEMENTED.
TEST(Methods, AreThoseOfTheProtos) {
  std::multiset<std::string> declared;
  for (const google::protobuf::FileDescriptor* file :
       {v1::PingRequest::descriptor()->file(), v1::GetRequest::descriptor()->file(),
        v1::MigrateRequest::descriptor()->file(), v1::GetStatsRequest::descriptor()->file(),
        grpc::health::v1::HealthCheckRequest::descriptor()->file(),
        grpc::reflection::v1alpha::ServerReflectionRequest::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) {
      for (int k = 0; k < file->service(i)->method_count(); ++k) {
        declared.insert(file->service(i)->method(k)->name());
      }
    }
  }
  // In a label a name has to say which method it is.
  EXPECT_EQ(declared.size(), std::set<std::string>(declared.begin(), declared.end()).size());
  EXPECT_EQ(std::multiset<std::string>(kRpcNames.begin(), kRpcNames.end()), declared);
}

}  // namespace
}  // namespace penstock::server
