// A database behind a Penstock daemon. Read this header first.
//
//   Provider     one database; makes everything else; thread-safe
//   Transaction  statements that take effect together; not thread-safe
//   Statement    a statement that is prepared once and run often
//   Rows         the result of a query; see rows.h
//   Result       the result of any other statement; see rows.h
//
// Calls block until they are done; those that do not block are described in async.h. A failure is
// an absl::Status with details; see errors.h. Parameters are $1, $2, … in the SQL text. Arguments
// are anything that a Value can be made of; see value.h.
//
// The library sends a request a second time only if the first one certainly had no effect. It does
// so once, over a new connection, so that a restarted daemon is found. A request that could not be
// sent fails with UNAVAILABLE, the reason CONNECTION_FAILED, and IsRetryable. A request may also be
// sent and not answered, because the connection broke, the caller cancelled it, a deadline passed
// or the provider was closed. Calls that may write then fail with IsCommitOutcomeUnknown: Exec,
// ExecRows, ExecBatch, Query, the runs of a Statement unless the backend knows that it only reads,
// the writing calls of KeyValue, Commit and Migrate.
//
// A daemon that does not accept who the caller is answers UNAUTHENTICATED; one that does not let
// the caller do what it asks for answers PERMISSION_DENIED. See Config::token.
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
#include "penstock/async.h"
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

// A prepared statement. A Provider's statement is thread-safe, and each run is a transaction of its
// own. A Transaction's statement is part of the transaction and belongs to the same thread.
class Statement {
 public:
  Statement() = default;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  // Calls Close.
  virtual ~Statement() = default;

  // Runs the statement and returns its rows. Other runs may follow while rows of a Provider's
  // statement are open.
  template <Argument... T>
  absl::StatusOr<std::unique_ptr<Rows>> Query(const Context& ctx, T&&... args) {
    return QueryArgs(ctx, Args{Value(std::forward<T>(args))...});
  }

  // Runs the statement and returns what it did. Rows that it returns are dropped.
  template <Argument... T>
  absl::StatusOr<Result> Exec(const Context& ctx, T&&... args) {
    return ExecArgs(ctx, Args{Value(std::forward<T>(args))...});
  }

  // The same without blocking; see async.h. Not in a transaction.
  template <Argument... T>
  Async<std::unique_ptr<Rows>> QueryAsync(const Context& ctx, T&&... args) {
    return QueryArgsAsync(ctx, Args{Value(std::forward<T>(args))...});
  }
  template <Argument... T>
  Async<Result> ExecAsync(const Context& ctx, T&&... args) {
    return ExecArgsAsync(ctx, Args{Value(std::forward<T>(args))...});
  }

  // The virtual functions that Query and Exec call.
  virtual absl::StatusOr<std::unique_ptr<Rows>> QueryArgs(const Context& ctx, Args args) = 0;
  virtual absl::StatusOr<Result> ExecArgs(const Context& ctx, Args args) = 0;
  // The virtual functions that QueryAsync and ExecAsync call. The default implementations run the
  // two functions above in threads of their own, so that the object must outlive them.
  virtual Async<std::unique_ptr<Rows>> QueryArgsAsync(const Context& ctx, Args args);
  virtual Async<Result> ExecArgsAsync(const Context& ctx, Args args);

  // How many arguments a run takes.
  virtual int ParameterCount() const = 0;
  // The columns that Query returns; empty for a statement without rows.
  virtual std::vector<ColumnType> ColumnTypes() const = 0;

  // Releases the statement. Open Rows stay usable; every later run fails with FAILED_PRECONDITION.
  virtual absl::Status Close() = 0;
};

// The operations that Provider and Transaction have in common. A function that takes an Executor&
// works on either.
class Executor {
 public:
  Executor() = default;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor() = default;

  // Runs one statement and returns its rows.
  template <Argument... T>
  absl::StatusOr<std::unique_ptr<Rows>> Query(const Context& ctx, std::string_view sql,
                                              T&&... args) {
    return QueryArgs(ctx, sql, Args{Value(std::forward<T>(args))...});
  }

  // Runs one statement and returns what it did. Rows that it returns are dropped.
  template <Argument... T>
  absl::StatusOr<Result> Exec(const Context& ctx, std::string_view sql, T&&... args) {
    return ExecArgs(ctx, sql, Args{Value(std::forward<T>(args))...});
  }

