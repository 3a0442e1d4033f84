// Runs statements on a driver's connection directly, without a daemon.
#ifndef PENSTOCK_TESTS_SUPPORT_DRIVER_CALLS_H_
#define PENSTOCK_TESTS_SUPPORT_DRIVER_CALLS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/api/driver.h"
#include "drivers/api/error.h"
#include "drivers/api/value.h"

namespace penstock::testing {

// Keeps rows as text, one string for each row: "integer 1|text a|null".
class TextRows final : public driver::RowWriter {
 public:
  void Begin(const driver::Columns& of) override;
  void Null() override { Add("null", ""); }
  void Boolean(bool value) override { Add("boolean", value ? "true" : "false"); }
  void Integer(int64_t value) override;
  void Real(double value) override;
  void Bytes(driver::Kind kind, std::string_view bytes) override {
    Add(driver::KindName(kind), bytes);
  }
  void Timestamp(int64_t seconds, int32_t nanos) override;
  // Adds for example "array [1, 'text', null, [2]]".
  void Array(std::span<const driver::Value> elements) override;
  void EndRow() override;
  size_t bytes() const override { return bytes_; }

  // Resets the size, as the server does after it has sent a batch.
  void TakeAway() { bytes_ = 0; }

  driver::Columns columns;
  int begun = 0;
  std::vector<std::string> rows;

 private:
  void Add(std::string_view kind, std::string_view content);

  std::string row_;
  size_t bytes_ = 0;
};

// A statement to run, with everything that it borrows.
struct Call {
  explicit Call(std::string text, std::vector<driver::Value> values = {});
  // Not copyable, because `run` points into the object.
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  driver::Reason reason() const { return driver::GetErrorInfo(run.status).reason; }
  std::string message() const { return std::string(run.status.message()); }
  // Returns the first row, or "" if there is none.
  std::string row() const { return output.rows.empty() ? "" : output.rows.front(); }

  const std::string sql;
  const std::vector<driver::Value> args;
  driver::Cancellation cancellation;
  TextRows output;
  driver::StatementRun run;
};

using Calls = std::vector<std::unique_ptr<Call>>;

// Makes one call for each text.
Calls MakeCalls(const std::vector<std::string>& texts);

// Runs the calls as one batch and expects that all of them are run.
void RunTogether(driver::Connection* connection, const Calls& calls);

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_DRIVER_CALLS_H_
