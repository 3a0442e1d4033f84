#include "server/auth/principal.h"

#include <array>
#include <optional>

#include "drivers/api/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace penstock::server {
namespace {

using driver::KeyCondition;
using driver::KeyMutation;
using driver::KeyValueRun;
using driver::Reason;
using ::testing::HasSubstr;

constexpr Rights kReadOnly = Rights().With(Right::kRead);
constexpr Rights kWriteOnly = Rights().With(Right::kWrite);

GrantConfig Grant(std::string database, Rights rights, std::vector<std::string> keyspaces = {},
                  std::string prefix = "") {
  return {.database = std::move(database),
          .rights = rights,
          .keyspaces = std::move(keyspaces),
          .key_prefix = std::move(prefix)};
}

bool IsRefused(const absl::Status& status) {
  return driver::GetErrorInfo(status).reason == Reason::kNotAllowed;
}

TEST(Principal, HasTheRightsOfItsGrants) {
  const Principal app("app", {Grant("main", kReadOnly), Grant("logs", kWriteOnly)});
  EXPECT_TRUE(app.Check(Right::kRead, "main").ok());
  EXPECT_TRUE(IsRefused(app.Check(Right::kWrite, "main")));
  EXPECT_TRUE(app.Check(Right::kWrite, "logs").ok());
  EXPECT_TRUE(app.Check(Right::kRead, "logs").ok()) << "who may write may read";
  for (const Right right : {Right::kMigrate, Right::kAdmin}) {
    EXPECT_TRUE(IsRefused(app.Check(right, "logs")));
  }
  EXPECT_TRUE(IsRefused(app.Check(Right::kRead, "other")));
  EXPECT_FALSE(app.Knows("other"));
  EXPECT_TRUE(app.Knows("logs"));
}

TEST(Principal, TheErrorNamesIdentityRightAndDatabase) {
  const Principal app("app", {Grant("main", kReadOnly)});
  const absl::Status refused = app.Check(Right::kWrite, "main");
  EXPECT_EQ(refused.message(), "identity 'app' may not write database 'main'");
  EXPECT_THAT(driver::GetErrorInfo(refused).hint, HasSubstr("'write'"));
}

TEST(Principal, AStarStandsForEveryDatabase) {
  const Principal app("app", {Grant("*", kReadOnly)});
  EXPECT_TRUE(app.Check(Right::kRead, "anything").ok());
  EXPECT_TRUE(IsRefused(app.Check(Right::kWrite, "anything")));
}

TEST(Principal, LocalMayDoEverything) {
  for (const Right right : {Right::kRead, Right::kWrite, Right::kMigrate, Right::kAdmin}) {
    EXPECT_TRUE(Principal::Local()->Check(right, "main").ok());
  }
  EXPECT_TRUE(Principal::Local()->MayWriteBySql("main"));
}

TEST(Principal, AGrantForKeysIsNoneForSql) {
  const Principal app("app", {Grant("main", kWriteOnly, {"sessions"}), Grant("main", kReadOnly)});
  EXPECT_TRUE(app.Check(Right::kWrite, "main").ok());
  EXPECT_TRUE(app.CheckSql("main").ok()) << "the other grant gives that";
  EXPECT_FALSE(app.MayWriteBySql("main"));
  const Principal keys("keys", {Grant("main", kWriteOnly, {}, "app/")});
  EXPECT_TRUE(IsRefused(keys.CheckSql("main")));
}

// What an operation touches has to be covered whole.
class Keys : public ::testing::Test {
 protected:
  absl::Status Check(const KeyValueRun& run) const { return app_.CheckKeys(run, "main"); }
  absl::Status Scan(std::string_view start, std::optional<std::string_view> end) const {
    KeyValueRun run;
    run.kind = KeyValueRun::Kind::kScan;
    run.keyspace = "sessions";
    run.range = {.start = start, .end = end};
    return Check(run);
  }
  absl::Status Get(std::string_view keyspace, std::string_view key) const {
    KeyValueRun run;
    run.keyspace = keyspace;
    run.keys = {&key, 1};
    return Check(run);
  }
  absl::Status Write(std::span<const KeyMutation> mutations,
                     std::span<const KeyCondition> conditions = {}) const {
    KeyValueRun run;
    run.kind = KeyValueRun::Kind::kWrite;
    run.keyspace = "sessions";
    run.mutations = mutations;
    run.conditions = conditions;
    return Check(run);
  }

  const Principal app_{"app", {Grant("main", kWriteOnly, {"sessions"}, "app/")}};
};

TEST_F(Keys, OfTheKeyspaceAndThePrefix) {
  EXPECT_TRUE(Get("sessions", "app/1").ok());
  EXPECT_TRUE(IsRefused(Get("sessions", "ap")));
  EXPECT_TRUE(IsRefused(Get("sessions", "bpp/1")));
  EXPECT_TRUE(IsRefused(Get("others", "app/1")));
}

TEST_F(Keys, ARangeLiesWithinThePrefix) {
  EXPECT_TRUE(Scan("app/", "app0").ok());
  EXPECT_TRUE(Scan("app/3", "app/4").ok());
  EXPECT_TRUE(IsRefused(Scan("app/", "app1")));
  EXPECT_TRUE(IsRefused(Scan("app/", std::nullopt)));
  EXPECT_TRUE(IsRefused(Scan("", "app0")));
  EXPECT_TRUE(IsRefused(Scan("", std::nullopt)));
}

TEST_F(Keys, APrefixWithoutAnEndReachesTheLastKey) {
  const Principal app("app", {Grant("main", kReadOnly, {}, "\xff")});
  KeyValueRun run;
  run.kind = KeyValueRun::Kind::kScan;
  run.keyspace = "sessions";
  run.range.start = "\xff";
  EXPECT_TRUE(app.CheckKeys(run, "main").ok());
}

TEST_F(Keys, EveryMutationAndCondition) {
  const std::array good = {KeyMutation{.key = "app/1"},
                           KeyMutation{.kind = KeyMutation::Kind::kDeleteRange,
                                       .range = {.start = "app/", .end = "app0"}}};
  EXPECT_TRUE(Write(good).ok());
  const std::array foreign = {KeyMutation{.key = "app/1"}, KeyMutation{.key = "other"}};
  EXPECT_TRUE(IsRefused(Write(foreign)));
  const std::array everything = {
      KeyMutation{.kind = KeyMutation::Kind::kDeleteRange, .range = {.start = "app/"}}};
  EXPECT_TRUE(IsRefused(Write(everything)));
  const std::array asks = {KeyCondition{.key = "other"}};
  EXPECT_TRUE(IsRefused(Write(good, asks)));
}

TEST_F(Keys, NoTwoGrantsAddUp) {
  const Principal app("app",
                      {Grant("main", kReadOnly, {}, "a/"), Grant("main", kReadOnly, {}, "b/")});
  KeyValueRun run;
  run.keyspace = "sessions";
  const std::array<std::string_view, 2> keys = {"a/1", "b/1"};
  run.keys = keys;
  EXPECT_TRUE(IsRefused(app.CheckKeys(run, "main")));
}

}  // namespace
}  // namespace penstock::server
