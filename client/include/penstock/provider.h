// A database behind a Penstock daemon. Read this header first.
//
//   Provider     one database; makes everything else; thread-safe
//   Transaction  statements that take effect together; one thread at a time
//   Statement    a statement prepared once and run often
//   Rows         what a query returns, see rows.h
//   Result       what any other statement did, see rows.h
//
// Calls wait until they are done. A failure is an absl::Status with details,
// see errors.h. Parameters are $1, $2, … in the SQL text; arguments are anything
// that a Value can be made of, see value.h.
//
// Nothing is ever sent a second time unless it is certain that the first one had no effect:
// then it is, once, over a new connection, so that a daemon that was restarted is found. If
// it could not be sent, the failure is UNAVAILABLE with the reason CONNECTION_FAILED, and
// IsRetryable. If it was sent and the answer did not come, because the connection broke, the
// caller cancelled, a deadline passed or the provider was closed, then what may write (Exec,
// ExecRows, ExecBatch, Query, runs of a Statement unless the backend knows that it only
// reads, what KeyValue writes, Commit, Migrate) is IsCommitOutcomeUnknown.
#ifndef PENSTOCK_PROVIDER_H_
#define PENSTOCK_PROVIDER_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "penstock/config.h"
#include "penstock/context.h"
#include "penstock/key_value.h"
#include "penstock/migrate.h"
#include "penstock/read.h"
#include "penstock/rows.h"
#include "penstock/sql/dialect.h"
#include "penstock/value.h"

namespace penstock {

// The arguments of one run of a statement.
using Args = std::vector<Value>;

// A prepared statement. Of a Provider: thread-safe, each run is a transaction of its
// own. Of a Transaction: part of it, and used by the thread that uses it.
class Statement {
 public:
  Statement() = default;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  // Does what Close does.
  virtual ~Statement() = default;

  // Runs it for its rows. While those of a Provider's statement are open,
  // further runs use another stream.
  template <Argument... T>
  absl::StatusOr<std::unique_ptr<Rows>> Query(const Context& ctx, T&&... args) {
    return QueryArgs(ctx, Args{Value(std::forward<T>(args))...});
  }

  // Runs it for its effect. Rows that it returns are dropped.
  template <Argument... T>
  absl::StatusOr<Result> Exec(const Context& ctx, T&&... args) {
    return ExecArgs(ctx, Args{Value(std::forward<T>(args))...});
  }

  // What Query and Exec call.
  virtual absl::StatusOr<std::unique_ptr<Rows>> QueryArgs(const Context& ctx, Args args) = 0;
  virtual absl::StatusOr<Result> ExecArgs(const Context& ctx, Args args) = 0;

  // How many arguments a run takes.
  virtual int ParameterCount() const = 0;
  // What Query returns; empty for a statement without rows.
  virtual std::vector<ColumnType> ColumnTypes() const = 0;

  // Forgets it. Open Rows stay usable; every later run fails with FAILED_PRECONDITION.
  virtual absl::Status Close() = 0;
};

// What Provider and Transaction have in common, for a function that works on either.
class Executor {
 public:
  Executor() = default;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor() = default;

  // Runs one statement for its rows.
  template <Argument... T>
  absl::StatusOr<std::unique_ptr<Rows>> Query(const Context& ctx, std::string_view sql,
                                              T&&... args) {
    return QueryArgs(ctx, sql, Args{Value(std::forward<T>(args))...});
  }

  // Runs one statement for its effect. Rows that it returns are dropped.
  template <Argument... T>
  absl::StatusOr<Result> Exec(const Context& ctx, std::string_view sql, T&&... args) {
    return ExecArgs(ctx, sql, Args{Value(std::forward<T>(args))...});
  }

  // The same with arguments that are at hand as Args.
  absl::StatusOr<std::unique_ptr<Rows>> Query(const Context& ctx, std::string_view sql, Args args) {
    return QueryArgs(ctx, sql, std::move(args));
  }
  absl::StatusOr<Result> Exec(const Context& ctx, std::string_view sql, Args args) {
    return ExecArgs(ctx, sql, std::move(args));
  }

  // All rows of a statement, each into a T: a plain struct, whose fields get the columns in
  // their order, a std::tuple, or the variable of the only column.
  //
  //   auto users = db->QueryAll<User>(ctx, "SELECT id, name FROM users WHERE age > $1", 18);
  template <RowType T, Argument... A>
  absl::StatusOr<std::vector<T>> QueryAll(const Context& ctx, std::string_view sql, A&&... args) {
    return ReadAll<T>(QueryArgs(ctx, sql, Args{Value(std::forward<A>(args))...}));
  }
  // The only row: NOT_FOUND if there is none, FAILED_PRECONDITION if there are several.
  template <RowType T, Argument... A>
  absl::StatusOr<T> QueryRow(const Context& ctx, std::string_view sql, A&&... args) {
    return ReadOne<T>(QueryArgs(ctx, sql, Args{Value(std::forward<A>(args))...}));
  }

