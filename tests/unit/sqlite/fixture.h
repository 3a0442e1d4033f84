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

namespace penstock::sqlite {

using driver::Kind;
using driver::Lane;
using driver::Reason;
using driver::Value;

// Keeps rows as "integer 1|text a|null", one string a row.
class TextRows final : public driver::RowWriter {
 public:
  void Begin(const driver::Columns& of) override;
  void Null() override { Add("null", ""); }
  void Boolean(bool value) override { Add("boolean", value ? "true" : "false"); }
  void Integer(int64_t value) override;
  void Real(double value) override;
  void Bytes(Kind kind, std::string_view bytes) override { Add(driver::KindName(kind), bytes); }
  void Timestamp(int64_t seconds, int32_t nanos) override;
  void Array(std::span<const Value>) override { Add("array", ""); }
  void EndRow() override;
  size_t bytes() const override { return bytes_; }

  // As the server does when it has sent a batch.
  void TakeAway() { bytes_ = 0; }

  driver::Columns columns;
  int begun = 0;
  std::vector<std::string> rows;

 private:
  void Add(std::string_view kind, std::string_view content);

  std::string row_;
  size_t bytes_ = 0;
};

// A statement to run, with everything it borrows.
struct Call {
  explicit Call(std::string text, std::vector<Value> values = {});
  // `run` points into the object.
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  Reason reason() const { return driver::GetErrorInfo(run.status).reason; }
  std::string message() const { return std::string(run.status.message()); }
  // The first row; "" if there is none.
  std::string row() const { return output.rows.empty() ? "" : output.rows.front(); }

  const std::string sql;
  const std::vector<Value> args;
  driver::Cancellation cancellation;
  TextRows output;
  driver::StatementRun run;
};

using Calls = std::vector<std::unique_ptr<Call>>;

// One call for each text.
Calls MakeCalls(const std::vector<std::string>& texts);

// Runs all of them as one batch and expects that none is left over.
void RunTogether(driver::Connection* connection, const Calls& calls);

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
