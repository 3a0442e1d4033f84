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

// Holds the lease from Begin to the end, in whatever way the transaction ends: one that is
// destroyed or ended without Commit is rolled back. A lost connection ends the transaction, and its
// place in the pool is free before anybody is told. Worker threads use it, one at a time.
class Transaction {
 public:
  enum class State : uint8_t {
    kUnopened,
    kOpen,
    kEnded,
  };

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

  // Takes over a connection on which somebody else has begun a transaction and will end it. Leave
  // gives the connection back for that; End before Leave rolls back.
  void Adopt(Lease lease);
  Lease Leave();

  // Runs a statement like Connection::Run. Once the backend has aborted the transaction, every
  // statement fails with kTransactionAborted until a rollback_to. A failure that ended the
  // transaction carries Retry::kTransaction.
  void Run(driver::StatementRun& run);
  // Turns an error of a cursor, which is closed by now, into the error that Run would have given.
  absl::Status Settle(const absl::Status& status);

  // Prepares a statement; statement() finds its text by the number returned.
  absl::StatusOr<uint64_t> Prepare(std::string_view sql, const driver::Deadline& deadline,
                                   driver::Cancellation* cancellation, driver::StatementInfo* info);
  // Returns a prepared statement's text, or kInvalidParameter if no statement has that number.
  absl::StatusOr<std::string_view> statement(uint64_t number) const;
  absl::Status CloseStatement(uint64_t number);

  // `name` must be an identifier of 1 to 63 letters, digits and underscores.
  absl::Status Savepoint(std::string_view name);
  absl::Status RollbackTo(std::string_view name);
  absl::Status Release(std::string_view name);

  // Commits. After an error the transaction was rolled back, except after kCommitOutcomeUnknown,
  // when nobody knows.
  absl::Status Commit();

  // Rolls back as the client asks. Its only error is kCommitOutcomeUnknown: the backend had ended
  // the transaction by itself, and may have committed it. The transaction has ended either way.
  absl::Status Rollback();

  // Rolls back what is open and gives the connection back.
  void End(Conclusion conclusion);

 private:
  absl::Status CheckOpen() const;
  void Conclude(Conclusion conclusion);

  // Returns the error of a transaction that was lost with its connection.
  static absl::Status LostStatus();

  Database* const database_;
  // The connection belongs to somebody else, who wants it back.
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
