// Which transaction a session is in.
#ifndef PENSTOCK_DRIVERS_POSTGRES_TRANSACTION_STATE_H_
#define PENSTOCK_DRIVERS_POSTGRES_TRANSACTION_STATE_H_

namespace penstock::postgres {

// What the driver has begun, which the server may have ended meanwhile. Outside a transaction
// each segment commits by itself.
struct TransactionState {
  // A transaction is open: the client's, or that of a read with a staleness.
  bool open = false;
  // The open transaction is that of a read with a staleness.
  bool stale_read = false;
  // The backend has ended the client's transaction by itself; each step fails until Rollback
  // or Reset.
  bool gone = false;
  // The transaction has changed definitions, which others see when it is committed.
  bool defines = false;

  bool clients() const { return open && !stale_read; }
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_TRANSACTION_STATE_H_
