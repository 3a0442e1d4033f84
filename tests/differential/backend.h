// What the runner has to know of a backend. SQLite's is sqlite_backend.cc; another one is
// a file beside it and a line in FindBackend.
#ifndef PENSTOCK_TESTS_DIFFERENTIAL_BACKEND_H_
#define PENSTOCK_TESTS_DIFFERENTIAL_BACKEND_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/config/config.h"
#include "tests/differential/answer.h"
#include "tests/differential/mode.h"
#include "tests/differential/script.h"
#include "tests/differential/text.h"
#include "tests/support/wire.h"

namespace penstock::differential {

using testing::Values;

// One session of the backend itself, without the gateway: what is right. Used by one
// thread. It has a database of its own.
//
// It is as the gateway's sessions are meant to be in one respect: what a statement leaves
// behind in the session (temporary tables, settings) is gone once no transaction is open.
class Oracle {
 public:
  virtual ~Oracle() = default;

  // Runs one statement, transaction control included. `args` are the values of $1, $2, …
  virtual Answer Run(const std::string& sql, const Values& args) = 0;
  // The statement can be prepared; nothing is run.
  virtual bool Prepares(const std::string& sql) = 0;
  virtual bool in_transaction() const = 0;
  // A failure has left the transaction so that it can only be rolled back (PostgreSQL).
  virtual bool transaction_aborted() const { return false; }

  // The gateway's value stands for the oracle's own, in a column that the gateway says is
  // of the kind `declared`.
  virtual bool Same(const v1::Value& own, const v1::Value& gateways, v1::Kind declared) = 0;

  // How what the gateway's database holds differs from what the oracle's does, read
  // without the gateway; one line a difference. `folder` is that of GatewayConfig. No
  // transaction is open.
  virtual std::vector<std::string> CompareStored(const std::string& folder) = 0;
  // Makes the oracle's database what the gateway's is, so that one difference does not
  // lead to more. False: it cannot. No transaction is open.
  virtual bool TakeOver(const std::string& folder) = 0;
};

// A statement whose constants have become parameters.
struct Parameterised {
  std::string sql;
  Values args;
};

// One kind of backend. Thread-safe.
class Backend {
 public:
  virtual ~Backend() = default;

  // As sqllogictest calls it in skipif and onlyif.
  virtual std::string name() const = 0;
  // Those that it can be compared in.
  virtual std::vector<Mode> modes() const = 0;
  // The backend's shell runs these files, and each database that this thread makes afterwards is
  // a copy of what they made. UNIMPLEMENTED: not of this backend.
  virtual absl::Status Prepare(const std::vector<std::string>& /*files*/) const {
    return absl::UnimplementedError("files cannot be run before others on this backend");
  }
  // A daemon with a database that is empty, or as Prepare has it, with its files in `folder`.
  // OpenOracle comes first.
  virtual server::Config GatewayConfig(const std::string& folder) const = 0;
  // An oracle with such a database, with its files in `folder`.
  virtual absl::StatusOr<std::unique_ptr<Oracle>> OpenOracle(const std::string& folder) const = 0;

  // Forgets the databases of this folder. No daemon and no oracle has them any more.
  virtual void Discard(const std::string& /*folder*/) const {}

  // Cuts a text into statements; blank ones are not counted. What the gateway cannot be asked, as
  // lines that are the shell's own (".mode", "\set"), is counted in `left_out`.
  virtual std::vector<Piece> Split(std::string_view text, LeftOut* left_out) const = 0;
  // What the statement is if it is transaction control.
  virtual Control Read(std::string_view sql) const = 0;
  // After a failure in a transaction nothing else is possible in it but to roll back, at least to
  // a savepoint.
  virtual bool failure_aborts() const { return false; }
  // SAVEPOINT begins a transaction where none is open.
  virtual bool savepoint_begins() const { return false; }
  // It cannot run in a transaction, or means something else there.
  virtual bool RunsOutside(std::string_view sql) const = 0;
  // It has parameters itself.
  virtual bool HasParameters(std::string_view sql) const = 0;
  // Constants as parameters; `args` is empty where there are none or it may not have any.
  virtual Parameterised Parameterise(std::string_view sql) const = 0;
  // The backend's code in a failure that the gateway tells, as Failure::code.
  virtual std::string CodeOf(const v1::ErrorDetail& detail) const = 0;
};

// In sqlite_backend.cc and postgres_backend.cc.
const Backend& SqliteBackend();
const Backend& PostgresBackend();

// Null: there is none of this name.
const Backend* FindBackend(std::string_view name);

}  // namespace penstock::differential

#endif  // PENSTOCK_TESTS_DIFFERENTIAL_BACKEND_H_
