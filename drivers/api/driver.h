// The interface of a driver. Read this header to write one.
//
//   Driver      one configured database; makes connections
//   Connection  one session of the backend; runs statements and transactions
//   Cursor      a result that did not fit into its first batch
//
// Everything here may block except where it says otherwise, so the server
// calls it from executor threads only, never from a thread that serves RPCs
// without having set itself aside for it.
#ifndef PENSTOCK_DRIVERS_API_DRIVER_H_
#define PENSTOCK_DRIVERS_API_DRIVER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/deadline.h"
#include "drivers/api/error.h"
#include "drivers/api/health.h"
#include "drivers/api/key_value.h"
#include "drivers/api/metrics.h"
#include "drivers/api/row_writer.h"
#include "drivers/api/value.h"

namespace penstock::driver {

// The capabilities of a backend. Each field is described in penstock.v1.Capabilities.
struct Capabilities {
  bool last_insert_id = false;
  bool returning = false;
  bool savepoints = false;
  bool transactional_ddl = false;
  bool arrays = false;
  bool single_writer = false;
  bool staleness = false;
  bool read_committed = false;
  bool settings = false;
};

// Which connections of a driver: one with DriverInfo::split_lanes has
// connections that only read beside those that write; any other driver has
// kWrite connections only, and reads on them too.
enum class Lane : uint8_t { kRead, kWrite };

// The properties of a driver that never change.
struct DriverInfo {
  std::string name;     // "sqlite"
  std::string dialect;  // of its SQL: "sqlite" or "postgresql"
  Capabilities capabilities;
  // Reads and writes go to different connections.
  bool split_lanes = false;
  // The most kWrite connections there may be; 0: no limit of the driver's.
  int max_writers = 0;
  // It works in this process and mostly computes, so few threads serve it
  // best; otherwise it mostly waits for a server.
  bool embedded = false;
  // How long after its deadline or cancellation a call may take to come back when all
  // is well, because it waits for a server to end what was begun there, for example.
  std::chrono::milliseconds overrun{};
};

// A message of the backend's while a statement ran that did not fail, such as RAISE NOTICE of a
// function or "relation exists already, skipping". It may contain any value that the function
// chose to show.
struct Notice {
  std::string severity;  // "NOTICE", "WARNING", "INFO": in English, whatever the rest is
  std::string sqlstate;
  std::string message;
  std::string detail;
  std::string hint;
};

// The effect of a statement.
struct Summary {
  // The most notices that one statement keeps, and the most bytes of all of their texts. Further
  // notices are only counted.
  static constexpr size_t kMaxNotices = 32;
  static constexpr size_t kMaxNoticeBytes = size_t{16} << 10;

  int64_t rows_affected = 0;
  int64_t rows_returned = 0;
  std::optional<int64_t> last_insert_id;
  // In their order.
  std::vector<Notice> notices;
  // How many there were beyond those.
  int64_t notices_dropped = 0;
};

// How much of a result to produce at once.
struct BatchLimits {
  // Stop after the row with which RowWriter::bytes() reaches this.
  size_t max_bytes = size_t{64} << 10;
};

// A result of which more is to come. It belongs to its connection, on which
// nothing else may run until the cursor has been destroyed (which cancels what
// is left); destroy it before the connection.
class Cursor {
 public:
  virtual ~Cursor() = default;

  // Writes the next rows. True: more may follow. False: that was all, and
  // summary() is final. An error ends the cursor. The deadline and
  // cancellation of the run that opened it still hold.
  virtual absl::StatusOr<bool> Fetch(const BatchLimits& limits, RowWriter* writer) = 0;

  virtual const Summary& summary() const = 0;
};

// A setting of the session that a statement or a transaction has, on a driver with
// Capabilities::settings. Both texts are borrowed; they are UTF-8 and have no NUL.
struct Setting {
  // Two or more words in small letters, digits and underscores, joined by points, as in "app.user":
  // the backend has no setting of its own by such a name. Each stands once in a list.
  std::string_view name;
  // May be empty.
  std::string_view value;