  // Run one statement whose arguments are already in an Args.
  absl::StatusOr<std::unique_ptr<Rows>> Query(const Context& ctx, std::string_view sql, Args args) {
    return QueryArgs(ctx, sql, std::move(args));
  }
  absl::StatusOr<Result> Exec(const Context& ctx, std::string_view sql, Args args) {
    return ExecArgs(ctx, sql, std::move(args));
  }

  // Returns all rows of a statement, each as a T: a plain struct, whose fields get the columns in
  // their order, a std::tuple, or a single variable if there is one column.
  //
  //   auto users = db->QueryAll<User>(ctx, "SELECT id, name FROM users WHERE age > $1", 18);
  template <RowType T, Argument... A>
  absl::StatusOr<std::vector<T>> QueryAll(const Context& ctx, std::string_view sql, A&&... args) {
    return ReadAll<T>(QueryArgs(ctx, sql, Args{Value(std::forward<A>(args))...}));
  }
  // Returns the only row. NOT_FOUND if there is none, FAILED_PRECONDITION if there are several.
  template <RowType T, Argument... A>
  absl::StatusOr<T> QueryRow(const Context& ctx, std::string_view sql, A&&... args) {
    return ReadOne<T>(QueryArgs(ctx, sql, Args{Value(std::forward<A>(args))...}));
  }

  // Returns the SQL dialect of the database, for the query builder (sql.h). A Provider asks the
  // daemon once for each connection. The default implementation returns UNIMPLEMENTED.
  virtual absl::StatusOr<sql::Dialect> Dialect(const Context& ctx);

  // The virtual functions that Query and Exec call.
  virtual absl::StatusOr<std::unique_ptr<Rows>> QueryArgs(const Context& ctx, std::string_view sql,
                                                          Args args) = 0;
  virtual absl::StatusOr<Result> ExecArgs(const Context& ctx, std::string_view sql, Args args) = 0;

  // Runs one statement once for each of `rows`; either all take effect or none does. This is the
  // fast way to load many rows. All rows travel in one message, so pass thousands, not millions.
  virtual absl::StatusOr<Result> ExecRows(const Context& ctx, std::string_view sql,
                                          std::vector<Args> rows) = 0;

  // Prepares a statement. Fails with the error that the statement would fail with, such as
  // INVALID_ARGUMENT or NOT_FOUND.
  virtual absl::StatusOr<std::unique_ptr<Statement>> Prepare(const Context& ctx,
                                                             std::string_view sql) = 0;
};

// An open transaction. Its destructor rolls it back unless it was committed.
//
// Not thread-safe. Close the Rows of one statement, or read them until Next returns
// false, before running the next statement, which fails with FAILED_PRECONDITION (WRONG_STATE)
// while they are open, however few they are.
//
// The backend decides what a transaction accepts after a failed statement: everything on SQLite,
// only Rollback and RollbackTo on PostgreSQL. The transaction is rolled back, and every later call
// fails with the cause, when the connection breaks, the daemon ends the transaction, a call is
// cancelled by its Context, or the daemon does not answer within a deadline. If the connection
// broke before COMMIT was sent, the cause is CONNECTION_FAILED and IsTransactionRetryable.
class Transaction : public Executor {
 public:
  // Makes the transaction's writes durable. After a failure the transaction is rolled back, unless
  // IsCommitOutcomeUnknown is true of the error.
  virtual absl::Status Commit(const Context& ctx) = 0;

  // Undoes the transaction. After Commit or Rollback it has no effect and returns
  // FAILED_PRECONDITION.
  virtual absl::Status Rollback(const Context& ctx) = 0;

  // Makes every later call end with `ctx` as well as with the call's own context.
  // RunInTransaction uses it to limit its body. The default implementation does nothing.
  virtual void LimitBy(const Context& ctx) { static_cast<void>(ctx); }

  // Creates a savepoint. A name has 1 to 63 letters, digits and underscores, and does not begin
  // with a digit.
  virtual absl::Status Savepoint(const Context& ctx, std::string_view name) = 0;
  // Undoes what was done since the savepoint, which stays.
  virtual absl::Status RollbackTo(const Context& ctx, std::string_view name) = 0;
  // Removes the savepoint and keeps what was done since.
  virtual absl::Status Release(const Context& ctx, std::string_view name) = 0;

  // Returns a keyspace whose operations are part of this transaction: its writes become durable
  // with Commit. Use it on the transaction's thread and not after the transaction's end. Close the
  // Entries of a scan, or read them to their end, before the next call.
  virtual std::unique_ptr<penstock::KeyValue> KeyValue(std::string_view keyspace) = 0;
};

