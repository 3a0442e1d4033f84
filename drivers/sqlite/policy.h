// Refuses what a client's statement may not do, as SQLite's own parser reads it.
#ifndef PENSTOCK_DRIVERS_SQLITE_POLICY_H_
#define PENSTOCK_DRIVERS_SQLITE_POLICY_H_

#include "drivers/sqlite_engine/policy.h"

namespace penstock::sqlite {

// The policy of a database in a file.
class FilePolicy final : public sqlite_engine::Policy {
 public:
  explicit FilePolicy(bool allow_attach) : allow_attach_(allow_attach) {}

  // While this is on, a client's transaction is open, and what ends with it may be set:
  // PragmaRule::kOfTransaction.
  void set_in_transaction(bool in_transaction) { in_transaction_ = in_transaction; }

 private:
  int Decide(int action, const char* first, const char* second, const char* database) override;
  int DecideInside(int action, const char* first, const char* second,
                   const char* database) override;
  int DecideAttach();
  int DecidePragma(const char* name, const char* argument);

  const bool allow_attach_;
  bool in_transaction_ = false;
};

}  // namespace penstock::sqlite

#endif  // PENSTOCK_DRIVERS_SQLITE_POLICY_H_
