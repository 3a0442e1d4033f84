// The prepared statements of one connection.
#ifndef PENSTOCK_DRIVERS_POSTGRES_STATEMENT_H_
#define PENSTOCK_DRIVERS_POSTGRES_STATEMENT_H_

#include <algorithm>
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
#include "drivers/postgres/effects.h"
#include "drivers/postgres/syntax.h"
#include "drivers/postgres/types.h"

namespace penstock::postgres {

// One statement that the server has described.
struct Statement {
  explicit Statement(const Syntax& syntax)
      : verb(syntax.verb),
        only_reads(syntax.only_reads),
        keeps_meaning(syntax.keeps_meaning),
        keeps_schema(syntax.keeps_schema),
        forgets_prepared(syntax.forgets_prepared) {}

  // Under which the server keeps it prepared; empty: it does not, and is sent the text
  // each time.
  std::string name;
  std::string sql;
  Syntax::Verb verb = Syntax::Verb::kUnknown;
  // These four as Syntax has them.
  bool only_reads = false;
  bool keeps_meaning = false;
  bool keeps_schema = false;
  bool forgets_prepared = false;
  Effects effects;
  // The types that the server has inferred or been told.
  std::vector<const Type*> parameters;
  std::vector<const Type*> column_types;
  // Keeps those two alive: parameters, then columns.
  std::vector<TypePtr> types;
  // One of them is: they are to be asked for again before the next run.
  bool provisional = false;
  // Never null.
  driver::Columns columns;
  // It was described just now, and not for an earlier run.
  bool fresh = true;

  // Its rows may come in by COPY, as far as is known.
  bool may_copy = true;

  // It does nothing but read: it may be repeated, and share a transaction.
  bool reads() const {
    return (verb == Syntax::Verb::kSelect || verb == Syntax::Verb::kShow) && !effects.writes;
  }

  // See Syntax.
  bool plannable() const { return verb == Syntax::Verb::kSelect || verb == Syntax::Verb::kWrite; }

  // How it has behaved so far: the longest time and the largest result, of
  // which older ones are forgotten little by little.
  bool has_run = false;
  std::chrono::nanoseconds time{};
  size_t result_bytes = 0;
  void Note(std::chrono::nanoseconds took, size_t bytes);
  // Short and small enough for others to wait behind it on the same connection.
  bool brisk() const;

  // What has failed may fail again. So many of its next runs share no sync, so that none undoes
  // what others have done.
  static constexpr int kRunsApart = 64;
  int runs_apart = 0;
  // To be called after each run.
  void NoteOutcome(bool failed) { runs_apart = failed ? kRunsApart : std::max(runs_apart - 1, 0); }
};

// Finds statements by text and declared parameter types. The least recently used one goes first.
//
// A statement means what its text means under the settings that the session has. So what
// was described while a client has changed them (in a scope) is found in that scope only,
// and what was described before is not found in it.
//
// A pointer to a statement is good until the next Bury, also when it is removed before.
class StatementCache {
 public:
  explicit StatementCache(size_t capacity);

  // `types`: those declared to the server, where not all are left to it. What is found is
  // not fresh any more.
  Statement* Find(std::string_view sql, const std::vector<uint32_t>& types = {});
  // The statement of the last Find without types, if its text is the same.
  Statement* FindAgain(std::string_view sql);
  Statement* Add(std::unique_ptr<Statement> statement, const std::vector<uint32_t>& types);
  // One that is not to be found again: what it is may be another thing each time (FETCH).
  Statement* Lend(std::unique_ptr<Statement> statement) {
    return graves_.emplace_back(std::move(statement)).get();
  }
  void Remove(const Statement* statement);
  // Removes all of them.
  void RemoveAll();
  // The server has forgotten them all.
  void Clear();
  // Frees those that were removed or lent.
  void Bury() { graves_.clear(); }

  // The settings of the session are others from now on, and those of before again.
  void EnterScope();
  void LeaveScopes();
  bool in_scope() const { return !scope_.empty(); }

  // A name that nobody has had and nobody can guess.
  std::string NextName() { return prefix_ + std::to_string(++named_); }
  // The server has prepared this name, but the statement was not kept.
  void Abandon(std::string name) { removed_.push_back(std::move(name)); }
  // The names of what was removed since, for the server to forget.
  std::vector<std::string> TakeRemoved() { return std::exchange(removed_, {}); }
  size_t removed() const { return removed_.size(); }
  // How many names the server has.
  size_t names() const { return kept_ + removed_.size(); }

 private:
  struct Entry {
    std::string key;
    std::unique_ptr<Statement> statement;
    bool scoped = false;
  };
  using Entries = std::list<Entry>;
  std::string KeyOf(std::string_view sql, const std::vector<uint32_t>& types) const;
  void Erase(Entries::iterator entry);

  const size_t capacity_;
  const std::string prefix_;
  Entries entries_;  // the last used one first
  std::unordered_map<std::string_view, Entries::iterator> by_key_;
  std::vector<std::unique_ptr<Statement>> graves_;
  std::vector<std::string> removed_;
  size_t kept_ = 0;
  Statement* last_ = nullptr;
  uint64_t named_ = 0;
  std::string scope_;
  uint64_t scopes_ = 0;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_STATEMENT_H_
