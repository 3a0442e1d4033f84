// Puts the values of parameters into the form in which they travel, and sends them.
#ifndef PENSTOCK_DRIVERS_POSTGRES_STATEMENT_SENDER_H_
#define PENSTOCK_DRIVERS_POSTGRES_STATEMENT_SENDER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "drivers/api/driver.h"
#include "drivers/postgres/encode.h"
#include "drivers/postgres/link.h"
#include "drivers/postgres/statement.h"
#include "drivers/postgres/types.h"

namespace penstock::postgres {

// Owns the memory that the values of one execution need, and reuses it for the next one.
// Everything is queued at the link without a sync.
class StatementSender {
 public:
  // `link` outlives the sender.
  explicit StatementSender(Link* link) : link_(link) {}

  // Queues one execution. False: the run's status says why it could not be sent. `leads`: the
  // statement is the first of its segment, and no transaction is open; the commands that lead it
  // are queued in front of it.
  bool Send(driver::StatementRun* run, const Statement& statement,
            std::span<const driver::Value> args, bool leads = false);
  // The number of commands that lead a statement: the beginning of a read-only transaction, if the
  // caller may only read, and the settings. Each has a result of its own, for
  // CommandRunner::FinishCommands. They are in the segment of the statement, so that it is not run
  // if one of them fails.
  static int Leading(const driver::StatementRun& run) {
    return (run.must_only_read ? 1 : 0) + (run.settings.empty() ? 0 : 1);
  }

  // Queues the command that gives the session the settings until the end of the transaction, or of
  // the segment outside of one. Without settings nothing is queued. False: the link is broken.
  bool SendSettings(std::span<const driver::Setting> settings);

  // Makes the values of `args` ready for SendEncoded; `args` has to stay alive until then.
  absl::Status Encode(std::span<const driver::Value> args, const Statement& statement);
  // Queues one execution of a statement that is not prepared. False: the link is broken.
  bool SendEncoded(const Statement& statement);

  // Queues an execution of the prepared statement `name`, which takes for each parameter an
  // array of its values in `rows`. `types` are those of the elements. False: a value does not
  // suit its type, or the link is broken.
  bool SendArrays(const std::string& name, std::span<const std::vector<driver::Value>> rows,
                  std::span<const Type* const> types);

  // Makes the values of the first rows ready for SendSeveral, as many as one statement should
  // have and `most` at most. Returns the number of rows; 0: a value does not suit its type.
  size_t EncodeSeveral(std::span<const std::vector<driver::Value>> rows,
                       std::span<const Type* const> types, size_t most);
  // Queues the statement `sql`, whose parameters are the values of those rows.
  bool SendSeveral(const std::string& sql);

 private:
  void FillWireValues();

  Link* const link_;
  // Holds the bytes of values that had to be converted.
  std::string arena_;
  std::vector<Parameter> parameters_;
  std::vector<WireValue> wire_values_;
  std::vector<uint32_t> wire_types_;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_STATEMENT_SENDER_H_
