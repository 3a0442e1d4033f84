// A PostgreSQL server of the test's own.
#ifndef PENSTOCK_TESTS_SUPPORT_POSTGRES_CLUSTER_H_
#define PENSTOCK_TESTS_SUPPORT_POSTGRES_CLUSTER_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace penstock::testing {

// The path of a program of the newest PostgreSQL server here; empty, and a failure
// of the test, if there is none.
std::string PostgresProgram(const std::string& name);

// The command as a user that PostgreSQL's programs let themselves be run as. It
// ends with this process.
std::vector<std::string> AsPostgres(std::vector<std::string> words);

// A cluster in a temporary folder, reached by a unix socket in it by anybody who
// can see the folder. It ends with the object, or with the process. Started as
// root it runs as the user postgres, since PostgreSQL refuses root.
class PostgresCluster {
 public:
  // Made anew and started. What is missing is a failure of the test that says so. `settings`
  // ("name=value") are added to the server's, which are made for short tests.
  explicit PostgresCluster(const std::vector<std::string>& settings = {});
  // A hot standby of `primary`, which it follows.
  explicit PostgresCluster(const PostgresCluster* primary);
  // Stops the server at once.
  ~PostgresCluster();
  PostgresCluster(const PostgresCluster&) = delete;
  PostgresCluster& operator=(const PostgresCluster&) = delete;

  // The one that test programs share, if PENSTOCK_TEST_POSTGRES names the file that
  // says where it is (shared_postgres.sh). Otherwise the process's own, started by the
  // first who asks.
  static PostgresCluster& Shared();

  // The server's process; Stop waits until it has ended. `settings` are further
  // ones for this start, each "name=value".
  void Start(const std::vector<std::string>& settings = {});
  void Stop(int signal);

  // Makes an empty database; for connection_string. It goes with the server, or with
  // this process if the server is shared.
  std::string CreateDatabase();
  // "host=… user=postgres dbname=…"
  std::string connection_string(const std::string& database) const;
  const std::string& socket_folder() const { return folder_; }
  // Puts a file where the server may read it, and nobody else; its path.
  std::string PlaceFile(const std::string& from, const std::string& name);

 private:
  struct Running {};
  // Somebody else's, whose socket is in `folder`.
  PostgresCluster(Running, std::string folder) : folder_(std::move(folder)) {}

  class Cleaner;
  void DropDatabases();

  // Runs one of PostgreSQL's programs.
  void Run(const std::string& program, std::vector<std::string> arguments);
  // Lets the server's user have the file or folder.
  void GiveAway(const std::string& path);

  // Null: the server is shared.
  const std::unique_ptr<TempDir> own_folder_;
  const std::string folder_;
  const std::vector<std::string> settings_;
  std::unique_ptr<Process> server_;
  std::vector<std::string> databases_;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_POSTGRES_CLUSTER_H_
