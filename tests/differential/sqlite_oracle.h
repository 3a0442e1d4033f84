// The SQLite library that this program is linked with, as the sqlite3 shell sets it up.
#ifndef PENSTOCK_TESTS_DIFFERENTIAL_SQLITE_ORACLE_H_
#define PENSTOCK_TESTS_DIFFERENTIAL_SQLITE_ORACLE_H_

#include <sqlite3.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/differential/backend.h"

namespace penstock::differential {

struct CloseSqlite {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using SqliteDatabase = std::unique_ptr<sqlite3, CloseSqlite>;
using SqliteStatement = std::unique_ptr<sqlite3_stmt, CloseSqlite>;

// What Oracle says, for SQLite.
class SqliteOracle : public Oracle {
 public:
  // A database in a file of `folder`, which is made.
  static absl::StatusOr<std::unique_ptr<Oracle>> Open(const std::string& folder);

  Answer Run(const std::string& sql, const Values& args) override;
  bool Prepares(const std::string& sql) override;
  bool in_transaction() const override;
  bool Same(const v1::Value& own, const v1::Value& gateways, v1::Kind declared) override;
  std::vector<std::string> CompareStored(const std::string& folder) override;
  bool TakeOver(const std::string& folder) override;

 private:
  explicit SqliteOracle(std::string path) : path_(std::move(path)) {}
  absl::Status OpenSession();
  Answer RunInSession(const std::string& sql, const Values& args);
  SqliteStatement Prepare(const std::string& sql);
  // Steps it to its end.
  void Step(sqlite3_stmt* statement, Answer* answer);
  static int Authorize(void* self, int action, const char* first, const char* second,
                       const char* database, const char* trigger);
  static int OnProgress(void* self);

  const std::string path_;
  SqliteDatabase db_;
  // Of the statement that was prepared last.
  bool makes_temporary_ = false;
  bool reads_last_insert_id_ = false;
  bool session_changed_ = false;
  std::chrono::steady_clock::time_point give_up_;
  bool gave_up_ = false;
};

}  // namespace penstock::differential

#endif  // PENSTOCK_TESTS_DIFFERENTIAL_SQLITE_ORACLE_H_
