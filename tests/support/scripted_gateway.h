// Runs the daemon's parts with a scripted driver in the test's own process.
#ifndef PENSTOCK_TESTS_SUPPORT_SCRIPTED_GATEWAY_H_
#define PENSTOCK_TESTS_SUPPORT_SCRIPTED_GATEWAY_H_

#include <memory>
#include <string>

#include "drivers/fake/fake_driver.h"
#include "server/auth/authenticator.h"
#include "server/auth/failed_attempts.h"
#include "server/rpc/grpc_server.h"
#include "server/runtime/ticker.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wire.h"

namespace penstock::testing {

// Serves one database, "main", on a unix socket. Set the script and the configuration before Start.
class ScriptedGateway {
 public:
  // `max_open` is the largest number of the database's connections.
  ScriptedGateway(driver::DriverInfo info, int max_open);
  ~ScriptedGateway();
  ScriptedGateway(const ScriptedGateway&) = delete;
  ScriptedGateway& operator=(const ScriptedGateway&) = delete;

  fake::Script& script() { return *script_; }
  server::Config& config() { return config_; }
  // Starts serving; fails the test if that is not possible.
  void Start();
  // Stops serving; the clients' streams end. Does nothing the second time.
  void Stop();

  Wire& wire() { return *wire_; }
  server::CallRegistry& registry() { return registry_; }
  const server::Databases& databases() const { return *databases_; }
  const server::ServerMetrics& metrics() const { return metrics_; }

 private:
  TempDir folder_;
  std::shared_ptr<fake::Script> script_ = std::make_shared<fake::Script>();
  server::Config config_;
  server::ServerMetrics metrics_;
  server::Authenticator authenticator_;  // without identities
  server::FailedAttempts failed_attempts_;
  server::CallRegistry registry_{1000, 1000};
  std::unique_ptr<server::Databases> databases_;
  std::unique_ptr<server::Ticker> ticker_;
  std::unique_ptr<server::GrpcServer> grpc_;
  std::unique_ptr<Wire> wire_;
};

// Writes one row with one integer.
void GiveRow(driver::StatementRun* run, int64_t value);

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_SCRIPTED_GATEWAY_H_
