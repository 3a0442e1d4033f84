// GoogleMock classes for tests of code that uses Penstock. Needs GoogleMock, which the library
// itself does not link.
//
// The templates Query and Exec call QueryArgs and ExecArgs, so set expectations on these:
//
//   penstock::MockProvider db;
//   EXPECT_CALL(db, ExecArgs(_, "DELETE FROM users WHERE id = $1", ElementsAre(Value(7))))
//       .WillOnce(Return(penstock::Result(1)));
//   EXPECT_CALL(db, QueryArgs).WillOnce([](auto&&...) {
//     return penstock::MakeRows({"id", "name"}, {{1, "Ada"}, {2, nullptr}});
//   });
//
// Calls that do not block (async.h) call them, too, in threads of their own, so that the mock must
// outlive them.
//
// penstock::MakeError (errors.h) makes a failure.
//
// Where a test sets no expectation, the mocks behave as follows:
//
//   Connect, Close, Ping, Migrate, Commit, Rollback and savepoints succeed.
//   A keyspace is empty and accepts writes without keeping them; see MockKeyValue.
//   Provider::Transaction opens a transaction that passes its statements and keyspaces on to the
//   provider, so that a test sets its expectations on the provider alone. The transaction must not
//   outlive the mock.
//   ExecBatch and ExecUntilFailure run their statements by ExecArgs.
//   Every other statement fails with UNIMPLEMENTED and a message that has the statement's text.
//   The dialect is SQLite's. To change it: ON_CALL(db, Dialect).WillByDefault(Return(…)).
#ifndef PENSTOCK_MOCKS_H_
#define PENSTOCK_MOCKS_H_

#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "penstock/make_rows.h"  // IWYU pragma: export
#include "penstock/penstock.h"   // IWYU pragma: export

namespace penstock {

namespace internal {

// The error of a statement for which the test has set no expectation.
inline absl::Status Unexpected(std::string_view method, std::string_view sql) {
  const std::string message = "no EXPECT_CALL or ON_CALL says what " + std::string(method) +
                              " returns for: " + std::string(sql);
  return MakeError(absl::StatusCode::kUnimplemented, message, {.reason = "UNSUPPORTED"});
}

// Makes every statement of a mock fail with Unexpected until the test sets an expectation.
template <typename Mock>
void RefuseStatements(Mock& mock) {
  ON_CALL(mock, QueryArgs).WillByDefault([](const Context&, std::string_view sql, const Args&) {
    return Unexpected("QueryArgs", sql);
  });
  ON_CALL(mock, ExecArgs).WillByDefault([](const Context&, std::string_view sql, const Args&) {
    return Unexpected("ExecArgs", sql);
  });
  ON_CALL(mock, ExecRows)
      .WillByDefault([](const Context&, std::string_view sql, const std::vector<Args>&) {
        return Unexpected("ExecRows", sql);
      });
  ON_CALL(mock, Prepare).WillByDefault([](const Context&, std::string_view sql) {
    return Unexpected("Prepare", sql);
  });
}

}  // namespace internal

class MockStatement : public Statement {
 public:
  MockStatement() {
    ON_CALL(*this, QueryArgs).WillByDefault([](const Context&, const Args&) {
      return internal::Unexpected("MockStatement::QueryArgs", "a prepared statement");
    });
    ON_CALL(*this, ExecArgs).WillByDefault([](const Context&, const Args&) {
      return internal::Unexpected("MockStatement::ExecArgs", "a prepared statement");
    });
  }

  MOCK_METHOD(absl::StatusOr<std::unique_ptr<Rows>>, QueryArgs, (const Context&, Args), (override));
  MOCK_METHOD(absl::StatusOr<Result>, ExecArgs, (const Context&, Args), (override));
  MOCK_METHOD(int, ParameterCount, (), (const, override));
  MOCK_METHOD(std::vector<ColumnType>, ColumnTypes, (), (const, override));
  MOCK_METHOD(absl::Status, Close, (), (override));
};

// A keyspace that is empty: no key is found, a scan has no entries, a write succeeds. A test
// answers a scan with MakeEntries (key_value.h).
class MockKeyValue : public KeyValue {
 public:
  MockKeyValue() {
    ON_CALL(*this, Get).WillByDefault([](auto&&...) { return std::optional<std::string>(); });
    ON_CALL(*this, BatchGet)
        .WillByDefault([](const Context&, const std::vector<std::string>& keys) {
          return std::vector<std::optional<std::string>>(keys.size());
        });
    ON_CALL(*this, DeleteRange).WillByDefault(::testing::Return(0));
    ON_CALL(*this, DeletePrefix).WillByDefault(::testing::Return(0));
    ON_CALL(*this, Scan(::testing::_, ::testing::_)).WillByDefault([](auto&&...) {
      return MakeEntries({});
    });
    ON_CALL(*this, Write).WillByDefault([](auto&&...) { return WriteResult(); });
  }

