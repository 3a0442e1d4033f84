// Two PostgreSQL servers that are alike: one for psql, one for the gateway.
#ifndef PENSTOCK_TESTS_DIFFERENTIAL_POSTGRES_CLUSTERS_H_
#define PENSTOCK_TESTS_DIFFERENTIAL_POSTGRES_CLUSTERS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tests/support/postgres_cluster.h"

namespace penstock::differential {

// Roles, tablespaces and OIDs are a cluster's, so each side has one, with databases of the same
// name. Used by one thread.
class PostgresClusters {
 public:
  // The thread's own pair, which is started by the first use and ends with the thread.
  static PostgresClusters& OfThread();

  // psql runs `files` on both, in the database that those of NewDatabase are copies of. What fails
  // in them fails on both; an error says that psql could not be run. Does nothing if these files
  // were run before.
  absl::Status Prepare(const std::vector<std::string>& files);
  // Makes the database of this name on both; the error is the server's.
  absl::Status NewDatabase(const std::string& name);
  // Standard error tells why if it stays.
  void DropDatabase(const std::string& name);

  std::string own(const std::string& database) const { return own_.connection_string(database); }
  std::string gateways(const std::string& database) const {
    return gateways_.connection_string(database);
  }

 private:
  absl::Status RunOnBoth(const std::string& sql);

  testing::PostgresCluster own_;
  testing::PostgresCluster gateways_;
  std::vector<std::string> prepared_;
};

}  // namespace penstock::differential

#endif  // PENSTOCK_TESTS_DIFFERENTIAL_POSTGRES_CLUSTERS_H_
