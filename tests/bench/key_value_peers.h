// The programs that penstockd's keys and values are held against.
#ifndef PENSTOCK_TESTS_BENCH_KEY_VALUE_PEERS_H_
#define PENSTOCK_TESTS_BENCH_KEY_VALUE_PEERS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/bench/load.h"
#include "tests/support/process.h"

namespace penstock::bench {

// A redis-server with an append-only file in a folder of its own, and a client of
// many connections. It ends with the object.
class Redis {
 public:
  // `folder` is an empty one on the disk that is to take the writes; `socket` the
  // path of a unix socket; `appendfsync` is Redis's ("everysec", "always").
  static absl::StatusOr<std::unique_ptr<Redis>> Start(const std::string& folder,
                                                      const std::string& socket,
                                                      const std::string& appendfsync);

  // Sets every key that the load asks for.
  absl::Status Fill() const;

  // One round of GET (Call::kGet) or SET (Call::kPut): as many connections as
  // callers, each with one command outstanding. They are served by one thread, which
  // costs less than any client of gRPC's.
  absl::StatusOr<RoundResult> Run(const Round& round) const;

 private:
  Redis(const std::vector<std::string>& command, const std::string& folder, std::string socket)
      : socket_(std::move(socket)), process_(command, folder) {}

  const std::string socket_;
  testing::Process process_;
};

// An etcd of one member; it ends with the object.
class Etcd {
 public:
  // It listens in the folder `sockets`, and writes to `folder`, as above.
  static absl::StatusOr<std::unique_ptr<Etcd>> Start(const std::string& folder,
                                                     const std::string& sockets);

  // As gRPC takes it.
  const std::string& address() const { return address_; }

 private:
  Etcd(const std::vector<std::string>& command, const std::string& sockets, std::string address)
      : address_(std::move(address)), process_(command, sockets) {}

  const std::string address_;
  testing::Process process_;
};

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_KEY_VALUE_PEERS_H_
