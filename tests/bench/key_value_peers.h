// The programs that penstockd's key-value calls are compared with.
#ifndef PENSTOCK_TESTS_BENCH_KEY_VALUE_PEERS_H_
#define PENSTOCK_TESTS_BENCH_KEY_VALUE_PEERS_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/bench/load.h"
#include "tests/support/process.h"

namespace penstock::bench {

// A redis-server with an append-only file in a folder of its own, and a client with many
// connections. The server ends with this object.
class Redis {
 public:
  // `folder` is an empty folder on the disk that is to take the writes, `socket` the path of a unix
  // socket, `appendfsync` Redis's setting ("everysec", "always").
  static absl::StatusOr<std::unique_ptr<Redis>> Start(const std::string& folder,
                                                      const std::string& socket,
                                                      const std::string& appendfsync);

  // Sets every key that the load uses.
  absl::Status Fill() const;

  // Measures one round of GET (Call::kGet) or SET (Call::kPut) with one connection for each caller,
  // each of which has one command outstanding. One thread serves all of them, which costs less than
  // any gRPC client.
  absl::StatusOr<RoundResult> Run(const Round& round) const;

  // Runs redis-benchmark with GET of keys of the load: `pipeline` commands outstanding on each of
  // `clients` connections. It ends by a number of commands, which takes about `time` at the rate
  // that one core reaches.
  absl::StatusOr<RoundResult> RunPipelinedGets(int clients, int pipeline,
                                               std::chrono::milliseconds time) const;

 private:
  Redis(const std::vector<std::string>& command, const std::string& folder, std::string socket)
      : folder_(folder), socket_(std::move(socket)), process_(command, folder) {}

  const std::string folder_;
  const std::string socket_;
  testing::Process process_;
};

// An etcd with one member, which ends with this object.
class Etcd {
 public:
  // Listens in the folder `sockets` and writes to `folder`, as above.
  static absl::StatusOr<std::unique_ptr<Etcd>> Start(const std::string& folder,
                                                     const std::string& sockets);

  // The address in gRPC's form.
  const std::string& address() const { return address_; }

 private:
  Etcd(const std::vector<std::string>& command, const std::string& sockets, std::string address)
      : address_(std::move(address)), process_(command, sockets) {}

  const std::string address_;
  testing::Process process_;
};

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_KEY_VALUE_PEERS_H_
