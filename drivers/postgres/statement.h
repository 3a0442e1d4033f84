// The prepared statements of one connection.
#ifndef PENSTOCK_DRIVERS_POSTGRES_STATEMENT_H_
#define PENSTOCK_DRIVERS_POSTGRES_STATEMENT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "drivers/api/value.h"
#include "drivers/postgres/types.h"

namespace penstock::postgres {

// What the text of a statement gives away, before the server has seen it.
struct Text {
  // BEGIN, COMMIT, SAVEPOINT, …: belongs to the Transaction stream.
  bool controls_transaction = false;
  // COPY from or to the client.
  bool copies = false;
  // Nothing but white space, comments and semicolons.
  bool empty = false;
  // It may leave something behind in the session: a setting, a lock, a
  // temporary table. True where the text alone cannot tell.
  bool may_change_session = false;
  // PREPARE, DEALLOCATE, DISCARD: what the server has prepared may be gone.
  bool drops_prepared = false;
  // It begins with SELECT, VALUES, TABLE or SHOW: at its worst it writes by way
  // of a function or a WITH.
  bool reads = false;
};
Text Inspect(std::string_view sql);

// One statement that the server has prepared.
struct Statement {
  std::string name;
  std::string sql;
  Text text;
  // As the server has inferred or been told them.
  std::vector<const Type*> parameters;
  std::vector<const Type*> column_types;
  // Keeps those two alive: parameters, then columns.
  std::vector<TypePtr> types;
  // One of them is: they are to be asked for again before the next run.
  bool provisional = false;
  // Never null.
  driver::Columns columns;

  // Its rows may come in by COPY, as far as is known.
  bool may_copy = true;

  // How it has behaved so far: the longest time and the largest result, of
  // which older ones are forgotten little by little.
  bool has_run = false;
  std::chrono::nanoseconds time{};
  size_t result_bytes = 0;
  void Note(std::chrono::nanoseconds took, size_t bytes);
  // Short and small enough for others to wait behind it on the same connection.
  bool brisk() const;
};

// By text and declared parameter types; the least recently used one goes first.
class StatementCache {
 public:
  explicit StatementCache(size_t capacity) : capacity_(capacity) {}

  // `types`: those declared to the server, where not all are left to it.
  Statement* Find(std::string_view sql, const std::vector<uint32_t>& types = {});
  // The statement of the last Find without types, if its text is the same.
  Statement* FindAgain(std::string_view sql) {
    return last_ != nullptr && last_->sql == sql ? last_ : Find(sql);
  }
  Statement* Add(std::unique_ptr<Statement> statement, const std::vector<uint32_t>& types);
  void Remove(const Statement* statement);
  // The names of what was removed since, for the server to forget.
  std::vector<std::string> TakeRemoved() { return std::exchange(removed_, {}); }
  // The server has forgotten them all.
  void Clear();
  std::string NextName() { return "p" + std::to_string(++named_); }

 private:
  struct Entry {
    std::string key;
    std::unique_ptr<Statement> statement;
  };
  using Entries = std::list<Entry>;
  void Erase(Entries::iterator entry);

  const size_t capacity_;
  Entries entries_;  // the last used one first
  std::unordered_map<std::string_view, Entries::iterator> by_key_;
  std::vector<std::string> removed_;
  Statement* last_ = nullptr;
  uint64_t named_ = 0;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_STATEMENT_H_
