// What a client's statement may not do, decided by SQLite's own parser.
#ifndef PENSTOCK_DRIVERS_SQLENGINE_POLICY_H_
#define PENSTOCK_DRIVERS_SQLENGINE_POLICY_H_

#include "absl/status/status.h"

struct sqlite3;

namespace penstock::sqlengine {

// The authorizer of one connection. It outlives the connection. What no driver
// allows is refused here: transaction control as text, and load_extension. A
// driver refuses more in a subclass.
class Policy {
 public:
  Policy() = default;
  virtual ~Policy() = default;
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;

  void Install(sqlite3* db);

  // Everything is allowed while this is on: the driver's own statements.
  void set_trusted(bool trusted) { trusted_ = trusted; }

  // Forgets what was seen; to be called before a client's statement is prepared.
  void Reset();

  // Why SQLite has answered SQLITE_AUTH.
  const absl::Status& refusal() const { return refusal_; }

  // The statement that was prepared makes temporary objects or attaches a
  // database: once it has run, the session is not as new any more.
  bool changes_session() const { return changes_session_; }

  // The statement that was prepared changes the schema or the planner's statistics, not rows
  // that a caller would count.
  bool defines() const { return defines_; }

  // What a subclass has noted of the statement that was prepared, in numbers of its
  // own; 0: nothing.
  int note() const { return note_; }

 protected:
  // SQLITE_OK, or what Refuse returns. The arguments are sqlite3_set_authorizer's.
  virtual int Decide(int action, const char* first, const char* second, const char* database);

  int Refuse(absl::Status why);
  void NoteChangeOfSession() { changes_session_ = true; }
  void set_note(int note) { note_ = note; }

 private:
  static int Authorize(void* self, int action, const char* first, const char* second,
                       const char* database, const char* trigger);

  bool trusted_ = false;
  bool changes_session_ = false;
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

}  // namespace penstock::sqlengine

#endif  // PENSTOCK_DRIVERS_SQLENGINE_POLICY_H_
