// Daemons and clients as processes, on one database to migrate.
#ifndef PENSTOCK_TESTS_INTEGRATION_MIGRATE_FIXTURE_H_
#define PENSTOCK_TESTS_INTEGRATION_MIGRATE_FIXTURE_H_

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/gateway.h"
#include "tests/support/migrate.h"
#include "tests/support/pgwire_proxy.h"
#include "tests/support/process.h"
#include "tests/support/wire.h"

namespace penstock::testing {

// The parameter is a driver. "cockroachdb" is a PostgreSQL at SERIALIZABLE behind a proxy
// that reports it as one, with a lease of a second.
class MigrateProcess : public ::testing::TestWithParam<std::string> {
 protected:
  MigrateProcess();

  bool is_sqlite() const { return GetParam() == "sqlite"; }
  // Only one process at a time has the database open.
  bool is_pebble() const { return GetParam() == "pebble"; }
  bool has_transactional_ddl() const { return GetParam() != "cockroachdb" && !is_pebble(); }
  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }
  std::string target(const std::string& daemon) const {
    return "unix:" + path(daemon + "/penstock.sock");
  }

  // A daemon on the test's database. `more` is added to its configuration.
  std::unique_ptr<Process> Daemon(const std::string& name, const std::string& more = "");
  // As Daemon, and it serves; otherwise the test has failed.
  std::unique_ptr<Process> ReadyDaemon(const std::string& name);
  static void Kill(Process* process);

  // A client in a folder of its own.
  std::unique_ptr<Process> Client(const std::string& daemon, const std::string& name,
                                  const std::vector<std::string>& words);
  // Runs `penstock migrate …` to its end: the exit code. Its output is in `said_`.
  int Cli(const std::vector<std::string>& words);

  std::string Folder(const MigrationFiles& files, const std::string& name = "migrations");

  // The table `log` has a number in each row.
  static std::string MakeLog() { return "CREATE TABLE log (key TEXT PRIMARY KEY, value INTEGER)"; }
  static std::string Insert(int n);
  // A statement that takes about a second and leaves the number 3000000 in `log`.
  std::string Slow() const;
  static std::string Numbers(Wire& wire);
  // What a query finds in `history`, which on every driver has the version, the state and
  // the statement of each row of the migrations'.
  std::string History(Wire& wire, const std::string& query) const;
  // Ten steps of which each leaves a row in `log`; the fifth is slow.
  MigrationFiles TenSteps() const;
  void ExpectTenSteps(const std::string& daemon);

  // Until no server runs Slow any more for a daemon that is gone.
  void AwaitSlow(Wire& wire);
  // Migrates up by one step, and if that is refused because one has to be repaired, looks
  // whether its statement was done, has it go on there, and tries again. The files have a
  // statement a line, which is MakeLog, Insert or Slow.
  void UpOneByRepair(const std::string& daemon, const MigrationFiles& files);
  // And then all the way.
  void FinishByRepair(const std::string& daemon, const MigrationFiles& files);

  // Opens a transaction in which nobody else can write to the history, which is there.
  void BlockHistory(TransactionStream* transaction);
  // Waits until a migrator, of which there is one, is at it or near. `other` is a daemon
  // that does not migrate, if there may be one.
  void AwaitBlocked(Wire& other);

  // The schema without the history.
  std::string Dump(const std::string& daemon);

  TempDir folder_;
  std::string said_;
  // Of PostgreSQL: past the proxy, and as the daemons reach it.
  std::string server_;
  std::string connection_;

 private:
  // Of the database in the configuration.
  std::string Connection() const;
  static bool MigrationIsUnderWay(Wire& wire);
  // A query that has a row if the statement was done.
  std::string ProbeOf(const MigrationFiles& files, int64_t version, int64_t statement) const;

  std::unique_ptr<PgwireProxy> proxy_;
  int clients_ = 0;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_INTEGRATION_MIGRATE_FIXTURE_H_
