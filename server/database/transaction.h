// One transaction on one connection.
#ifndef PENSTOCK_SERVER_DATABASE_TRANSACTION_H_
#define PENSTOCK_SERVER_DATABASE_TRANSACTION_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "server/database/database.h"
#include "server/pool/pool.h"

namespace penstock::server {

// Holds the lease from Begin to the end, whichever way it comes: a transaction
// that is destroyed or ended without Commit is rolled back. One whose connection is lost
// has ended: its place in the pool is free before anybody is told. One thread at a
// time, a worker's.
class Transaction {
 public:
  enum class State : uint8_t {
    kUnopened,
    kOpen,
    kEnded,
  };

  // How it ended.
  enum class Conclusion : uint8_t {
    kNone,  // not yet
    kCommitted,
    kRolledBack,  // as the client asked
    kKilled,      // a limit, a lost client, a drain, or a failed begin or commit
  };

  explicit Transaction(Database* database) : database_(database) {}
  ~Transaction() { End(Conclusion::kKilled); }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  State state() const { return state_; }
  Conclusion conclusion() const { return conclusion_; }

  absl::Status Begin(Lease lease, const driver::TransactionOptions& options);

  // Takes a connection over whose transaction somebody else has begun, and who will
  // end it: with the connection that Leave gives back. End before that rolls back.
  void Adopt(Lease lease);
  Lease Leave();

  // As Connection::Run. Once the backend has aborted the transaction, every
  // statement fails with kTransactionAborted until a rollback_to. What fails and has
  // taken the transaction with it is to be run again from the beginning, if at all:
  // Retry::kTransaction.
  void Run(driver::StatementRun& run);
  // For an error that came later than Run: of a cursor, which is closed by now. The error
  // as Run would have given it.
  absl::Status Settle(const absl::Status& status);

  // Prepares a statement; statement() finds its text by the number returned.
  absl::StatusOr<uint64_t> Prepare(std::string_view sql, const driver::Deadline& deadline,
                                   driver::Cancellation* cancellation, driver::StatementInfo* info);
  // The statement's text; kInvalidParameter if there is none of that number.
  absl::StatusOr<std::string_view> statement(uint64_t number) const;
  absl::Status CloseStatement(uint64_t number);

  // `name` must be an identifier of 1 to 63 letters, digits and underscores.
  absl::Status Savepoint(std::string_view name);
  absl::Status RollbackTo(std::string_view name);
  absl::Status Release(std::string_view name);

  // Durable, or rolled back (and for kCommitOutcomeUnknown: nobody knows).
  absl::Status Commit();

  // As the client asks. An error is kCommitOutcomeUnknown: the backend had ended the
  // transaction by itself, and may have committed it. It has ended either way.
  absl::Status Rollback();

  // Rolls back what is open and gives the connection back.
  void End(Conclusion conclusion);

 private:
  absl::Status CheckOpen() const;
  void Conclude(Conclusion conclusion);

  // A transaction that is over with its connection.
  static absl::Status LostStatus();

  Database* const database_;
  // The connection is somebody else's, who wants it back.
  bool adopted_ = false;
  // The connection was lost.
  bool lost_ = false;
  State state_ = State::kUnopened;
  Conclusion conclusion_ = Conclusion::kNone;
  Lease lease_;
  std::map<uint64_t, std::string> statements_;
  uint64_t next_statement_ = 1;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_DATABASE_TRANSACTION_H_
