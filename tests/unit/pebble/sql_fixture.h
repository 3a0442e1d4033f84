// What the tests of SQL on pebble share: a database in a folder of its own, and
// statements on its connections.
#ifndef PENSTOCK_TESTS_UNIT_PEBBLE_SQL_FIXTURE_H_
#define PENSTOCK_TESTS_UNIT_PEBBLE_SQL_FIXTURE_H_

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "drivers/api/config.h"
#include "drivers/api/driver.h"
#include "drivers/api/error.h"
#include "tests/support/driver_calls.h"

namespace penstock::pebble {

using driver::Kind;
using driver::Lane;
using driver::Reason;
using driver::Value;
using testing::Call;
using testing::Calls;
using testing::MakeCalls;
using testing::RunTogether;
using testing::TextRows;

using CallPtr = std::unique_ptr<Call>;
using Texts = std::vector<std::string>;

class SqlTest : public ::testing::Test {
 protected:
  SqlTest();
  ~SqlTest() override;

  driver::Config MakeConfig(std::map<std::string, std::string> options = {}) const;
  void Close();
  // Opens the database, anew if it is open.
  void Open(std::map<std::string, std::string> options = {});
  std::unique_ptr<driver::Connection> Connect(Lane lane);

  // Runs one statement outside a transaction, as the server does: on the reader
  // first, and on the writer if it writes. A cursor is read to its end.
  CallPtr Try(const std::string& sql, std::vector<Value> args = {});
  // Inside the writer's transaction.
  CallPtr TryInTransaction(const std::string& sql, std::vector<Value> args = {});
  // Expects success; the number of rows that were written.
  int64_t Exec(const std::string& sql, std::vector<Value> args = {});
  int64_t ExecInTransaction(const std::string& sql, std::vector<Value> args = {});
  // The rows, as TextRows keeps them.
  Texts Query(const std::string& sql, std::vector<Value> args = {});
  Texts QueryInTransaction(const std::string& sql, std::vector<Value> args = {});

  // The same with the key-value operations: all entries, and a put.
  std::map<std::string, std::string> Entries(const std::string& keyspace);
  void Put(const std::string& keyspace, std::string_view key, std::string_view value);

  static void Finish(Call* call);

  std::string folder_;
  std::unique_ptr<driver::Driver> driver_;
  std::unique_ptr<driver::Connection> writer_;
  std::unique_ptr<driver::Connection> reader_;
};

// One that runs to its end on a connection, whatever it is.
CallPtr RunOn(driver::Connection* connection, const std::string& sql, std::vector<Value> args = {});

// What went wrong, for comparisons: the reason, the table and the column.
struct Failure {
  Reason reason;
  std::string table;
  std::string column;
  bool operator==(const Failure&) const = default;
};
Failure FailureOf(const Call& call);

}  // namespace penstock::pebble

#endif  // PENSTOCK_TESTS_UNIT_PEBBLE_SQL_FIXTURE_H_
