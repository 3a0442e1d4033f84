// A full disk, in an order that the random run found to end the daemon.
#include <signal.h>

#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "tests/endurance/supervised.h"
#include "tests/support/eventually.h"

namespace penstock::testing {
namespace {

// The manifest cannot be written first, and then the log.
TEST(FullDisk, AKeyspaceThatCannotBeMadeDoesNotHinderRecovery) {
  Supervised daemon("host=127.0.0.1 port=1 user=nobody dbname=none");
  ASSERT_TRUE(daemon.EnsureRunning()) << daemon.log();
  const auto db = New({.target = daemon.target(), .database = "keys"});
  ASSERT_TRUE(db.ok()) << db.status();
  const Context ctx = Context().WithTimeout(absl::Seconds(60));
  ASSERT_EQ((*db)->KeyValue("old")->Put(ctx, "a", "1"), absl::OkStatus());
  daemon.FillDisk(true);
  for (const char* keyspace : {"new", "old"}) {
    const absl::Status refused = (*db)->KeyValue(keyspace)->Put(ctx, "a", "1");
    EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  }
  daemon.FillDisk(false);
  Eventually([&] { return (*db)->KeyValue("old")->Put(ctx, "b", "1").ok(); });
  EXPECT_EQ((*db)->KeyValue("new")->Put(ctx, "a", "1"), absl::OkStatus());
  EXPECT_EQ(daemon.End(SIGTERM), "");
}

}  // namespace
}  // namespace penstock::testing
