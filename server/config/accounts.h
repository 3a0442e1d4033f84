// The users and groups of this machine.
#ifndef PENSTOCK_SERVER_CONFIG_ACCOUNTS_H_
#define PENSTOCK_SERVER_CONFIG_ACCOUNTS_H_

#include <sys/types.h>

#include <string>

#include "absl/status/statusor.h"

namespace penstock::server {

// Returns the number of a user, or of a group, that the text names. A text of digits is the number
// itself, whether there is such an account or not. The error says what is wrong and what to write.
//
// A name is asked of the machine's name service, which may be on another machine and take its time.
// Thread-safe.
absl::StatusOr<uid_t> FindUser(const std::string& text);
absl::StatusOr<gid_t> FindGroup(const std::string& text);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_ACCOUNTS_H_
