#include "tests/unit/sqlite/fixture.h"

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "drivers/sqlite/sqlite_driver.h"
#include "fmt/format.h"

namespace penstock::sqlite {

const char kEndless[] =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

driver::Deadline In(std::chrono::milliseconds time, Reason reason) {
  return {.at = std::chrono::steady_clock::now() + time, .reason = reason};
}

SqliteTest::SqliteTest() {
  std::string pattern = (std::filesystem::temp_directory_path() / "penstock-XXXXXX").string();
  folder_ = mkdtemp(pattern.data());
  OpenWith({});
}

SqliteTest::~SqliteTest() {
  reader_.reset();
  writer_.reset();
  driver_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

driver::Config SqliteTest::ConfigFor(const std::string& name) const {
  driver::Config config;
  config.name = "main";
  config.driver = "sqlite";
  config.database = folder_ + "/" + name;
  return config;
}

void SqliteTest::OpenWith(const std::map<std::string, std::string>& options) {
  driver::Config config = ConfigFor("test.db");
  config.options = options;
  OpenConfig(config);
}

void SqliteTest::OpenConfig(const driver::Config& config) {
  reader_.reset();
  writer_.reset();
  driver_.reset();
  auto driver = Open(config);
  ASSERT_TRUE(driver.ok()) << driver.status();
  driver_ = *std::move(driver);
  writer_ = Connect(Lane::kWrite);
  reader_ = Connect(Lane::kRead);
}

std::unique_ptr<driver::Connection> SqliteTest::Connect(Lane lane) {
  auto connection = driver_->Connect(lane, driver::Deadline::None());
  EXPECT_TRUE(connection.ok()) << connection.status();
  return *std::move(connection);
}

std::unique_ptr<Call> SqliteTest::Try(const std::string& sql, std::vector<Value> args) {
  auto call = std::make_unique<Call>(sql, std::move(args));
  driver::StatementRun* const run = &call->run;
  EXPECT_EQ(writer_->RunBatch({&run, 1}), 1u);
  return call;
}

std::unique_ptr<Call> SqliteTest::TryInTransaction(const std::string& sql,
                                                   std::vector<Value> args) {
  auto call = std::make_unique<Call>(sql, std::move(args));
  writer_->Run(call->run);
  return call;
}

void SqliteTest::Exec(const std::string& sql, std::vector<Value> args) {
  const auto call = Try(sql, std::move(args));
  ASSERT_TRUE(call->run.status.ok()) << sql << ": " << call->run.status;
}

std::string SqliteTest::Read(const std::string& sql, std::vector<Value> args) {
  Call call(sql, std::move(args));
  driver::StatementRun* const run = &call.run;
  reader_->RunBatch({&run, 1});
  EXPECT_FALSE(call.run.wrong_lane) << sql;
  EXPECT_TRUE(call.run.status.ok()) << sql << ": " << call.run.status;
  call.run.cursor.reset();
  return call.row();
}

}  // namespace penstock::sqlite
