// Runs daemons in processes of their own that share a configuration and data.
#ifndef PENSTOCK_TESTS_SUPPORT_DAEMON_FOLDER_H_
#define PENSTOCK_TESTS_SUPPORT_DAEMON_FOLDER_H_

#include <memory>
#include <string>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace penstock::testing {

// A folder with a configuration, its data and a unix socket. The configuration has one database,
// `main`, of the given driver; for PostgreSQL it is a new database on the shared server.
class DaemonFolder {
 public:
  // `server` has further keys of the section `server`, such as "drain_grace: 10ms".
  // `connection_string` is for a database that is not on the shared server.
  explicit DaemonFolder(const std::string& driver, const std::string& server = "",
                        std::string connection_string = "");

  // The address of the daemon: "unix:/…".
  std::string target() const { return "unix:" + folder_.path() + "/penstock.sock"; }
  // Starts a daemon and waits until it serves; fails the test if it does not. Daemons that were
  // started before must have ended.
  std::unique_ptr<Process> Start() const;

 private:
  const TempDir folder_;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_DAEMON_FOLDER_H_
