// A process with the client library twice, in a host and in its plugin, and with the generated
// code of the same protos beside it. Descriptors of one name that are registered twice end the
// process.
#include <dlfcn.h>

#include <cstdint>
#include <string>

#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "penstock/v1/database.pb.h"
#include "tests/support/gateway.h"
#include "tests/support/process.h"

namespace penstock::testing {
namespace {

void TestWith(int flags) {
  TempDir folder;
  Process daemon({BuiltProgram("penstockd"), "--listen", "127.0.0.1:0", "--http-listen", "off",
                  "--data-dir", folder.path() + "/data"},
                 folder.path());
  const std::string target = daemon.LineAfter("penstockd ready: grpc ");
  auto db = New({.target = target});
  ASSERT_TRUE(db.ok()) << db.status();
  ASSERT_EQ((*db)->Ping(Context()), absl::OkStatus());
  // The program's own generated code.
  v1::QueryRequest request;
  request.set_sql("SELECT 1");
  EXPECT_EQ(request.GetDescriptor()->full_name(), "penstock.v1.QueryRequest");

  void* plugin = dlopen(PENSTOCK_PLUGIN, flags);
  ASSERT_NE(plugin, nullptr) << dlerror();
  auto* answer = reinterpret_cast<int64_t (*)(const char*)>(dlsym(plugin, "PluginsAnswer"));
  ASSERT_NE(answer, nullptr) << dlerror();
  EXPECT_EQ(answer(target.c_str()), 42);
  EXPECT_EQ((*db)->Ping(Context()), absl::OkStatus());
}

TEST(PluginTest, HasAClientOfItsOwn) { TestWith(RTLD_NOW | RTLD_LOCAL); }

TEST(PluginTest, MayShowItsSymbols) { TestWith(RTLD_NOW | RTLD_GLOBAL); }

}  // namespace
}  // namespace penstock::testing