  // The dialect of SQL that the database speaks, for the query builder (sql.h). Of a Provider it
  // is asked of the daemon once for each connection. UNIMPLEMENTED where a class of the program's
  // does not have it.
  virtual absl::StatusOr<sql::Dialect> Dialect(const Context& ctx);

  // What Query and Exec call.
  virtual absl::StatusOr<std::unique_ptr<Rows>> QueryArgs(const Context& ctx, std::string_view sql,
                                                          Args args) = 0;
  virtual absl::StatusOr<Result> ExecArgs(const Context& ctx, std::string_view sql, Args args) = 0;

  // Runs one statement once for each of `rows`, all of them or none; the
  // quick way to load many rows. They travel in one message, so thousands
  // rather than millions at once.
  virtual absl::StatusOr<Result> ExecRows(const Context& ctx, std::string_view sql,
                                          std::vector<Args> rows) = 0;

  // Prepares a statement. INVALID_ARGUMENT, NOT_FOUND and so on if it cannot be.
  virtual absl::StatusOr<std::unique_ptr<Statement>> Prepare(const Context& ctx,
                                                             std::string_view sql) = 0;
};

// An open transaction. Destroyed without Commit: rolled back.
//
// One thread at a time. Close the Rows of one statement, or read them until Next returns
// false, before the next: it fails with FAILED_PRECONDITION (WRONG_STATE) while they are
// open, however few they are.
//
// After a failed statement, what can still be done is the backend's rule:
// everything on SQLite, only Rollback and RollbackTo on PostgreSQL. When the link
// breaks, the daemon ends the transaction, a call is cancelled by its Context
// or the daemon does not answer within a deadline, the transaction is rolled back and
// every later call fails with what ended it. A link that broke before COMMIT was sent is
// CONNECTION_FAILED and IsTransactionRetryable.
class Transaction : public Executor {
 public:
  // Makes it durable. On failure it is rolled back, except where
  // IsCommitOutcomeUnknown, or the link breaks: then nobody knows.
  virtual absl::Status Commit(const Context& ctx) = 0;

  // Undoes it. Without effect after Commit or Rollback, where it is FAILED_PRECONDITION.
  virtual absl::Status Rollback(const Context& ctx) = 0;

  // Every later call ends with `ctx` as well as with its own context; how RunInTransaction
  // limits what its body does. Nothing, where a class of the program's does not have it.
  virtual void LimitBy(const Context& ctx) { static_cast<void>(ctx); }

  // Names a point to return to: 1 to 63 letters, digits and underscores, not beginning
  // with a digit.
  virtual absl::Status Savepoint(const Context& ctx, std::string_view name) = 0;
  // Undoes what was done since; the savepoint stays.
  virtual absl::Status RollbackTo(const Context& ctx, std::string_view name) = 0;
  // Forgets the savepoint and keeps what was done.
  virtual absl::Status Release(const Context& ctx, std::string_view name) = 0;

  // A keyspace, in this transaction with its SQL: what is written is durable with
  // Commit. Used by the transaction's thread; of no use after its end. Close or read
  // to their end the Entries of a scan before the next call.
  virtual std::unique_ptr<penstock::KeyValue> KeyValue(std::string_view keyspace) = 0;
};

enum class Isolation { kDefault, kReadCommitted, kRepeatableRead, kSerializable };

struct TransactionOptions {
  // SQLite is always serializable.
  Isolation isolation = Isolation::kDefault;
  // It will not write. On SQLite it then leaves the only writer alone.
  bool read_only = false;
  // How long it may stand idle between calls, and be open in all, where shorter
  // than the daemon's limits. The daemon rolls it back when one has passed.
  absl::Duration idle_timeout = absl::InfiniteDuration();
  absl::Duration timeout = absl::InfiniteDuration();
};

// One of the statements of ExecBatch.
struct BatchStatement {
  std::string sql = {};
  Args args = {};
};

// What Provider::Inspect tells of the database that was reached.
struct PingInfo {
  // The name in the daemon's configuration.
  std::string database = {};
  // "sqlite", "postgres", "cockroachdb" or "pebble".
  std::string driver = {};
  // Of its SQL: "sqlite" or "postgresql".
  std::string dialect = {};
  std::string server_version = {};
  // From the daemon to the backend and back.
  absl::Duration backend_round_trip = {};
  // From here to the daemon and back, the backend's included.
  absl::Duration round_trip = {};

