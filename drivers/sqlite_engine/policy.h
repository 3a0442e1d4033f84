// Refuses what a client's statement may not do, as SQLite's own parser has read it.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_POLICY_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_POLICY_H_

#include "absl/status/status.h"

struct sqlite3;

namespace penstock::sqlite_engine {

class StatementExecutor;

// The authorizer of one connection. It outlives the connection. What no driver
// allows is refused here: transaction control as text, and the functions that
// functions.h refuses. A driver refuses more in a subclass.
//
// SQLite asks it in two places. While a client's text is prepared (PreparingScope)
// everything is the client's. While a statement is stepped it is what SQLite does by
// itself: the statements inside of full-text search, R*Tree, VACUUM and ALTER TABLE,
// with transactions of their own, and statements that it prepares anew because the
// schema has changed. Of these the text was allowed before, and what a view or a
// trigger of the new schema may do is decided by DecideInside.
class Policy {
 public:
  Policy() = default;
  virtual ~Policy() = default;
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;

  void Install(sqlite3* db);

  // Everything is allowed while this is on: the driver's own statements.
  void set_trusted(bool trusted) { trusted_ = trusted; }

  // Makes preparing end when the executor's watch says so: SQLite asks nothing else
  // while it prepares. The executor goes before the policy is used again; null: none.
  void set_executor(const StatementExecutor* executor) { executor_ = executor; }
  const StatementExecutor* executor() const { return executor_; }

  // Why SQLite has answered SQLITE_AUTH.
  const absl::Status& refusal() const { return refusal_; }

  // The statement that was prepared makes temporary objects or attaches a
  // database: once it has run, the session is not as new any more.
  bool changes_session() const { return changes_session_; }

  // The statement that was prepared asks for what SQLite counts on a connection:
  // changes(), total_changes() or last_insert_rowid(). In a trigger they are the
  // statement's own.
  bool reads_counters() const { return reads_counters_; }

  // The statement that was prepared changes the schema or the planner's statistics, not rows
  // that a caller would count.
  bool defines() const { return defines_; }

  // Returns the number that a subclass has noted for the statement that was prepared; 0: none.
  int note() const { return note_; }

 protected:
  // SQLITE_OK, or what Refuse returns. The arguments are sqlite3_set_authorizer's.
  // Decide is for a client's text, DecideInside for what SQLite does while it steps.
  virtual int Decide(int action, const char* first, const char* second, const char* database);
  virtual int DecideInside(int action, const char* first, const char* second, const char* database);

  int Refuse(absl::Status why);
  void NoteChangeOfSession() { changes_session_ = true; }
  void set_note(int note) { note_ = note; }

 private:
  friend class PreparingScope;

  // Forgets what was seen.
  void Reset();
  int DecideFunction(const char* name);
  void NoteCounters(const char* function);
  static int Authorize(void* self, int action, const char* first, const char* second,
                       const char* database, const char* trigger);

  bool trusted_ = false;
  bool preparing_ = false;
  const StatementExecutor* executor_ = nullptr;
  bool changes_session_ = false;
  bool reads_counters_ = false;
  bool defines_ = false;
  int note_ = 0;
  absl::Status refusal_;
};

// Trusts for as long as it lives.
class TrustedScope {
 public:
  explicit TrustedScope(Policy* policy) : policy_(policy) { policy_->set_trusted(true); }
  ~TrustedScope() { policy_->set_trusted(false); }
  TrustedScope(const TrustedScope&) = delete;
  TrustedScope& operator=(const TrustedScope&) = delete;

 private:
  Policy* const policy_;
};

// A client's text is prepared for as long as it lives. What the policy saw of an earlier
// one is forgotten when it begins, the refusal stays when it ends.
class PreparingScope {
 public:
  explicit PreparingScope(Policy* policy) : policy_(policy) {
    policy_->Reset();
    policy_->preparing_ = true;
  }
  ~PreparingScope() {
    policy_->preparing_ = false;
    policy_->changes_session_ = false;
    policy_->reads_counters_ = false;
    policy_->defines_ = false;
    policy_->note_ = 0;
  }
  PreparingScope(const PreparingScope&) = delete;
  PreparingScope& operator=(const PreparingScope&) = delete;

 private:
  Policy* const policy_;
};

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_POLICY_H_