  bool operator==(const Setting&) const = default;
};

// Requests of one client stream that must not run after one of them failed.
struct Chain {
  bool failed = false;
};

// One statement to run: what goes in, and what came of it. Everything borrowed
// stays alive, and the whole object untouched, until the call has returned (for
// `deadline`, `cancellation` and `writer`: until the cursor is destroyed).
struct StatementRun {
  // In.
  std::string_view sql;
  // The same text will not come again, or not before the schema has changed: there is no use
  // in keeping it prepared. Without a writer a driver may take each of `args` for the type
  // that its kind stands for, and ask the backend nothing about the statement before it runs.
  bool once = false;
  // The caller has asked for a prepared statement: what the backend makes of the text when
  // it parses it ('now', the functions that suit) may be from an earlier run.
  bool prepared = false;
  // On a kRead connection, in RunBatch: the statement is prepared, and the number of
  // `args` compared with its parameters, as if it were run; but it is not run.
  bool prepare_only = false;
  std::span<const Value> args;
  // If not empty, the statement runs once for each row, all of them or none;
  // `args` is then empty and rows that it returns are dropped.
  std::span<const std::vector<Value>> rows;
  // If not null, this is what runs; `sql`, `args` and `rows` are then the driver's to use.
  // CheckKeyValue has passed it. A driver without keys and values answers kUnsupported.
  KeyValueRun* key_value = nullptr;

  // The caller has no right to write. The backend refuses whatever would change something that
  // lasts, whoever does it: a statement, a function that it calls, a trigger. It fails with
  // kNotAllowed, and nothing is done. In a transaction TransactionOptions::must_only_read decides.
  bool must_only_read = false;
  // Read what the database held so long ago; zero: what it holds. For a statement
  // that only reads, in RunBatch, on a driver with Capabilities::staleness.
  std::chrono::microseconds staleness{};
  // Who asks, by the name that the caller gives itself; empty: it gave none. At most
  // 63 bytes of printable ASCII. A backend that lists its sessions shows it there.
  std::string_view caller;
  // The session has them while the statement runs and never after it, however it ends, and no
  // other caller's statement runs with them. In a transaction TransactionOptions::settings are in
  // force, and these are not looked at.
  std::span<const Setting> settings;
  Deadline deadline;
  // May be null.
  Cancellation* cancellation = nullptr;
  // Receives the rows; null: they are counted and dropped.
  RowWriter* writer = nullptr;
  // Limits the first batch of a statement that only reads, or that runs in a transaction.
  BatchLimits limits;
  // Limits all rows together of a statement that writes in RunBatch. A statement with more fails
  // with kLimitExceeded and is undone.
  size_t max_returning_bytes = size_t{32} << 20;
  // Set by the driver alone: the statement is to be run where nobody has to wait for it. It stays
  // set from one attempt to the next.
  bool alone = false;
  // May be null. If its `failed` is set the run does not start and fails with
  // kCancelled; a failure of this run sets it.
  Chain* chain = nullptr;

  // Out.
  absl::Status status;
  Summary summary;
  // Set if rows are left after the first batch.
  std::unique_ptr<Cursor> cursor;
  // The statement writes and this is a kRead connection: nothing was done, run
  // it on a kWrite one.
  bool wrong_lane = false;
  // It is known to change nothing, so that whoever has not got all of its answer may ask
  // again. Known once the statement has begun.
  bool read_only = false;
};

// The properties of a statement that are known without running it.
struct StatementInfo {
  int parameter_count = 0;
  // Empty where the backend does not know them.
  std::vector<Kind> parameter_kinds;
  // Never null; an empty list for a statement without rows.
  Columns columns;
  bool read_only = false;
};

enum class Isolation : uint8_t { kDefault, kReadCommitted, kRepeatableRead, kSerializable };

struct TransactionOptions {
  Isolation isolation = Isolation::kDefault;
  bool read_only = false;
  // The transaction is read_only, and no statement in it may change that, see
  // StatementRun::must_only_read.
  bool must_only_read = false;
  // Foreign keys are checked and acted upon in this transaction, or not, whatever the
  // configuration says: of SQLite, where only the beginning of a transaction can decide
  // it; other drivers ignore it. A migrator's, never a client's: nothing checks at the
  // end what was done meanwhile.
  std::optional<bool> foreign_keys;
  // The caller of all statements in the transaction; see StatementRun::caller.
  std::string_view caller;
  // The session has them from the beginning of the transaction to its end. The backend may take the
  // transaction's first snapshot at once in order to set them.
  std::span<const Setting> settings = {};
  Deadline deadline;
  Cancellation* cancellation = nullptr;
};

// One session of the backend. One thread at a time; not the same thread always.
//
// Statements that would change the transaction state (BEGIN, COMMIT, SAVEPOINT
// as text), several statements in one text and an empty one are refused by the
// driver, each with its Reason.
class Connection {
 public:
  virtual ~Connection() = default;

