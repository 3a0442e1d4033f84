// A daemon in a process of its own, whose data outlives it.
#ifndef PENSTOCK_TESTS_SUPPORT_DAEMON_FOLDER_H_
#define PENSTOCK_TESTS_SUPPORT_DAEMON_FOLDER_H_

#include <memory>
#include <string>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace penstock::testing {

// A configuration with one database `main` of a driver, its data, and a unix socket. On
// PostgreSQL it is a new database of the shared server.
class DaemonFolder {
 public:
  // `server`: further keys of the section `server`, as in "drain_grace: 10ms".
  // `connection_string`: where the database is, if it is not on the shared server.
  explicit DaemonFolder(const std::string& driver, const std::string& server = "",
                        std::string connection_string = "");

  // Where it serves: "unix:/…".
  std::string target() const { return "unix:" + folder_.path() + "/penstock.sock"; }
  // Starts a daemon and waits until it serves; the test fails if it does not. Those before
  // have ended.
  std::unique_ptr<Process> Start() const;

 private:
  const TempDir folder_;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_DAEMON_FOLDER_H_
