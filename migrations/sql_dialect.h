// A history kept in a table of a SQL database.
#ifndef PENSTOCK_MIGRATIONS_SQL_DIALECT_H_
#define PENSTOCK_MIGRATIONS_SQL_DIALECT_H_

#include <string>
#include <utility>
#include <vector>

#include "migrations/dialect.h"

namespace penstock::migrations {

class SqlDialect : public Dialect {
 public:
  absl::Status CreateHistory(MigrationConnection* connection) override;
  absl::StatusOr<std::vector<HistoryRow>> ReadHistory(MigrationConnection* connection) override;
  absl::Status InsertRow(MigrationConnection* connection, const HistoryRow& row) override;
  absl::Status UpdateRow(MigrationConnection* connection, const HistoryRow& row) override;

 protected:
  explicit SqlDialect(std::string table) : table_(std::move(table)) {}

  const std::string& table() const { return table_; }
  // Beside it, where the lock is a lease.
  std::string LockTable() const;

  // The history's full name, quoted, so that what a step does to the session's
  // settings makes no difference.
  absl::StatusOr<std::string> QualifiedTable(MigrationConnection* connection) {
    return Qualified(connection, table_);
  }
  // Whether a name is that of the history, or of what the gateway keeps beside it: its lock,
  // and the keyspaces of drivers/sql_key_value.
  bool IsOurs(std::string_view name) const;
  // The type of a column for a point in time.
  virtual std::string_view timestamp_type() const = 0;
  // The type of the key.
  virtual std::string_view id_type() const { return "BIGINT"; }

  // InsertRowAndCommit in one round trip, for a dialect whose InsertStatement writes its row or
  // fails.
  absl::Status InsertAndCommit(MigrationConnection* connection, const HistoryRow& row);

  // The statement that writes a row. Its values are $1 ($1 is the id) to $10, in the order of
  // `columns`; `set` assigns all but the id.
  virtual std::string InsertStatement(const std::string& table, std::string_view columns) const;
  virtual std::string UpdateStatement(const std::string& table, std::string_view set) const;
  // Why such a statement has written no row.
  virtual absl::Status NothingWritten(const HistoryRow& row) const;

  // The first column of a query that has no values, without what IsOurs.
  absl::StatusOr<std::vector<std::string>> OthersNames(MigrationConnection* connection,
                                                       const std::string& sql);

 private:
  absl::Status Write(MigrationConnection* connection, const std::string& sql,
                     const HistoryRow& row);

  const std::string table_;
};

}  // namespace penstock::migrations

#endif  // PENSTOCK_MIGRATIONS_SQL_DIALECT_H_
