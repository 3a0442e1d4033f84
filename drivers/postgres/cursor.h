// A result that did not fit into its first batch.
#ifndef PENSTOCK_DRIVERS_POSTGRES_CURSOR_H_
#define PENSTOCK_DRIVERS_POSTGRES_CURSOR_H_

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "drivers/api/value.h"
#include "drivers/postgres/command_runner.h"
#include "drivers/postgres/result_receiver.h"
#include "drivers/postgres/session_keeper.h"
#include "drivers/postgres/statement.h"

namespace penstock::postgres {

// Rows wait in the server and in the socket until they are fetched. Destroyed early it drops what
// comes in a moment, cancels the statement if that is not all, and waits for its end. Either way
// it leaves the session clean.
class Cursor final : public driver::Cursor {
 public:
  // `runner`, `receiver` and `session` outlive the cursor. While it lives nothing else is
  // prepared, so that the statement stays in its cache.
  Cursor(CommandRunner* runner, ResultReceiver* receiver, SessionKeeper* session,
         const driver::StatementRun& run, const Statement* statement,
         std::unique_ptr<CommandWatch> watch, std::unique_ptr<PendingCommand> command);
  ~Cursor() override;

  absl::StatusOr<bool> Fetch(const driver::BatchLimits& limits, driver::RowWriter* writer) override;
  const driver::Summary& summary() const override { return rest_.summary; }

 private:
  driver::Value Copy(const driver::Value& value);
  void Finish();

  CommandRunner* const runner_;
  ResultReceiver* const receiver_;
  SessionKeeper* const session_;
  const Statement* const statement_;
  const std::unique_ptr<CommandWatch> watch_;
  const std::unique_ptr<PendingCommand> command_;
  // Copies of the parameters, bytes, arrays and all: errors must not have their values.
  std::deque<std::string> texts_;
  std::deque<std::vector<driver::Value>> arrays_;
  std::vector<driver::Value> args_;
  // What is received goes here, because the run that opened the cursor may be gone.
  driver::StatementRun rest_;
  bool finished_ = false;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_CURSOR_H_
