#include "server/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <system_error>

#include "drivers/api/spec.h"
#include "fmt/format.h"
#include "server/http/http_server.h"
#include "server/http/peers.h"

namespace penstock::server {
namespace {

// The descriptors that libraries use: event queues, names that are looked up, random numbers, a log
// that is opened anew.
constexpr int kOwn = 32;
// A connection to a server is a socket, and now and then a second one for a cancel. One
// to SQLite is a database with its log, their shared memory and temporary files.
constexpr int kByConnection = 8;
constexpr int kFewestClients = 8;

int OfDatabases(const Config& config, int limit) {
  int count = 0;
  for (const auto& [name, database] : config.databases) {
    const driver::DriverSpec* const spec = driver::FindDriver(database.driver.driver);
    count += spec != nullptr && spec->descriptors != nullptr
                 ? spec->descriptors(database.driver, limit)
                 : kByConnection * std::min(database.pool.max_open, 10'000);
  }
  return count;
}

int Limit() {
  rlimit limit{};
  constexpr rlim_t kMost = std::numeric_limits<int>::max() / 2;
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<int>(std::min(limit.rlim_cur, kMost))
                                               : 1024;
}

int Open() {
  std::error_code error;
  int count = 0;
  for (auto it = std::filesystem::directory_iterator("/proc/self/fd", error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    ++count;
  }
  return count;
}

}  // namespace

void KeepStandardDescriptors() {
  // The lowest that is free is taken, so these are 0, 1 and 2.
  for (int fd = open("/dev/null", O_RDWR); fd >= 0; fd = open("/dev/null", O_RDWR)) {
    if (fd <= STDERR_FILENO) continue;
    close(fd);
    return;
  }
}

void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

absl::StatusOr<DescriptorShares> ShareDescriptors(int limit, int open, const Config& config) {
  DescriptorShares shares;
  const HttpLimits most;
  if (!config.server.http_listen.empty()) {
    shares.http = std::clamp(limit / 16, kFewestClients, most.connections);
  }
  HttpLimits http = most;
  http.connections = shares.http;
  const int taken = open + kOwn + OfDatabases(config, limit) + HttpPeers::MostOpen(http);
  if (limit - taken < kFewestClients) {
    return absl::FailedPreconditionError(
        fmt::format("the limit of open files is {}, but at least {} are needed: {} are open, and "
                    "the databases may need {}; raise it (ulimit -n, LimitNOFILE), or lower "
                    "max_open_connections",
                    limit, taken + kFewestClients, open, OfDatabases(config, limit)));
  }
  shares.grpc = std::min(limit - taken, config.server.max_connections);
  return shares;
}

absl::StatusOr<DescriptorShares> ShareDescriptors(const Config& config) {
  return ShareDescriptors(Limit(), Open(), config);
}

}  // namespace penstock::server
