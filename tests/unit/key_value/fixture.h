// A database of keys and values in a folder of its own, for each driver.
#ifndef PENSTOCK_TESTS_UNIT_KEY_VALUE_FIXTURE_H_
#define PENSTOCK_TESTS_UNIT_KEY_VALUE_FIXTURE_H_

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "drivers/api/driver.h"

namespace penstock::driver {

using Entry = std::pair<std::string, std::string>;
using Entries = std::vector<Entry>;

// Keeps the rows of a kGet or kScan.
class EntryWriter final : public RowWriter {
 public:
  void Begin(const Columns& columns) override;
  void Null() override { ADD_FAILURE() << "a null"; }
  void Boolean(bool) override { ADD_FAILURE() << "a boolean"; }
  void Integer(int64_t) override { ADD_FAILURE() << "an integer"; }
  void Real(double) override { ADD_FAILURE() << "a real"; }
  void Bytes(Kind kind, std::string_view bytes) override;
  void Timestamp(int64_t, int32_t) override { ADD_FAILURE() << "a timestamp"; }
  void Array(std::span<const Value>) override { ADD_FAILURE() << "an array"; }
  void EndRow() override;
  size_t bytes() const override { return bytes_; }
  // As the server does when it has sent a batch.
  void TakeAway() { bytes_ = 0; }

  int begun = 0;
  size_t column_count = 0;
  Entries entries;

 private:
  std::vector<std::string> row_;
  size_t bytes_ = 0;
};

// One operation, with what it borrows; change `operation` before it runs.
struct Operation {
  Operation(KeyValueRun::Kind kind, std::string keyspace);
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  Reason reason() const { return GetErrorInfo(run.status).reason; }

  const std::string space;
  std::vector<std::string_view> keys;
  std::vector<KeyCondition> conditions;
  std::vector<KeyMutation> mutations;
  KeyValueRun operation;
  EntryWriter output;
  StatementRun run;
};

using OperationPtr = std::unique_ptr<Operation>;

OperationPtr MakeGet(std::vector<std::string_view> keys, std::string keyspace = "kv");
OperationPtr MakeScan(KeyRange range, std::string keyspace = "kv");
OperationPtr MakeWrite(std::vector<KeyMutation> mutations,
                       std::vector<KeyCondition> conditions = {}, std::string keyspace = "kv");

KeyMutation Put(std::string_view key, std::string_view value);
KeyMutation Delete(std::string_view key);
KeyMutation DeleteRange(std::string_view start, std::optional<std::string_view> end);
KeyCondition Absent(std::string_view key);
KeyCondition Present(std::string_view key);
KeyCondition Equals(std::string_view key, std::string_view value);

// The parameter is the driver's name.
class KeyValueTest : public ::testing::TestWithParam<std::string> {
 protected:
  KeyValueTest();
  ~KeyValueTest() override;

  // Opens the database, anew if it is open.
  void Open();
  // Opens it anew from its files as they are at this moment, with nothing of what
  // closing it would add: as after kill -9. An open transaction is gone.
  void Crash();
  std::unique_ptr<Connection> Connect(Lane lane);

  // Runs it outside a transaction, on the writer and, if it only reads, on the
  // reader. A cursor is read to its end.
  void Run(Operation* operation);
  // Inside the writer's transaction.
  void RunInTransaction(Operation* operation);

  // Expects success.
  void Write(std::vector<KeyMutation> mutations, std::string keyspace = "kv");
  Entries Get(std::vector<std::string_view> keys, std::string keyspace = "kv");
  Entries Scan(KeyRange range = {}, std::string keyspace = "kv");
  // Whether the conditions held.
  bool WriteIf(std::vector<KeyCondition> conditions, std::vector<KeyMutation> mutations);

  void Finish(Operation* operation);

  std::string folder_;
  std::unique_ptr<Driver> driver_;
  std::unique_ptr<Connection> writer_;
  std::unique_ptr<Connection> reader_;
};

#define PENSTOCK_ON_EACH_DRIVER(suite)                                           \
  INSTANTIATE_TEST_SUITE_P(Drivers, suite, ::testing::ValuesIn(TestedDrivers()), \
                           [](const auto& each) { return each.param; })

std::vector<std::string> TestedDrivers();

}  // namespace penstock::driver

#endif  // PENSTOCK_TESTS_UNIT_KEY_VALUE_FIXTURE_H_
