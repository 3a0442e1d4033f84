// What a client's statement may not do, decided by SQLite's own parser.
#ifndef PENSTOCK_DRIVERS_SQLITE_POLICY_H_
#define PENSTOCK_DRIVERS_SQLITE_POLICY_H_

#include "absl/status/status.h"

struct sqlite3;

namespace penstock::sqlite {

// The authorizer of one connection. It outlives the connection.
class Policy {
 public:
  explicit Policy(bool allow_attach) : allow_attach_(allow_attach) {}
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;

  void Install(sqlite3* db);

  // Everything is allowed while this is on: the driver's own statements.
  void set_trusted(bool trusted) { trusted_ = trusted; }

  // While this is on, what SQLite itself runs to vacuum is allowed: it begins a
  // transaction and attaches a temporary database. One with a file name is that
  // of VACUUM INTO.
  void set_vacuuming(bool vacuuming) { vacuuming_ = vacuuming; }

  // Forgets what was seen; to be called before a client's statement is prepared.
  void Reset() {
    refusal_ = absl::OkStatus();
    changes_session_ = false;
  }
  // Why SQLite has answered SQLITE_AUTH.
  const absl::Status& refusal() const { return refusal_; }

  // The statement that was prepared makes temporary objects or attaches a
  // database: once it has run, the session is not as new any more.
  bool changes_session() const { return changes_session_; }

 private:
  static int Authorize(void* self, int action, const char* first, const char* second,
                       const char* database, const char* trigger);
  int Decide(int action, const char* first, const char* second, const char* database);
  int DecidePragma(const char* name, const char* argument);
  int Refuse(absl::Status why);

  const bool allow_attach_;
  bool trusted_ = false;
  bool vacuuming_ = false;
  bool changes_session_ = false;
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

}  // namespace penstock::sqlite

#endif  // PENSTOCK_DRIVERS_SQLITE_POLICY_H_
