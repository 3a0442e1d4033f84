// A connection of libpq's, opened within a deadline. For link.cc alone.
#ifndef PENSTOCK_DRIVERS_POSTGRES_CONNECT_H_
#define PENSTOCK_DRIVERS_POSTGRES_CONNECT_H_

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/deadline.h"
#include "drivers/postgres/options.h"

namespace penstock::postgres {

struct FinishConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using OwnedConnection = std::unique_ptr<PGconn, FinishConnection>;

// Tries the hosts of `options` in turn, each for a fair share of the time. No error has
// anything of a connection string in it.
absl::StatusOr<OwnedConnection> ConnectToAny(const Options& options,
                                             const driver::Deadline& deadline);

// Why `connection`, which was to reach `where`, is of no use, as libpq or the server says.
absl::Status ConnectError(const Options& options, const std::string& where, PGconn* connection);
absl::Status ConnectError(const std::string& where, std::string_view why);

// The timeout of poll() up to `until`; -1: none.
int PollTimeout(driver::TimePoint until);

// A message of libpq's without the line's end.
std::string Trimmed(const char* message);

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_CONNECT_H_
