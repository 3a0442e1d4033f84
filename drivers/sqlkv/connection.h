// A driver's connection with key-value operations in front.
#ifndef PENSTOCK_DRIVERS_SQLKV_CONNECTION_H_
#define PENSTOCK_DRIVERS_SQLKV_CONNECTION_H_

#include <cstddef>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "drivers/sqlkv/dialect.h"

namespace penstock::sqlkv {

// See driver::Connection for the contract. What is SQL goes to the driver as it
// is. connection.cc has what is one statement, write.cc what takes several.
class Connection final : public driver::Connection {
 public:
  // `reads_only`: of a driver with split lanes, one that only reads.
  Connection(std::unique_ptr<driver::Connection> inner, const Dialect& dialect, bool reads_only)
      : inner_(std::move(inner)), dialect_(dialect), reads_only_(reads_only) {}

  size_t RunBatch(std::span<driver::StatementRun* const> runs) override;
  size_t Together(std::span<driver::StatementRun* const> runs) override;
  void Run(driver::StatementRun& run) override;
  absl::StatusOr<driver::StatementInfo> Describe(std::string_view sql,
                                                 const driver::Deadline& deadline,
                                                 driver::Cancellation* cancellation) override {
    return inner_->Describe(sql, deadline, cancellation);
  }
  absl::Status Begin(const driver::TransactionOptions& options) override;
  absl::Status Commit() override { return inner_->Commit(); }
  absl::Status Rollback() override { return inner_->Rollback(); }
  absl::Status Savepoint(std::string_view name) override { return inner_->Savepoint(name); }
  absl::Status RollbackTo(std::string_view name) override;
  absl::Status Release(std::string_view name) override { return inner_->Release(name); }
  bool transaction_aborted() const override { return inner_->transaction_aborted(); }
  absl::Status Ping(const driver::Deadline& deadline) override { return inner_->Ping(deadline); }
  absl::Status Reset() override { return inner_->Reset(); }
  bool Alive() override { return inner_->Alive(); }
  void KeepSession(bool keep) override { inner_->KeepSession(keep); }
  bool healthy() const override { return inner_->healthy(); }

 private:
  using Runs = std::span<driver::StatementRun* const>;
  enum class Outcome : uint8_t { kDone, kConditionFailed, kNoTable };

  // How many, from the front, are statements of the driver's or have been made
  // one each, and may share a batch.
  size_t PlanTogether(Runs runs) const;
  // What the driver's answer to a planned operation means.
  void Settle(driver::StatementRun* run);
  // The operation is done as there is nothing in its keyspace: a read, or a write
  // that only deletes or whose conditions do not hold. False: it has to write.
  bool DoneOnNothing(driver::StatementRun* run) const;
  absl::Status CheckLengths(const driver::KeyValueRun& operation) const;

  // A statement of our own, with the limits of the run that it is for. Outside a
  // transaction, or inside.
  driver::StatementRun Own(const driver::StatementRun& run, std::string_view sql) const;
  absl::Status RunAlone(driver::StatementRun* statement);
  absl::Status CreateTable(const driver::StatementRun& run, bool in_transaction);
  // Inside a transaction, where a missing table must not be found out by an error.
  absl::StatusOr<bool> TableExists(const driver::StatementRun& run);

  // A write that takes several statements, as a transaction.
  void Write(driver::StatementRun* run);
  absl::StatusOr<Outcome> TryWrite(driver::StatementRun* run);
  // The same inside the client's.
  void WriteInTransaction(driver::StatementRun* run);
  // What it does within either. Sets failed_condition.
  absl::StatusOr<Outcome> Apply(driver::StatementRun* run);
  absl::StatusOr<bool> ConditionsHold(driver::StatementRun* run);
  absl::Status Mutate(const driver::StatementRun& run,
                      std::span<const driver::KeyMutation> mutations);
  absl::Status ApplyRows(const driver::StatementRun& run, std::string_view sql,
                         std::span<const std::vector<driver::Value>> rows);

  const std::unique_ptr<driver::Connection> inner_;
  const Dialect& dialect_;
  const bool reads_only_;
  // Keyspaces whose table the open transaction has seen.
  std::set<std::string, std::less<>> seen_;
};

}  // namespace penstock::sqlkv

#endif  // PENSTOCK_DRIVERS_SQLKV_CONNECTION_H_
