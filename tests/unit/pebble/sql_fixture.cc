#include "tests/unit/pebble/sql_fixture.h"

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "drivers/pebble/pebble_driver.h"
#include "tests/unit/key_value/fixture.h"

namespace penstock::pebble {

SqlTest::SqlTest() {
  std::string pattern = (std::filesystem::temp_directory_path() / "penstock-XXXXXX").string();
  folder_ = mkdtemp(pattern.data());
  Open();
}

SqlTest::~SqlTest() {
  Close();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

driver::Config SqlTest::MakeConfig(std::map<std::string, std::string> options) const {
  driver::Config config;
  config.name = "main";
  config.driver = "pebble";
  config.database = folder_ + "/pebble";
  config.options = std::move(options);
  return config;
}

void SqlTest::Close() {
  reader_.reset();
  writer_.reset();
  driver_.reset();
}

void SqlTest::Open(std::map<std::string, std::string> options) {
  Close();
  auto opened = pebble::Open(MakeConfig(std::move(options)));
  ASSERT_TRUE(opened.ok()) << opened.status();
  driver_ = *std::move(opened);
  writer_ = Connect(Lane::kWrite);
  reader_ = Connect(Lane::kRead);
}

std::unique_ptr<driver::Connection> SqlTest::Connect(Lane lane) {
  auto connection = driver_->Connect(lane, driver::Deadline::None());
  EXPECT_TRUE(connection.ok()) << connection.status();
  return *std::move(connection);
}

void SqlTest::Finish(Call* call) {
  while (call->run.cursor != nullptr) {
    call->output.TakeAway();
    const absl::StatusOr<bool> more = call->run.cursor->Fetch(call->run.limits, &call->output);
    if (more.ok() && *more) continue;
    call->run.summary = call->run.cursor->summary();
    call->run.status = more.status();
    call->run.cursor.reset();
  }
}

CallPtr RunOn(driver::Connection* connection, const std::string& sql, std::vector<Value> args) {
  auto call = std::make_unique<Call>(sql, std::move(args));
  driver::StatementRun* const run = &call->run;
  EXPECT_EQ(connection->RunBatch({&run, 1}), 1u);
  return call;
}

CallPtr SqlTest::Try(const std::string& sql, std::vector<Value> args) {
  CallPtr call = RunOn(reader_.get(), sql, args);
  if (call->run.wrong_lane) call = RunOn(writer_.get(), sql, std::move(args));
  Finish(call.get());
  return call;
}

CallPtr SqlTest::TryInTransaction(const std::string& sql, std::vector<Value> args) {
  auto call = std::make_unique<Call>(sql, std::move(args));
  writer_->Run(call->run);
  Finish(call.get());
  return call;
}

int64_t SqlTest::Exec(const std::string& sql, std::vector<Value> args) {
  const CallPtr call = Try(sql, std::move(args));
  EXPECT_TRUE(call->run.status.ok()) << sql << ": " << call->run.status;
  return call->run.summary.rows_affected;
}

int64_t SqlTest::ExecInTransaction(const std::string& sql, std::vector<Value> args) {
  const CallPtr call = TryInTransaction(sql, std::move(args));
  EXPECT_TRUE(call->run.status.ok()) << sql << ": " << call->run.status;
  return call->run.summary.rows_affected;
}

Texts SqlTest::Query(const std::string& sql, std::vector<Value> args) {
  const CallPtr call = Try(sql, std::move(args));
  EXPECT_TRUE(call->run.status.ok()) << sql << ": " << call->run.status;
  return call->output.rows;
}

Texts SqlTest::QueryInTransaction(const std::string& sql, std::vector<Value> args) {
  const CallPtr call = TryInTransaction(sql, std::move(args));
  EXPECT_TRUE(call->run.status.ok()) << sql << ": " << call->run.status;
  return call->output.rows;
}

std::map<std::string, std::string> SqlTest::Entries(const std::string& keyspace) {
  const driver::OperationPtr scan = driver::MakeScan({}, keyspace);
  driver::StatementRun* const run = &scan->run;
  reader_->RunBatch({&run, 1});
  EXPECT_TRUE(scan->run.status.ok()) << scan->run.status;
  return {scan->output.entries.begin(), scan->output.entries.end()};
}

void SqlTest::Put(const std::string& keyspace, std::string_view key, std::string_view value) {
  const driver::OperationPtr write = driver::MakeWrite({driver::Put(key, value)}, {}, keyspace);
  driver::StatementRun* const run = &write->run;
  writer_->RunBatch({&run, 1});
  EXPECT_TRUE(write->run.status.ok()) << write->run.status;
}

Failure FailureOf(const Call& call) {
  const driver::ErrorInfo info = driver::GetErrorInfo(call.run.status);
  return {.reason = info.reason, .table = info.table, .column = info.column};
}

}  // namespace penstock::pebble
