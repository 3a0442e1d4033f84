// The gateway's side: one client, which sends each statement in one of several ways.
#ifndef PENSTOCK_TESTS_DIFFERENTIAL_SESSION_H_
#define PENSTOCK_TESTS_DIFFERENTIAL_SESSION_H_

#include <list>
#include <memory>
#include <string>
#include <utility>

#include "tests/differential/answer.h"
#include "tests/differential/backend.h"
#include "tests/differential/mode.h"
#include "tests/differential/text.h"
#include "tests/support/wire.h"

namespace penstock::differential {

// One client of the gateway. Used by one thread.
class Session {
 public:
  Session(testing::Wire& wire, const Backend& backend, Mode mode);
  ~Session();

  // Runs a statement, in the transaction if one is open. Without `wants_rows` it is sent
  // where rows are not expected (Exec).
  Answer Run(const std::string& sql, const Values& args, bool wants_rows);

  bool in_transaction() const { return transaction_ != nullptr; }
  // As `control` says, a kBegin.
  Answer Begin(const Control& control);
  // Both end the transaction, whatever they answer.
  Answer Commit();
  Answer Rollback();
  Answer Savepoint(const std::string& name);
  Answer RollbackTo(const std::string& name);
  Answer Release(const std::string& name);

 private:
  using Stream = testing::TransactionStream;

  testing::Outcome RunPrepared(const std::string& sql, const Values& args);
  testing::Outcome RunPreparedInTransaction(const std::string& sql, const Values& args);
  testing::Outcome QueryInTransaction(const std::string& sql, const Values& args);
  testing::Outcome ExecInTransaction(const std::string& sql, const Values& args);
  // Sends a step and reads its answer to the end.
  testing::Outcome Step(const Stream::Request& request);
  Answer End(const Stream::Request& request);
  Answer ToAnswer(testing::Outcome outcome) const;
  v1::Format NextFormat();

  testing::Wire& wire_;
  const Backend& backend_;
  const Mode mode_;
  std::unique_ptr<Stream> transaction_;
  // The statement's text and its stream; the last used first.
  std::list<std::pair<std::string, std::unique_ptr<testing::PrepareStream>>> prepared_;
  bool columns_next_ = false;
};

}  // namespace penstock::differential

#endif  // PENSTOCK_TESTS_DIFFERENTIAL_SESSION_H_
