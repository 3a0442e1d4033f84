// How a session begins: the version, the database, and what the server has.
#include "gmock/gmock.h"
#include "tests/unit/cockroachdb/fixture.h"

namespace penstock::cockroachdb {
namespace {

using ::testing::HasSubstr;

class BeginTest : public DialogueTest {
 protected:
  absl::Status Begin() { return Connect().status(); }
};

TEST_F(BeginTest, ADatabaseThatIsNotThereIsNotFound) {
  server_.Say("pg_catalog.pg_database",
              FakeAnswer{.columns = {{"it", 25}}, .rows = {}, .tag = "SELECT 0"});
  absl::Status begun = Begin();
  EXPECT_EQ(ReasonOf(begun), Reason::kUnknownDatabase) << begun;
  EXPECT_THAT(std::string(begun.message()), HasSubstr("does not exist"));
  // Its catalogue is a part of a database.
  for (const char* sqlstate : {"3D000", "3F000", "42P01"}) {
    server_.Say("pg_catalog.pg_database", FakeCockroach::Error(sqlstate, "no such thing"));
    begun = Begin();
    EXPECT_EQ(ReasonOf(begun), Reason::kUnknownDatabase) << begun;
  }
  // Whoever may not read the catalogue has a database all the same.
  server_.Say("pg_catalog.pg_database", FakeCockroach::Error("42501", "no"));
  EXPECT_TRUE(Begin().ok());
}

TEST_F(BeginTest, VersionsThatAreTooOldAreRefused) {
  const std::pair<const char*, bool> versions[] = {
      {"CockroachDB CCL v23.1.3 (x86_64-pc-linux-gnu, built 2023/06/13)", true},
      {"CockroachDB OSS v23.1.10", true},
      {"CockroachDB CCL v23.2.0-rc.1 (dev)", true},
      {"CockroachDB CCL v25.4.0", true},
      {"CockroachDB CCL v100.0.0", true},
      {"CockroachDB CCL v23.1.2 (x86_64)", false},
      {"CockroachDB CCL v23.0.9", false},
      {"CockroachDB CCL v22.2.19", false},
      {"CockroachDB CCL v9.9.9", false},
      {"CockroachDB", false},
      {"CockroachDB dev v", false},
      {"CockroachDB v24", false},
  };
  for (const auto& [version, served] : versions) {
    server_.server().Report("crdb_version", version);
    const absl::Status begun = Begin();
    EXPECT_EQ(begun.ok(), served) << version << begun;
    if (served) continue;
    EXPECT_EQ(ReasonOf(begun), Reason::kConnectionFailed) << version;
    EXPECT_THAT(std::string(begun.message()), HasSubstr("v23.1.3")) << version;
    EXPECT_THAT(std::string(begun.message()), HasSubstr(version));
  }
}

TEST_F(BeginTest, TheDriverSaysWhetherThereIsReadCommitted) {
  EXPECT_TRUE(Begin().ok());
  EXPECT_TRUE(driver_->capabilities().read_committed);
  // Before v24.1, or where the cluster's setting is off.
  server_.Say("SHOW transaction_isolation", FakeCockroach::Text("serializable"));
  EXPECT_TRUE(Begin().ok());
  EXPECT_FALSE(driver_->capabilities().read_committed);
  EXPECT_TRUE(driver_->capabilities().staleness);
}

TEST_F(BeginTest, SchemaChangesAreToldNotToCommitWhatIsBeforeThem) {
  EXPECT_TRUE(Begin().ok());
  EXPECT_EQ(executed("SET autocommit_before_ddl = off").size(), 1u);
  // Before v23.2 there is no such setting.
  server_.Say("autocommit_before_ddl", FakeCockroach::Error("42704", "unrecognized parameter"));
  EXPECT_TRUE(Begin().ok());
}

TEST_F(BeginTest, StatementsAreLimitedByTheServerToo) {
  driver::Config config;
  config.name = "main";
  config.driver = "cockroachdb";
  config.connection_string = server_.server().connection_string();
  config.query_timeout = std::chrono::seconds(10);
  const auto driver = *Open(config);
  EXPECT_TRUE(driver->Connect(driver::Lane::kWrite, driver::Deadline::None()).ok());
  EXPECT_EQ(executed("'15000'").size(), 1u);
  server_.Say("pg_catalog.pg_settings", FakeCockroach::Error("42P01", "no such table"));
  EXPECT_TRUE(driver->Connect(driver::Lane::kWrite, driver::Deadline::None()).ok());
}

}  // namespace
}  // namespace penstock::cockroachdb
