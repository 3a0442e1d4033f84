// A result that did not fit into its first batch.
#ifndef PENSTOCK_DRIVERS_POSTGRES_CURSOR_H_
#define PENSTOCK_DRIVERS_POSTGRES_CURSOR_H_

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "drivers/api/value.h"
#include "drivers/postgres/connection.h"

namespace penstock::postgres {

// Rows wait in the server and in the socket until they are fetched. Destroyed
// early it cancels the statement and waits for its end.
class Cursor final : public driver::Cursor {
 public:
  Cursor(Connection* connection, const driver::StatementRun* run, const Statement* statement,
         std::unique_ptr<Connection::Watch> watch, std::unique_ptr<Connection::Command> command);
  ~Cursor() override;

  absl::StatusOr<bool> Fetch(const driver::BatchLimits& limits, driver::RowWriter* writer) override;
  const driver::Summary& summary() const override { return rest_.summary; }

 private:
  void Finish();

  Connection* const connection_;
  // Nothing else is prepared, so that the cache keeps it.
  const Statement* const statement_;
  const std::unique_ptr<Connection::Watch> watch_;
  const std::unique_ptr<Connection::Command> command_;
  // The parameters of that, for errors, which must not have their values: bytes, arrays
  // and all.
  driver::Value Copy(const driver::Value& value);
  std::deque<std::string> texts_;
  std::deque<std::vector<driver::Value>> arrays_;
  std::vector<driver::Value> args_;
  // What Receive works on: the run that opened the cursor may be gone.
  driver::StatementRun rest_;
  bool finished_ = false;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_CURSOR_H_
