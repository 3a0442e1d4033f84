// For tests of code that uses Penstock: GoogleMock classes, and rows from values.
// Needs GoogleMock, which the library itself does not link.
//
// Query and Exec with arguments end in QueryArgs and ExecArgs, so that is what
// expectations are about:
//
//   penstock::MockProvider db;
//   EXPECT_CALL(db, ExecArgs(_, "DELETE FROM users WHERE id = $1", ElementsAre(Value(7))))
//       .WillOnce(Return(penstock::Result(1)));
//   EXPECT_CALL(db, QueryArgs).WillOnce([](auto&&...) {
//     return penstock::MakeRows({"id", "name"}, {{1, "Ada"}, {2, nullptr}});
//   });
//
// A failure is made by penstock::MakeError, see errors.h.
#ifndef PENSTOCK_MOCKS_H_
#define PENSTOCK_MOCKS_H_

#include <gmock/gmock.h>

#include <memory>
#include <string_view>
#include <vector>

#include "penstock/make_rows.h"  // IWYU pragma: export
#include "penstock/penstock.h"   // IWYU pragma: export

namespace penstock {

class MockStatement : public Statement {
 public:
  MOCK_METHOD(absl::StatusOr<std::unique_ptr<Rows>>, QueryArgs, (const Context&, Args), (override));
  MOCK_METHOD(absl::StatusOr<Result>, ExecArgs, (const Context&, Args), (override));
  MOCK_METHOD(int, ParameterCount, (), (const, override));
  MOCK_METHOD(std::vector<ColumnType>, ColumnTypes, (), (const, override));
  MOCK_METHOD(absl::Status, Close, (), (override));
};

class MockTransaction : public Transaction {
 public:
  // It speaks SQLite's dialect unless it is told another.
  MockTransaction() {
    ON_CALL(*this, Dialect).WillByDefault(::testing::Return(sql::Dialect::kSqlite));
  }

  MOCK_METHOD(absl::StatusOr<sql::Dialect>, Dialect, (const Context&), (override));
  MOCK_METHOD(absl::StatusOr<std::unique_ptr<Rows>>, QueryArgs,
              (const Context&, std::string_view, Args), (override));
  MOCK_METHOD(absl::StatusOr<Result>, ExecArgs, (const Context&, std::string_view, Args),
              (override));
  MOCK_METHOD(absl::StatusOr<Result>, ExecRows,
              (const Context&, std::string_view, std::vector<Args>), (override));
  MOCK_METHOD(absl::StatusOr<std::unique_ptr<Statement>>, Prepare,
              (const Context&, std::string_view), (override));
  MOCK_METHOD(absl::Status, Commit, (const Context&), (override));
  MOCK_METHOD(absl::Status, Rollback, (const Context&), (override));
  MOCK_METHOD(absl::Status, Savepoint, (const Context&, std::string_view), (override));
  MOCK_METHOD(absl::Status, RollbackTo, (const Context&, std::string_view), (override));
  MOCK_METHOD(absl::Status, Release, (const Context&, std::string_view), (override));
  MOCK_METHOD(std::unique_ptr<penstock::KeyValue>, KeyValue, (std::string_view), (override));
};

// A scan is answered with MakeEntries, see key_value.h.
class MockKeyValue : public KeyValue {
 public:
  // The form without options calls the mocked one.
  using KeyValue::Scan;

  MOCK_METHOD(absl::StatusOr<std::optional<std::string>>, Get, (const Context&, std::string_view),
              (override));
  MOCK_METHOD(absl::StatusOr<std::vector<std::optional<std::string>>>, BatchGet,
              (const Context&, const std::vector<std::string>&), (override));
  MOCK_METHOD(absl::Status, Put, (const Context&, std::string_view, std::string_view), (override));
  MOCK_METHOD(absl::Status, Delete, (const Context&, std::string_view), (override));
  MOCK_METHOD(absl::StatusOr<int64_t>, DeleteRange, (const Context&, const KeyRange&), (override));
  MOCK_METHOD(absl::StatusOr<int64_t>, DeletePrefix, (const Context&, std::string_view),
              (override));
  MOCK_METHOD(absl::StatusOr<std::unique_ptr<Entries>>, Scan, (const Context&, const ScanOptions&),
              (override));
  MOCK_METHOD(absl::StatusOr<WriteResult>, Write,
              (const Context&, const std::vector<Condition>&, const std::vector<Mutation>&),
              (override));
};

class MockProvider : public Provider {
 public:
  // The form without options calls the mocked one.
  using Provider::Transaction;

  // It speaks SQLite's dialect unless it is told another.
  MockProvider() {
    ON_CALL(*this, Dialect).WillByDefault(::testing::Return(sql::Dialect::kSqlite));
  }

  MOCK_METHOD(absl::StatusOr<sql::Dialect>, Dialect, (const Context&), (override));

  MOCK_METHOD(absl::Status, Connect, (const Context&), (override));
  MOCK_METHOD(absl::Status, Close, (), (override));
  MOCK_METHOD(absl::Status, Ping, (const Context&), (override));
  MOCK_METHOD(absl::StatusOr<PingInfo>, Inspect, (const Context&), (override));
  MOCK_METHOD(absl::StatusOr<std::unique_ptr<penstock::Transaction>>, Transaction,
              (const Context&, const TransactionOptions&), (override));
  MOCK_METHOD(absl::StatusOr<std::unique_ptr<Rows>>, QueryArgs,
              (const Context&, std::string_view, Args), (override));
  MOCK_METHOD(absl::StatusOr<Result>, ExecArgs, (const Context&, std::string_view, Args),
              (override));
  MOCK_METHOD(absl::StatusOr<Result>, ExecRows,
              (const Context&, std::string_view, std::vector<Args>), (override));
  MOCK_METHOD(std::vector<absl::StatusOr<Result>>, ExecBatch,
              (const Context&, std::vector<BatchStatement>), (override));
  MOCK_METHOD(absl::StatusOr<std::unique_ptr<Statement>>, Prepare,
              (const Context&, std::string_view), (override));
  MOCK_METHOD(std::unique_ptr<penstock::KeyValue>, KeyValue, (std::string_view), (override));
  MOCK_METHOD(absl::Status, Migrate, (const Context&, std::string_view), (override));
  MOCK_METHOD(absl::StatusOr<MigrateResult>, Migrate,
              (const Context&, std::string_view, const MigrateOptions&), (override));
  MOCK_METHOD(absl::StatusOr<MigrationReport>, MigrationStatus, (const Context&, std::string_view),
              (override));
  MOCK_METHOD(absl::StatusOr<MigrationReport>, MigrationStatus,
              (const Context&, std::string_view, const std::vector<CodeMigration>&), (override));
  MOCK_METHOD(absl::StatusOr<std::vector<DatabaseInfo>>, ListDatabases, (const Context&),
              (override));
};

}  // namespace penstock

#endif  // PENSTOCK_MOCKS_H_
