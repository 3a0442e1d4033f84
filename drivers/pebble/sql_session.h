// SQL for one connection: a SQLite database in memory whose tables are keyspaces.
#ifndef PENSTOCK_DRIVERS_PEBBLE_SQL_SESSION_H_
#define PENSTOCK_DRIVERS_PEBBLE_SQL_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "drivers/pebble/keyspace_table.h"
#include "drivers/pebble/operations.h"
#include "drivers/pebble/sql_policy.h"
#include "drivers/pebble/store.h"
#include "drivers/sqlite_engine/database.h"
#include "drivers/sqlite_engine/statement.h"
#include "drivers/sqlite_engine/statement_executor.h"
#include "rocksdb/snapshot.h"
#include "rocksdb/utilities/transaction.h"

namespace penstock::pebble {

// Nothing is stored in the database but the declarations of the tables, which
// follow the store's. Used by its connection's thread only.
class SqlSession {
 public:
  // The store outlives the session.
  static absl::StatusOr<std::unique_ptr<SqlSession>> Open(Store* store);
  SqlSession(const SqlSession&) = delete;
  SqlSession& operator=(const SqlSession&) = delete;

  // The statement of this text, prepared against the tables that there are now. It
  // is the caller's until the next call. While another statement is being stepped
  // it must not be called.
  absl::StatusOr<sqlite_engine::Statement*> Get(std::string_view sql);
  // The same if it has been prepared; null: it has not.
  sqlite_engine::Statement* Peek(std::string_view sql) const { return statements_.Peek(sql); }

  sqlite_engine::StatementExecutor* executor() { return &executor_; }

  // Carries out a statement that creates or drops a table.
  void Define(driver::StatementRun* run, sqlite_engine::Statement* statement);

 private:
  friend class StatementScope;

  // Tells a failure as the table knows it, if it was one that has failed.
  class TableExecutor final : public sqlite_engine::StatementExecutor {
   public:
    TableExecutor(sqlite3* db, SqlPolicy* policy, const TableContext* context)
        : StatementExecutor(db, policy), context_(context) {}
    absl::Status Failure(std::string_view sql) const override;

   private:
    const TableContext* const context_;
  };

  SqlSession(Store* store, sqlite_engine::Database db);

  // Declares and undeclares tables until they are the store's.
  absl::Status FollowStore();
  absl::Status DeclareChanges(const std::vector<Table>& before, const std::vector<Table>& now);
  absl::Status CreateTable(const sqlite_engine::Statement& statement);
  absl::Status Undeclare(const Table& table);
  absl::Status Control(const std::string& sql);
  // Ends the transaction of FollowStore if one is open; no deadline, cancellation or budget of
  // memory hinders it.
  absl::Status Undo();

  TableContext context_;
  SqlPolicy policy_;
  sqlite_engine::Database db_;
  TableExecutor executor_;
  sqlite_engine::StatementCache statements_;
  // The store's as of context_.tables; 0: look again.
  uint64_t version_ = 0;
};

// Tells the tables where to read and write while a statement runs: all of it in one
// snapshot. The statement has been reset when the scope ends.
class StatementScope {
 public:
  // A transaction that has a snapshot reads that; one that has none is given one
  // for as long as the scope lives. Null: what is committed now. `writes` is the statement if
  // it writes.
  StatementScope(SqlSession* session, rocksdb::Transaction* transaction,
                 const sqlite_engine::Statement* writes = nullptr);
  ~StatementScope();
  StatementScope(const StatementScope&) = delete;
  StatementScope& operator=(const StatementScope&) = delete;

 private:
  TableContext* const context_;
  rocksdb::Transaction* const transaction_;
  const bool clears_snapshot_;
  const rocksdb::Snapshot* snapshot_ = nullptr;
};

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_SQL_SESSION_H_
