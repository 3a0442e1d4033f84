// A connection of the driver's to a server of the test's.
#ifndef PENSTOCK_TESTS_UNIT_POSTGRES_FIXTURE_H_
#define PENSTOCK_TESTS_UNIT_POSTGRES_FIXTURE_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "drivers/api/config.h"
#include "drivers/api/driver.h"
#include "gtest/gtest.h"
#include "tests/support/driver_calls.h"
#include "tests/support/postgres_cluster.h"

namespace penstock::postgres {

using driver::Kind;
using driver::Reason;
using driver::Value;
using testing::Call;
using testing::Calls;
using testing::MakeCalls;
using testing::RunTogether;

// An empty database, with one connection.
class PostgresDriverTest : public ::testing::Test {
 protected:
  PostgresDriverTest();

  // The one that config_ describes, from now on with a new connection.
  void OpenDriver();
  std::unique_ptr<driver::Connection> Connect();
  // Runs one statement by itself, as an autocommit or within the transaction.
  std::unique_ptr<Call> Try(const std::string& sql, std::vector<Value> args = {});
  std::unique_ptr<Call> TryInTransaction(const std::string& sql, std::vector<Value> args = {});
  // Expects that it succeeds; its first row.
  std::string Ask(const std::string& sql, std::vector<Value> args = {});
  // The same by a client of which the driver knows nothing.
  void AskOutside(const std::string& sql);
  // Runs each by itself, so that the driver knows them to be short.
  void MakeBrisk(const Calls& calls);

  driver::Config config_;
  std::unique_ptr<driver::Driver> driver_;
  std::unique_ptr<driver::Connection> connection_;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_TESTS_UNIT_POSTGRES_FIXTURE_H_
