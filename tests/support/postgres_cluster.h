// Runs PostgreSQL servers for tests.
#ifndef PENSTOCK_TESTS_SUPPORT_POSTGRES_CLUSTER_H_
#define PENSTOCK_TESTS_SUPPORT_POSTGRES_CLUSTER_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace penstock::testing {

// Returns the path of a program of the newest installed PostgreSQL server. Fails the test and
// returns an empty text if there is none.
std::string PostgresProgram(const std::string& name);

// Returns the command wrapped such that it runs as a user that PostgreSQL's programs accept, and
// ends with this process.
std::vector<std::string> AsPostgres(std::vector<std::string> words);

// A PostgreSQL server with data in a temporary folder. Everybody who can see the folder can connect
// to its unix socket there. It ends with this object, or with the process. If the test runs as
// root, the server runs as the user postgres, because PostgreSQL refuses root.
class PostgresCluster {
 public:
  // Makes a new cluster and starts it. Fails the test if something is missing. `settings`
  // ("name=value") are added to the default settings, which suit short tests.
  explicit PostgresCluster(const std::vector<std::string>& settings = {});
  // Makes a hot standby that follows `primary`.
  explicit PostgresCluster(const PostgresCluster* primary);
  // Stops the server immediately.
  ~PostgresCluster();
  PostgresCluster(const PostgresCluster&) = delete;
  PostgresCluster& operator=(const PostgresCluster&) = delete;

  // Returns the server that test programs share, if PENSTOCK_TEST_POSTGRES names the file that says
  // where it is (shared_postgres.sh). Otherwise returns a server of this process, which the first
  // call starts.
  static PostgresCluster& Shared();

  // Start and stop the server's process; Stop waits for its end. `settings` ("name=value") are
  // added for this start only.
  void Start(const std::vector<std::string>& settings = {});
  void Stop(int signal);

  // Makes an empty database and returns its name, for connection_string. It is removed with the
  // server, or with this process if the server is shared.
  std::string CreateDatabase();
  // Returns "host=… user=postgres dbname=…".
  std::string connection_string(const std::string& database) const;
  const std::string& socket_folder() const { return folder_; }
  // Copies a file to where only the server can read it, and returns its path.
  std::string PlaceFile(const std::string& from, const std::string& name);

 private:
  struct Running {};
  // Refers to a server that somebody else has started, whose socket is in `folder`.
  PostgresCluster(Running, std::string folder) : folder_(std::move(folder)) {}

  class Cleaner;
  void DropDatabases();

  // Runs one of PostgreSQL's programs.
  void Run(const std::string& program, std::vector<std::string> arguments);
  // Gives the file or folder to the user that the server runs as.
  void GiveAway(const std::string& path);

  // Null if the server is shared.
  const std::unique_ptr<TempDir> own_folder_;
  const std::string folder_;
  const std::vector<std::string> settings_;
  std::unique_ptr<Process> server_;
  std::vector<std::string> databases_;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_POSTGRES_CLUSTER_H_
