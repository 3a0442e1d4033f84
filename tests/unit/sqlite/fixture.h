// What the tests of the SQLite driver share: a database in a folder of its own,
// statements that own what they borrow, and rows as readable text.
#ifndef PENSTOCK_TESTS_UNIT_SQLITE_FIXTURE_H_
#define PENSTOCK_TESTS_UNIT_SQLITE_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/api/config.h"
#include "drivers/api/driver.h"
#include "tests/support/driver_calls.h"

namespace penstock::sqlite {

using driver::Kind;
using driver::Lane;
using driver::Reason;
using driver::Value;

using testing::Call;
using testing::Calls;
using testing::MakeCalls;
using testing::RunTogether;
using testing::TextRows;

// A file database in a folder of its own, with a writer and a reader open.
class SqliteTest : public ::testing::Test {
 protected:
  SqliteTest();
  ~SqliteTest() override;

  // A configuration for the file `name` in the folder.
  driver::Config ConfigFor(const std::string& name) const;
  // Opens the driver anew with these options and connects.
  void OpenWith(const std::map<std::string, std::string>& options);
  void OpenConfig(const driver::Config& config);
  std::unique_ptr<driver::Connection> Connect(Lane lane);

  // Runs one statement on the writer, and expects it to succeed.
  void Exec(const std::string& sql, std::vector<Value> args = {});
  // The first row of a statement that reads.
  std::string Read(const std::string& sql, std::vector<Value> args = {});
  // Runs one statement on the writer.
  std::unique_ptr<Call> Try(const std::string& sql, std::vector<Value> args = {});
  // Likewise, inside the writer's transaction.
  std::unique_ptr<Call> TryInTransaction(const std::string& sql, std::vector<Value> args = {});

  std::string folder_;
  std::unique_ptr<driver::Driver> driver_;
  std::unique_ptr<driver::Connection> writer_;
  std::unique_ptr<driver::Connection> reader_;
};

// A query that never ends.
extern const char kEndless[];

driver::Deadline In(std::chrono::milliseconds time, Reason reason = Reason::kRequestTimeout);

}  // namespace penstock::sqlite

#endif  // PENSTOCK_TESTS_UNIT_SQLITE_FIXTURE_H_
