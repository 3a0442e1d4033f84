// The file descriptors of the process, and who gets how many.
#ifndef PENSTOCK_SERVER_DESCRIPTORS_H_
#define PENSTOCK_SERVER_DESCRIPTORS_H_

#include "absl/status/statusor.h"
#include "server/config/config.h"

namespace penstock::server {

// Opens /dev/null in the place of each of 0, 1 and 2 that is closed, so that no file of
// a database becomes what somebody prints to. To be called before anything is opened.
void KeepStandardDescriptors();

// Raises the soft limit of open files to the hard one.
void RaiseDescriptorLimit();

struct DescriptorShares {
  // Clients' connections of gRPC and of HTTP.
  int grpc = 0;
  int http = 0;
};

// Shares `limit` descriptors, of which `open` are taken: first what the databases and the
// log may yet need, then HTTP, and gRPC has the rest, at most max_connections. So whoever
// connects never takes what a database needs. FAILED_PRECONDITION, which says how many
// are missing, if too few remain.
absl::StatusOr<DescriptorShares> ShareDescriptors(int limit, int open, const Config& config);

// The same for this process, as it is now.
absl::StatusOr<DescriptorShares> ShareDescriptors(const Config& config);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_DESCRIPTORS_H_
