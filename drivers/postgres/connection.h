// One PostgreSQL session behind the driver interface.
#ifndef PENSTOCK_DRIVERS_POSTGRES_CONNECTION_H_
#define PENSTOCK_DRIVERS_POSTGRES_CONNECTION_H_

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "drivers/postgres/batch.h"
#include "drivers/postgres/command_runner.h"
#include "drivers/postgres/definitions.h"
#include "drivers/postgres/flavor.h"
#include "drivers/postgres/link.h"
#include "drivers/postgres/options.h"
#include "drivers/postgres/preparer.h"
#include "drivers/postgres/result_receiver.h"
#include "drivers/postgres/session_keeper.h"
#include "drivers/postgres/statement_runner.h"
#include "drivers/postgres/statement_sender.h"
#include "drivers/postgres/transaction.h"
#include "drivers/postgres/transaction_state.h"
#include "drivers/postgres/types.h"

namespace penstock::postgres {

// See driver::Connection for the contract. The connection owns the parts that fulfil it; each of
// them knows those before it only, in the order in which they are declared.
class Connection final : public driver::Connection {
 public:
  // All of them outlive the connection.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const Options& options,
                                                          const Flavor& flavor, TypeRegistry* types,
                                                          Definitions* definitions,
                                                          const driver::Deadline& deadline);

  size_t Together(std::span<driver::StatementRun* const> runs) override {
    return batch_runner_.Together(runs);
  }
  size_t RunBatch(std::span<driver::StatementRun* const> runs) override {
    return batch_runner_.RunBatch(runs);
  }
  void Run(driver::StatementRun& run) override { steps_.Run(&run); }
  absl::StatusOr<driver::StatementInfo> Describe(std::string_view sql,
                                                 const driver::Deadline& deadline,
                                                 driver::Cancellation* cancellation) override;
  absl::Status Begin(const driver::TransactionOptions& options) override {
    return steps_.Begin(options);
  }
  absl::Status Commit() override { return steps_.Commit(); }
  absl::Status RunAndCommit(driver::StatementRun& run) override {
    return steps_.RunAndCommit(&run);
  }
  absl::Status Rollback() override { return steps_.Rollback(); }
  absl::Status Savepoint(std::string_view name) override { return steps_.Savepoint(name); }
  absl::Status RollbackTo(std::string_view name) override { return steps_.RollbackTo(name); }
  absl::Status Release(std::string_view name) override { return steps_.Release(name); }
  bool transaction_aborted() const override { return runner_.transaction_aborted(); }
  absl::Status Ping(const driver::Deadline& deadline) override;
  absl::Status Reset() override;
  bool Alive() override { return runner_.link().Alive() && healthy(); }
  void KeepSession(bool keep) override { session_.Keep(keep); }
  bool healthy() const override;

  std::string server_version() const { return runner_.link().setting("server_version"); }
  // Empty: the server is no CockroachDB.
  std::string cockroach_version() const { return runner_.link().setting("crdb_version"); }
  bool read_committed() const { return session_.read_committed(); }

 private:
  Connection(const Options& options, const Flavor& flavor, TypeRegistry* types,
             Definitions* definitions, std::unique_ptr<Link> link);

  const Options& options_;
  CommandRunner runner_;
  TransactionState transaction_;
  Preparer preparer_;
  SessionKeeper session_;
  StatementSender sender_;
  ResultReceiver receiver_;
  StatementRunner statement_runner_;
  BatchRunner batch_runner_;
  TransactionSteps steps_;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_CONNECTION_H_