enum class Isolation { kDefault, kReadCommitted, kRepeatableRead, kSerializable };

struct TransactionOptions {
  // SQLite is always serializable.
  Isolation isolation = Isolation::kDefault;
  // Promises not to write. On SQLite the transaction then does not occupy the only writer.
  bool read_only = false;
  // How long the transaction may be idle between calls, and how long it may be open in all. The
  // daemon's own limits apply where they are shorter. The daemon rolls the transaction back when a
  // limit has passed.
  absl::Duration idle_timeout = absl::InfiniteDuration();
  absl::Duration timeout = absl::InfiniteDuration();
};

// One statement of ExecBatch.
struct BatchStatement {
  std::string sql = {};
  Args args = {};
};

// Describes the database that Provider::Inspect has reached.
struct PingInfo {
  // The database's name in the daemon's configuration.
  std::string database = {};
  // "sqlite", "postgres", "cockroachdb" or "pebble".
  std::string driver = {};
  // The SQL dialect: "sqlite" or "postgresql".
  std::string dialect = {};
  std::string server_version = {};
  // The time from the daemon to the backend and back.
  absl::Duration backend_round_trip = {};
  // The time from this process to the daemon and back, including backend_round_trip.
  absl::Duration round_trip = {};

  // The backend's capabilities; see penstock.v1.Capabilities.
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

// One of the databases that the daemon serves.
struct DatabaseInfo {
  std::string name = {};
  std::string driver = {};
  // True if a Config without a database gets this one.
  bool is_default = false;
};

// A connection to one database. Thread-safe: make one and share it. The objects that it makes may
// outlive it.
//
// A Provider connects when it is first used, and reconnects by itself after the daemon was
// restarted or its host name has got another address. Connecting takes at most as long as the
// caller's deadline allows, and 20 seconds without one. A call ends within about two seconds
// of its deadline or of its context's Cancel, even if the daemon is stopped and accepts no bytes.
// Calls of all threads, other than transactions, batches, migrations and large requests, share a
// stream to the daemon, and what several of them send at the same time travels together. A Provider
// keeps at most 64 other idle streams for reuse. Idle streams end after 30 seconds. One thread of
// the Provider's own is started with the first call.
//
// A process that forks cannot use the Provider in the child.
class Provider : public Executor {
 public:
  // Reaches the daemon and the database. Waits for a daemon that is just starting, for 10 seconds
  // if `ctx` has no deadline. Calling Connect first is optional; the other calls do not wait for
  // the daemon. The error says why the connection failed: it was refused, the socket or host does
  // not exist, or the peer does not speak gRPC. Its code is UNAVAILABLE, or DEADLINE_EXCEEDED if
  // `ctx` has a deadline. A TLS failure (a certificate of another authority or for another name, no
  // certificate where one is demanded, plain text where TLS is spoken) is UNAVAILABLE and is
  // reported at once.
  virtual absl::Status Connect(const Context& ctx) = 0;

  // Closes idle streams and ends the calls that are running; every later call fails with
  // FAILED_PRECONDITION. The destructor does the same, except that Rows, Transactions and
  // Statements stay usable.
  virtual absl::Status Close() = 0;

  // Checks that the daemon and the backend can be reached.
  virtual absl::Status Ping(const Context& ctx) = 0;
  // Does what Ping does and describes the database.
  virtual absl::StatusOr<PingInfo> Inspect(const Context& ctx) = 0;

  // Opens a transaction. `ctx` limits the opening only, not the transaction, which has its
  // settings.
  virtual absl::StatusOr<std::unique_ptr<penstock::Transaction>> Transaction(
      const Context& ctx, const TransactionOptions& options) = 0;
  absl::StatusOr<std::unique_ptr<penstock::Transaction>> Transaction(const Context& ctx) {
    return Transaction(ctx, TransactionOptions());
  }

  // Runs independent statements, each as a transaction of its own. Sends them without waiting for
  // answers; statements that wait together may share a commit. Returns one outcome for each
  // statement, in order. A failed statement does not affect the others. Statements that were sent
  // and not answered when the connection broke are IsCommitOutcomeUnknown.
  virtual std::vector<absl::StatusOr<Result>> ExecBatch(const Context& ctx,
                                                        std::vector<BatchStatement> batch) = 0;

