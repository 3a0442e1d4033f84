// A driver that no source of the product names is configured, opened, asked and listed, and its
// mistakes are told, by its DriverSpec alone.
#include <algorithm>
#include <fstream>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "migrations/dialect.h"
#include "migrations/file_name.h"
#include "server/config/keys.h"
#include "server/config/load.h"
#include "server/daemon.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wire.h"
#include "tests/unit/drivers/toy_driver.h"

namespace penstock {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ToyTest : public ::testing::Test {
 protected:
  // `database` is what the file says of the database `main`.
  absl::StatusOr<server::Config> Load(const std::string& database) const {
    const std::string file = folder_.path() + "/penstock.yaml";
    std::ofstream(file) << "server: {listen: 'unix:" << folder_.path()
                        << "/s', http_listen: off}\ndatabases:\n  main: " << database << "\n";
    const server::CommandLine command_line{.config_file = file,
                                           .data_dir = folder_.path() + "/data"};
    return server::LoadConfig(command_line, [](const std::string&) { return std::nullopt; });
  }

  std::string Mistake(const std::string& database) const {
    const absl::StatusOr<server::Config> config = Load(database);
    return config.ok() ? "" : std::string(config.status().message());
  }

  const testing::TempDir folder_;
};

TEST_F(ToyTest, IsConfiguredOpenedAskedAndListed) {
  const auto config = Load("{driver: plaything, options: {voice: loud}}");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->databases.at("main").driver.driver, "toy");
  EXPECT_EQ(config->databases.at("main").pool.max_open, 3);
  const auto daemon = server::Daemon::Start(*config);
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  testing::Wire wire((*daemon)->grpc_addresses().front());
  EXPECT_EQ(wire.Exec("SET", {testing::Text("a"), testing::Text("one")}).summary.rows_affected(),
            1);
  EXPECT_TRUE(wire.Exec("SET", {testing::Text("b"), testing::Text("two")}).status.ok());
  EXPECT_EQ(wire.Query("ALL").text(), "'a'|'one!'; 'b'|'two!'");
  const auto third = wire.Exec("SET", {testing::Text("c"), testing::Text("three")});
  EXPECT_EQ(third.detail.reason(), v1::REASON_LIMIT_EXCEEDED);
  EXPECT_EQ(third.detail.hint(), "raise its option max_rows");

  const auto admin = v1::AdminService::NewStub(wire.channel());
  grpc::ClientContext context;
  v1::ListDatabasesResponse listed;
  ASSERT_TRUE(admin->ListDatabases(&context, {}, &listed).ok());
  ASSERT_EQ(listed.databases_size(), 1);
  EXPECT_EQ(listed.databases(0).driver(), "toy");
}

TEST_F(ToyTest, IsTheDriverOfADatabaseThatNamesNone) {
  const auto config = Load("{}");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->databases.at("main").driver.driver, "toy");
  EXPECT_EQ(config->databases.at("main").driver.database, "");
}

TEST_F(ToyTest, MistakesAreToldWithWhatTheOptionIsAbout) {
  EXPECT_THAT(
      Mistake("{options: {max_rows: 10}}"),
      HasSubstr("databases.main.options.max_rows: option max_rows: expected a number from "
                "1 to 9, not '10'; correct the value; the option sets: rows that there may be"));
  EXPECT_THAT(Mistake("{options: {voice: shrill, max_rows: many}}"),
              AllOf(HasSubstr("option voice: expected soft or loud, not 'shrill'; correct the "
                              "value; the option sets: how "
                              "texts are told"),
                    HasSubstr("option max_rows: expected a number from 1 to 9, not 'many'")));
  EXPECT_THAT(Mistake("{options: {synchronous: full}}"),
              HasSubstr("option synchronous: toy has no such option; it has max_rows and voice"));
  EXPECT_THAT(Mistake("{host: db}"),
              HasSubstr("host: is not supported by toy; remove it, or choose another driver"));
}

TEST_F(ToyTest, TheDocumentsHaveItsOptionsAndItsDefaults) {
  const std::vector<server::KeySection> sections = server::KeySections();
  const auto toy = std::find_if(
      sections.begin(), sections.end(),
      [](const server::KeySection& section) { return section.heading == "Options of toy"; });
  ASSERT_NE(toy, sections.end());
  ASSERT_EQ(toy->keys.size(), 2u);
  EXPECT_EQ(toy->keys[0].name, "max_rows");
  EXPECT_EQ(toy->keys[0].fallback, "`2`");
  EXPECT_EQ(toy->keys[0].help, "rows that there may be; 1 to 9");
  for (const server::KeySection& section : sections) {
    for (const server::KeyText& key : section.keys) {
      if (key.name != "max_open_connections") continue;
      EXPECT_EQ(key.fallback, "`5`; toy: 3");
    }
  }
}

TEST_F(ToyTest, TheProductsDriversAreNotThere) {
  EXPECT_THAT(Mistake("{driver: sqlite}"), HasSubstr("'sqlite' is not one of toy, plaything"));
}

TEST_F(ToyTest, MigrationsKnowItsName) {
  std::string why;
  for (const char* file : {"1_a.up.toy.sql", "1_a.toybox.up.sql", "1_a.plaything.up.sql"}) {
    const auto name = migrations::ParseFileName(file, &why);
    ASSERT_TRUE(name.ok() && name->has_value()) << file << ": " << why;
    EXPECT_EQ((*name)->driver, "toy") << file;
    EXPECT_EQ((*name)->name, "a") << file;
  }
  EXPECT_EQ(migrations::MakeDialect("toy", "penstock_migrations").status().message(),
            "the driver toy does not support migrations");
}

}  // namespace
}  // namespace penstock