  // Declares the overload without options, which calls the mocked one.
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

class MockTransaction : public Transaction {
 public:
  MockTransaction() {
    ON_CALL(*this, Dialect).WillByDefault(::testing::Return(sql::Dialect::kSqlite));
    internal::RefuseStatements(*this);
    ON_CALL(*this, KeyValue).WillByDefault([](auto&&...) {
      return std::make_unique<::testing::NiceMock<MockKeyValue>>();
    });
  }

  // Passes statements and keyspaces on to `provider`, which must outlive this transaction.
  void ForwardTo(Provider& provider) {
    ON_CALL(*this, Dialect).WillByDefault([&](const Context& ctx) {
      return provider.Dialect(ctx);
    });
    ON_CALL(*this, QueryArgs)
        .WillByDefault([&](const Context& ctx, std::string_view sql, Args args) {
          return provider.QueryArgs(ctx, sql, std::move(args));
        });
    ON_CALL(*this, ExecArgs)
        .WillByDefault([&](const Context& ctx, std::string_view sql, Args args) {
          return provider.ExecArgs(ctx, sql, std::move(args));
        });
    ON_CALL(*this, ExecRows)
        .WillByDefault([&](const Context& ctx, std::string_view sql, std::vector<Args> rows) {
          return provider.ExecRows(ctx, sql, std::move(rows));
        });
    ON_CALL(*this, Prepare).WillByDefault([&](const Context& ctx, std::string_view sql) {
      return provider.Prepare(ctx, sql);
    });
    ON_CALL(*this, KeyValue).WillByDefault([&](std::string_view keyspace) {
      return provider.KeyValue(keyspace);
    });
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

class MockProvider : public Provider {
 public:
  // Declares the overload without options, which calls the mocked one.
  using Provider::Transaction;

  MockProvider() {
    ON_CALL(*this, Dialect).WillByDefault(::testing::Return(sql::Dialect::kSqlite));
    internal::RefuseStatements(*this);
    RunBatchesOneByOne();
    MakeTransactionsAndKeyspaces();
    TellOfOneDatabase();
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
  MOCK_METHOD(std::vector<absl::StatusOr<Result>>, ExecUntilFailure,
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

 private:
  void RunBatchesOneByOne() {
    ON_CALL(*this, ExecBatch)
        .WillByDefault([this](const Context& ctx, std::vector<BatchStatement> batch) {
          std::vector<absl::StatusOr<Result>> outcomes;
          for (BatchStatement& one : batch) {
            outcomes.push_back(ExecArgs(ctx, one.sql, std::move(one.args)));
          }
          return outcomes;
        });
    ON_CALL(*this, ExecUntilFailure)
        .WillByDefault([this](const Context& ctx, std::vector<BatchStatement> batch) {
          std::vector<absl::StatusOr<Result>> outcomes;
          for (BatchStatement& one : batch) {
            const bool runs = outcomes.empty() || outcomes.back().ok();
            outcomes.push_back(runs ? ExecArgs(ctx, one.sql, std::move(one.args))
                                    : absl::StatusOr<Result>(absl::AbortedError("not run")));
          }
          return outcomes;
        });
  }

  void MakeTransactionsAndKeyspaces() {
    using ::testing::_;
    ON_CALL(*this, Transaction(_, _)).WillByDefault([this](auto&&...) {
      auto transaction = std::make_unique<::testing::NiceMock<MockTransaction>>();
      transaction->ForwardTo(*this);
      return transaction;
    });
    ON_CALL(*this, KeyValue).WillByDefault([](auto&&...) {
      return std::make_unique<::testing::NiceMock<MockKeyValue>>();
    });
  }

  void TellOfOneDatabase() {
    using ::testing::_;
    ON_CALL(*this, Inspect).WillByDefault([](auto&&...) {
      return PingInfo{.database = "main", .driver = "sqlite", .dialect = "sqlite"};
    });
    ON_CALL(*this, ListDatabases).WillByDefault([](auto&&...) {
      return std::vector<DatabaseInfo>{{.name = "main", .driver = "sqlite", .is_default = true}};
    });
    ON_CALL(*this, Migrate(_, _, _)).WillByDefault([](auto&&...) { return MigrateResult(); });
    ON_CALL(*this, MigrationStatus(_, _)).WillByDefault([](auto&&...) {
      return MigrationReport();
    });
    ON_CALL(*this, MigrationStatus(_, _, _)).WillByDefault([](auto&&...) {
      return MigrationReport();
    });
  }
};

}  // namespace penstock

#endif  // PENSTOCK_MOCKS_H_
