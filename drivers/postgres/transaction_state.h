// Which transaction a session is in.
#ifndef PENSTOCK_DRIVERS_POSTGRES_TRANSACTION_STATE_H_
#define PENSTOCK_DRIVERS_POSTGRES_TRANSACTION_STATE_H_

#include "drivers/api/driver.h"

namespace penstock::postgres {

// What the driver has begun, which the server may have ended meanwhile. Outside a transaction
// each segment commits by itself.
struct TransactionState {
  // A transaction is open: the client's, or one of the driver's own.
  bool open = false;
  // The open transaction is the driver's own: that of a read with a staleness, or of a statement
  // whose caller may only read. It is never committed.
  bool own = false;
  // The end of the driver's own transaction is on its way already.
  bool ending = false;
  // The backend has ended the client's transaction by itself; each step fails until Rollback
  // or Reset.
  bool gone = false;
  // The transaction has changed definitions, which others see when it is committed.
  bool defines = false;
  // Of the client's transaction, see driver::TransactionOptions::must_only_read.
  bool must_only_read = false;

  bool clients() const { return open && !own; }
  // Whether the caller of `run` may only read.
  bool only_reads(const driver::StatementRun& run) const {
    return clients() ? must_only_read : run.must_only_read;
  }
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_TRANSACTION_STATE_H_
