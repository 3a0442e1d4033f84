// The daemon as a whole.
#ifndef PENSTOCK_SERVER_DAEMON_H_
#define PENSTOCK_SERVER_DAEMON_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "drivers/api/deadline.h"
#include "server/config/config.h"

namespace penstock::server {

// Runs the databases, gRPC, HTTP and the ticker from Start until it is destroyed.
class Daemon {
 public:
  // Opens every database, then listens. The error says what is wrong and names each database
  // concerned. `cancellation`, which may be null, ends the migrations that run or wait before the
  // daemon listens; the error is then its status. From now on the lines of gRPC and protobuf go to
  // the process's log.
  static absl::StatusOr<std::unique_ptr<Daemon>> Start(
      const Config& config, driver::Cancellation* cancellation = nullptr);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // The addresses as they were bound. `http_address` is empty if there is no HTTP.
  const std::vector<std::string>& grpc_addresses() const;
  std::string http_address() const;

  // Gives handshakes from now on the certificates of this configuration, and calls its identities.
  // Calls that go on end at their next request if their credential is not in it any more, or has
  // other rights. On failure everything stays as it is; the error has a line for each file that is
  // wrong. Whether there is TLS, and a client_ca_file, stays as it was at the start: certificates
  // of a configuration that differs in that are not taken.
  absl::Status Reload(const Config& config);

  // Stops taking calls, gives running ones the configured grace, and returns
  // when none is left.
  void Drain();

 private:
  class Impl;
  explicit Daemon(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_DAEMON_H_
