// Runs a daemon in the test's own process.
#ifndef PENSTOCK_TESTS_SUPPORT_GATEWAY_H_
#define PENSTOCK_TESTS_SUPPORT_GATEWAY_H_

#include <memory>
#include <string>

#include "server/config/config.h"
#include "server/daemon.h"
#include "tests/support/temp_dir.h"

namespace penstock::testing {

// Makes a configuration with one SQLite database, `main`, in `folder`, gRPC on a unix socket there,
// and no HTTP.
server::Config SqliteConfig(const std::string& folder);

// A running daemon. The constructor ends the process if the daemon does not start.
class Gateway {
 public:
  explicit Gateway(const server::Config& config);
  // The address of the daemon: "unix:/…".
  const std::string& target() const { return target_; }
  server::Daemon& daemon() { return *daemon_; }

 private:
  std::unique_ptr<server::Daemon> daemon_;
  std::string target_;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_GATEWAY_H_