  // Runs independent statements in order, outside a transaction. On return the
  // outcome of each is in its run, and what succeeded is durable: a driver may
  // let them share one commit or one snapshot, but one's failure leaves no
  // trace in another. Returns how many were run: fewer than all if one of them,
  // the last that ran, left a cursor. At least one is run.
  //
  // A backend that has to commit what a cursor reads leaves none for a statement
  // that writes; PostgreSQL streams it and commits at its end.
  virtual size_t RunBatch(std::span<StatementRun* const> runs) = 0;

  // How many of `runs`, from the front, RunBatch should be given at once: as many
  // as do not mind waiting for each other. The others go to another connection. 0:
  // the first is given by itself, and may take long. Never blocks.
  virtual size_t Together(std::span<StatementRun* const> runs) { return runs.size(); }

  // Runs one statement inside the transaction that Begin opened. A failure
  // undoes the statement alone, or leaves the transaction aborted, as the
  // backend has it (see transaction_aborted).
  virtual void Run(StatementRun& run) = 0;

  // Prepares without running. The statement is then in the connection's cache.
  virtual absl::StatusOr<StatementInfo> Describe(std::string_view sql, const Deadline& deadline,
                                                 Cancellation* cancellation) = 0;

  virtual absl::Status Begin(const TransactionOptions& options) = 0;
  // On failure the transaction is rolled back, except with kSchemaChangeFailed, where its rows
  // are committed, and with kCommitOutcomeUnknown, where nobody knows.
  virtual absl::Status Commit() = 0;
  // Runs a statement without a writer and, if that has succeeded, commits; a driver may do both
  // in one round trip. run.status is the statement's outcome. If the statement failed, that is
  // returned and the transaction goes on, as after Run; otherwise Commit's outcome is returned.
  virtual absl::Status RunAndCommit(StatementRun& run) {
    Run(run);
    return run.status.ok() ? Commit() : run.status;
  }
  // kCommitOutcomeUnknown: there was nothing to be rolled back any more, because the backend
  // had ended the transaction by itself, and may have committed what was done until then.
  // Each step after that has failed: a savepoint, a statement, a commit.
  virtual absl::Status Rollback() = 0;

  // `name` is an identifier: the caller has checked it.
  virtual absl::Status Savepoint(std::string_view name) = 0;
  virtual absl::Status RollbackTo(std::string_view name) = 0;
  virtual absl::Status Release(std::string_view name) = 0;

  // The backend has rolled back, or will accept only a rollback. Never blocks.
  virtual bool transaction_aborted() const = 0;

  // Reaches the backend.
  virtual absl::Status Ping(const Deadline& deadline) = 0;

  // Makes the session as new: no transaction, no temporary objects. Called when
  // a connection is given back; cheap when nothing was left behind. After an
  // error the connection is closed.
  virtual absl::Status Reset() = 0;

  // Returns healthy() after a look at what the backend has said unasked. Called before a
  // connection that was idle is used again. Never blocks.
  virtual bool Alive() { return healthy(); }

  // True: what statements leave behind in the session (settings, locks) stays
  // from one RunBatch to the next, until false or Reset. Never blocks. A driver
  // that cleans up at Reset only has nothing to do.
  virtual void KeepSession(bool /*keep*/) {}

  // False once the link is known to be broken. Never blocks.
  virtual bool healthy() const = 0;
};

// One configured database. Thread-safe.
class Driver {
 public:
  virtual ~Driver() = default;

  virtual const DriverInfo& info() const = 0;

  // Returns the capabilities of the server that was reached last. Before that, and on drivers
  // whose capabilities do not depend on a server, returns info().capabilities.
  virtual Capabilities capabilities() const { return info().capabilities; }

  // The backend's version, as learnt when the driver was opened or at the
  // first connection; empty before.
  virtual std::string server_version() const = 0;

  // The driver outlives its connections.
  virtual absl::StatusOr<std::unique_ptr<Connection>> Connect(Lane lane,
                                                              const Deadline& deadline) = 0;

  // Returns figures about the backend that this process knows already, without asking a server or
  // a disk. Any thread may call it at any time.
  virtual std::vector<Metric> Metrics() { return {}; }

  // Returns the problems of the database as a whole that this process knows already. Any thread
  // may call it at any time, and often; never blocks. A problem stays in the list for long enough
  // (a tenth of a second) to be seen.
  virtual std::vector<Problem> Problems() { return {}; }

  // Looks for problems that nobody has run into yet, and for those that are over. On an
  // embedded driver it is called about once a second, by one thread at a time. May block.
  virtual void Examine() {}
};

}  // namespace penstock::driver

#endif  // PENSTOCK_DRIVERS_API_DRIVER_H_
