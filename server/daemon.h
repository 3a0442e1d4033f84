// The daemon put together.
#ifndef PENSTOCK_SERVER_DAEMON_H_
#define PENSTOCK_SERVER_DAEMON_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/config/config.h"

namespace penstock::server {

// Databases, gRPC, HTTP and the ticker, from Start until destroyed.
class Daemon {
 public:
  // Opens every database, then listens. The error says what is wrong and
  // names each database concerned.
  static absl::StatusOr<std::unique_ptr<Daemon>> Start(const Config& config);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // As bound. Empty `http_address`: no HTTP.
  const std::vector<std::string>& grpc_addresses() const;
  std::string http_address() const;

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
