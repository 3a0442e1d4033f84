// Prepared statements and the cache of them that each connection keeps.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_STATEMENT_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_STATEMENT_H_

#include <cstddef>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "drivers/sqlite_engine/parameter_stores.h"
#include "drivers/sqlite_engine/parameters.h"
#include "drivers/sqlite_engine/policy.h"
#include "drivers/sqlite_engine/values.h"

struct sqlite3;
struct sqlite3_stmt;

namespace penstock::sqlite_engine {

// A client's statement, prepared. Used by its connection's thread only.
class Statement {
 public:
  // Prepares one statement; refuses an empty text, several statements, what the
  // policy refuses, and parameters other than $1, $2, … or ?.
  static absl::StatusOr<std::unique_ptr<Statement>> Prepare(sqlite3* db, Policy* policy,
                                                            std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  sqlite3_stmt* handle() const { return handle_; }
  const std::string& sql() const { return sql_; }
  bool read_only() const { return read_only_; }
  bool returns_rows() const { return !columns_->empty(); }
  // It must not share a transaction with others: VACUUM, PRAGMA, and what
  // changes the session.
  bool runs_alone() const { return runs_alone_; }
  // See Policy::changes_session.
  bool changes_session() const { return changes_session_; }
  // See Policy::reads_counters.
  bool reads_counters() const { return reads_counters_; }
  // See Policy::defines.
  bool defines() const { return defines_; }
  bool is_vacuum() const { return is_vacuum_; }
  // See Policy::note; 0 of an EXPLAIN, which does nothing.
  int note() const { return note_; }
  int parameter_count() const { return parameter_count_; }

  // Returns the columns of the last run. The object changes only when the schema did.
  const driver::Columns& columns() const { return columns_; }
  // Looks again if SQLite had to prepare the statement anew.
  void RefreshColumns();

  // An error if the statement does not take so many arguments.
  absl::Status CheckCount(size_t arguments) const;
  // Gives every parameter its value; names the parameter that is wrong, and the column that
  // would not keep it (exact.h). A statement that writes is bound inside its transaction. The
  // bytes of the values must stay alive until Reset, unless they are copied.
  absl::Status Bind(std::span<const driver::Value> args, Bytes bytes);

  // Returns the values that Bind got. The caller keeps them alive until the first step has
  // returned.
  std::span<const driver::Value> arguments() const { return arguments_; }

  // Writes the current row.
  absl::Status WriteRow(driver::RowWriter* writer) const;

  // It ends so soon that others may wait behind it: as its last runs were, or
  // because a connection that only reads does not run it at all.
  bool brisk() const { return brisk_ || !read_only_; }
  void set_brisk(bool brisk) { brisk_ = brisk; }

  // Ready for the next run; nothing stays bound.
  void Reset();

 private:
  Statement(sqlite3_stmt* handle, std::string_view sql, AnonymousText anonymous, Policy* policy);
  absl::Status MapParameters();
  absl::Status CheckAllUsed() const;
  // Binds to the parameter at `index`, from 1. `*fresh`: stores_ is as of this run.
  absl::Status BindExactly(int index, const driver::Value& value, Bytes bytes, bool* fresh);
  void ReadColumns();

  sqlite3_stmt* const handle_;
  const std::string sql_;
  // The text that SQLite got instead, if the statement has many parameters.
  AnonymousText anonymous_;
  bool read_only_ = false;
  bool runs_alone_ = false;
  bool changes_session_ = false;
  const bool reads_counters_;
  const bool defines_;
  bool is_vacuum_ = false;
  const int note_;
  int parameter_count_ = 0;
  // Maps each of SQLite's parameters to the number of its argument, from 0.
  std::vector<int> argument_of_;
  std::span<const driver::Value> arguments_;
  Policy* const policy_;
  // Made when a value is bound that not every column keeps.
  std::unique_ptr<ParameterStores> stores_;
  driver::Columns columns_;
  int prepared_times_ = 0;
  bool brisk_ = false;
};

// Least recently used goes first. It keeps so many statements, and of long
// texts fewer. Not thread-safe.
class StatementCache {
 public:
  StatementCache(sqlite3* db, Policy* policy, size_t capacity)
      : db_(db), policy_(policy), capacity_(capacity) {}

  // The statement of this text, prepared now or before. It is the caller's
  // until the next call of Get.
  absl::StatusOr<Statement*> Get(std::string_view sql);
  // The same if it is there; null: it is not.
  Statement* Peek(std::string_view sql) const;
  // Forgets all of them; none is being stepped.
  void Clear();
  size_t size() const { return by_text_.size(); }

 private:
  using List = std::list<std::unique_ptr<Statement>>;

  void DropOldest();

  sqlite3* const db_;
  Policy* const policy_;
  const size_t capacity_;
  size_t text_bytes_ = 0;
  List recent_first_;
  // The keys are the statements' own texts.
  std::unordered_map<std::string_view, List::iterator> by_text_;
};

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_STATEMENT_H_
