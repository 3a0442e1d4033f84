// A Provider and Rows that do what a test says.
#ifndef PENSTOCK_TESTS_UNIT_CLI_MOCK_PROVIDER_H_
#define PENSTOCK_TESTS_UNIT_CLI_MOCK_PROVIDER_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "penstock/provider.h"

namespace penstock::cli {

class MockProvider : public Provider {
 public:
  using Provider::Transaction;

  MOCK_METHOD(absl::StatusOr<std::unique_ptr<Rows>>, QueryArgs,
              (const Context&, std::string_view, Args), (override));
  MOCK_METHOD(absl::StatusOr<Result>, ExecArgs, (const Context&, std::string_view, Args),
              (override));
  MOCK_METHOD(absl::StatusOr<Result>, ExecRows,
              (const Context&, std::string_view, std::vector<Args>), (override));
  MOCK_METHOD(absl::StatusOr<std::unique_ptr<Statement>>, Prepare,
              (const Context&, std::string_view), (override));
  MOCK_METHOD(absl::Status, Connect, (const Context&), (override));
  MOCK_METHOD(absl::Status, Close, (), (override));
  MOCK_METHOD(absl::Status, Ping, (const Context&), (override));
  MOCK_METHOD(absl::StatusOr<PingInfo>, Inspect, (const Context&), (override));
  MOCK_METHOD(absl::StatusOr<std::unique_ptr<penstock::Transaction>>, Transaction,
              (const Context&, const TransactionOptions&), (override));
  MOCK_METHOD(std::vector<absl::StatusOr<Result>>, ExecBatch,
              (const Context&, std::vector<BatchStatement>), (override));
  MOCK_METHOD(absl::Status, Migrate, (const Context&, std::string_view), (override));
  MOCK_METHOD(absl::StatusOr<std::vector<DatabaseInfo>>, ListDatabases, (const Context&),
              (override));
};

// Rows from literal values, after which they end with `end`.
class LiteralRows : public Rows {
 public:
  LiteralRows(std::vector<std::string> columns, std::vector<std::vector<Value>> rows,
              absl::Status end)
      : columns_(std::move(columns)), rows_(std::move(rows)), end_(std::move(end)) {}

  bool Next() override { return next_ < rows_.size() && ++next_ > 0; }
  std::vector<Value> Values() const override { return rows_[next_ - 1]; }
  std::vector<std::string> Columns() const override { return columns_; }
  absl::Status Err() const override { return next_ < rows_.size() ? absl::OkStatus() : end_; }
  absl::Status Close() override { return Err(); }
  int64_t RowsAffected() const override { return 0; }

  // The command reads whole rows by their names, and nothing else.
  absl::Status ScanRow(std::span<const Destination>) override {
    return absl::UnimplementedError("Scan");
  }
  const std::vector<ColumnType>& ColumnTypes() const override { return types_; }

 private:
  const std::vector<std::string> columns_;
  const std::vector<ColumnType> types_;
  const std::vector<std::vector<Value>> rows_;
  const absl::Status end_;
  size_t next_ = 0;
};

inline std::unique_ptr<Rows> MakeRows(std::vector<std::string> columns,
                                      std::vector<std::vector<Value>> rows,
                                      absl::Status end = absl::OkStatus()) {
  return std::make_unique<LiteralRows>(std::move(columns), std::move(rows), std::move(end));
}

}  // namespace penstock::cli

#endif  // PENSTOCK_TESTS_UNIT_CLI_MOCK_PROVIDER_H_