  // What the backend can do; the fields of penstock.v1.Capabilities.
  bool last_insert_id = false;
  bool returning = false;
  bool savepoints = false;
  bool transactional_ddl = false;
  bool arrays = false;
  bool single_writer = false;
  bool staleness = false;
  bool read_committed = false;
};

// One database of those the daemon serves.
struct DatabaseInfo {
  std::string name = {};
  std::string driver = {};
  // It serves a Config without a database.
  bool is_default = false;
};

// One database. Thread-safe: make one and share it. What it made may outlive it.
//
// It connects when it is first used, and again by itself when the daemon was
// restarted or its name has moved to another address. Connecting takes as long as the
// caller's deadline allows, and 20 seconds without one. A call ends within about two seconds
// of its deadline or of its context's Cancel, also where a daemon that is stopped takes
// nothing. Streams that wait for their next use are 64 at most, and end after 30 seconds.
//
// A process that forks has no use of it in the child.
class Provider : public Executor {
 public:
  // Reaches daemon and database, waiting for a daemon that is just starting: without a
  // deadline in `ctx`, for 10 seconds. Not required before other calls, which
  // do not wait for the daemon. The failure says what was in the way: the connection was
  // refused, there is no such socket or host, what answers does not speak gRPC; its code is
  // UNAVAILABLE, or DEADLINE_EXCEEDED where `ctx` has a deadline. Where TLS is in the way it
  // says how (a certificate of another authority or for another name, none where one is
  // demanded, plain text where TLS is spoken), and at once: UNAVAILABLE.
  virtual absl::Status Connect(const Context& ctx) = 0;

  // Lets go of idle streams and ends what still runs; every later call
  // fails with FAILED_PRECONDITION. Also done by the destructor, except that
  // Rows, Transactions and Statements then go on.
  virtual absl::Status Close() = 0;

  // Reaches the backend.
  virtual absl::Status Ping(const Context& ctx) = 0;
  // Ping, and what it found.
  virtual absl::StatusOr<PingInfo> Inspect(const Context& ctx) = 0;

  // Opens a transaction. `ctx` limits the opening only.
  virtual absl::StatusOr<std::unique_ptr<penstock::Transaction>> Transaction(
      const Context& ctx, const TransactionOptions& options) = 0;
  absl::StatusOr<std::unique_ptr<penstock::Transaction>> Transaction(const Context& ctx) {
    return Transaction(ctx, TransactionOptions());
  }

  // Runs independent statements, each a transaction of its own, without waiting
  // for one before sending the next; those that wait together may share a
  // commit. One outcome a statement, in order; one's failure does not disturb another.
  // Those that were sent and not answered when the link broke are IsCommitOutcomeUnknown.
  virtual std::vector<absl::StatusOr<Result>> ExecBatch(const Context& ctx,
                                                        std::vector<BatchStatement> batch) = 0;

  // The same, but nothing behind a failure is run: the outcome of each of these is ABORTED, and
  // IsRetryable. Where the link broke, what was sent behind it may have been run, and says so.
  // UNIMPLEMENTED for each where a class of the program's does not have it.
  virtual std::vector<absl::StatusOr<Result>> ExecUntilFailure(const Context& ctx,
                                                               std::vector<BatchStatement> batch);

  // A keyspace, whose name has a letter from a to z and then letters, digits and
  // underscores, at most 48 in all; empty: the default, kv. It reaches nothing; a
  // name that cannot be is the error of each call.
  virtual std::unique_ptr<penstock::KeyValue> KeyValue(std::string_view keyspace) = 0;

  // Applies the pending migrations of a folder on this side, see migrate.h. Safe
  // to call from many processes at once: each step is applied once.
  //
  // What was committed stays when it fails or is cut off, and calling again goes
  // on from there, so a link that breaks is CONNECTION_FAILED here and no unknown
  // outcome (but for MigrateOptions that count steps). FAILED_PRECONDITION with the
  // reason MIGRATION_REFUSED: files and history do not agree, or a step has to be
  // repaired; ABORTED with MIGRATION_LOCKED: another migrator took longer than
  // lock_timeout; NOT_FOUND: the folder cannot be read; or the error of a statement, with
  // file and line.
  virtual absl::Status Migrate(const Context& ctx, std::string_view path) = 0;
  // Likewise up, down, to a version, as a dry run, and so on.
  virtual absl::StatusOr<MigrateResult> Migrate(const Context& ctx, std::string_view path,
                                                const MigrateOptions& options) = 0;
  // Compares a folder with the database. Changes nothing.
  virtual absl::StatusOr<MigrationReport> MigrationStatus(const Context& ctx,
                                                          std::string_view path) = 0;
  // Likewise, with the migrations that are functions of the program. An empty `path` is no
  // folder. Without them, those that are applied are told as such all the same.
  virtual absl::StatusOr<MigrationReport> MigrationStatus(
      const Context& ctx, std::string_view path, const std::vector<CodeMigration>& code) = 0;

  // The databases that the daemon serves, by name. It reaches none of them.
  virtual absl::StatusOr<std::vector<DatabaseInfo>> ListDatabases(const Context& ctx) = 0;
};

// Makes a Provider. It reads the TLS files but does not connect yet, see Connect.
// INVALID_ARGUMENT for a Config that makes no sense, NOT_FOUND for a TLS file
// that cannot be read.
absl::StatusOr<std::unique_ptr<Provider>> New(const Config& config);

}  // namespace penstock

#endif  // PENSTOCK_PROVIDER_H_