  // Does the same, but stops at the first failure: the outcome of each statement behind it is
  // ABORTED and IsRetryable. If the connection broke, statements that were already sent may have
  // been run; their outcomes say so. The default implementation returns UNIMPLEMENTED for each.
  virtual std::vector<absl::StatusOr<Result>> ExecUntilFailure(const Context& ctx,
                                                               std::vector<BatchStatement> batch);

  // The calls of Executor without blocking; see async.h.
  template <Argument... T>
  Async<std::unique_ptr<Rows>> QueryAsync(const Context& ctx, std::string_view sql, T&&... args) {
    return QueryArgsAsync(ctx, sql, Args{Value(std::forward<T>(args))...});
  }
  template <Argument... T>
  Async<Result> ExecAsync(const Context& ctx, std::string_view sql, T&&... args) {
    return ExecArgsAsync(ctx, sql, Args{Value(std::forward<T>(args))...});
  }
  Async<std::unique_ptr<Rows>> QueryAsync(const Context& ctx, std::string_view sql, Args args) {
    return QueryArgsAsync(ctx, sql, std::move(args));
  }
  Async<Result> ExecAsync(const Context& ctx, std::string_view sql, Args args) {
    return ExecArgsAsync(ctx, sql, std::move(args));
  }

  // The virtual functions that QueryAsync and ExecAsync call, and further calls. Their default
  // implementations run the calls that block in threads of their own, so that the Provider must
  // outlive them. The first rows of a query are there at its completion; Rows::NextAsync gets the
  // others.
  virtual Async<std::unique_ptr<Rows>> QueryArgsAsync(const Context& ctx, std::string_view sql,
                                                      Args args);
  virtual Async<Result> ExecArgsAsync(const Context& ctx, std::string_view sql, Args args);
  virtual Async<Result> ExecRowsAsync(const Context& ctx, std::string_view sql,
                                      std::vector<Args> rows);
  virtual Async<std::unique_ptr<Statement>> PrepareAsync(const Context& ctx, std::string_view sql);

  // Returns a keyspace. Its name begins with a letter from a to z, continues with such letters,
  // digits and underscores, and has at most 48 characters; an empty name means the default, kv.
  // Sends nothing. If the name is invalid, each call of the keyspace fails with INVALID_ARGUMENT.
  virtual std::unique_ptr<penstock::KeyValue> KeyValue(std::string_view keyspace) = 0;

  // Applies the pending migrations of a folder on this machine; see migrate.h. Safe to call from
  // many processes at once: each step is applied once.
  //
  // If it fails or is cut off, the steps that were committed stay, and calling it again continues
  // from there. A broken connection is therefore CONNECTION_FAILED and not an unknown outcome
  // (except with MigrateOptions that count steps). Errors: FAILED_PRECONDITION with the reason
  // MIGRATION_REFUSED if files and history do not agree or a step needs a repair; ABORTED with
  // MIGRATION_LOCKED if another migrator took longer than lock_timeout; NOT_FOUND if the folder
  // cannot be read; or the error of a statement, with its file and line.
  virtual absl::Status Migrate(const Context& ctx, std::string_view path) = 0;
  // Migrates as `options` say: up, down, to a version, as a dry run, and so on.
  virtual absl::StatusOr<MigrateResult> Migrate(const Context& ctx, std::string_view path,
                                                const MigrateOptions& options) = 0;
  // Compares a folder with the database. Changes nothing.
  virtual absl::StatusOr<MigrationReport> MigrationStatus(const Context& ctx,
                                                          std::string_view path) = 0;
  // Does the same with migrations that are functions of the program in addition. An empty `path`
  // means no folder. Applied functions are reported as such even if `code` does not have them.
  virtual absl::StatusOr<MigrationReport> MigrationStatus(
      const Context& ctx, std::string_view path, const std::vector<CodeMigration>& code) = 0;

  // Returns the databases that the daemon serves, sorted by name. Does not connect to them.
  virtual absl::StatusOr<std::vector<DatabaseInfo>> ListDatabases(const Context& ctx) = 0;
};

// Makes a Provider. Reads the TLS files but does not connect yet; see Connect. Fails with
// INVALID_ARGUMENT if `config` is invalid, also if it has a token that would be sent without
// encryption to another machine, and with NOT_FOUND if a TLS file cannot be read.
absl::StatusOr<std::unique_ptr<Provider>> New(const Config& config);

}  // namespace penstock

#endif  // PENSTOCK_PROVIDER_H_
