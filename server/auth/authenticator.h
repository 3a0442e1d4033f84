// Finds out who makes a call.
#ifndef PENSTOCK_SERVER_AUTH_AUTHENTICATOR_H_
#define PENSTOCK_SERVER_AUTH_AUTHENTICATOR_H_

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/auth/principal.h"
#include "server/auth/quota.h"
#include "server/config/identity.h"
#include "server/net/peer_processes.h"

namespace penstock::server {

// What a caller shows of himself.
struct Presented {
  std::optional<PeerProcess> process;
  // The names of the client's certificate, which TLS has verified, in their order of preference:
  // "uri:…", "dns:…" in small letters, "cn:…".
  std::vector<std::string> certificate_names;
  // The values of the metadata `authorization`.
  std::vector<std::string_view> authorizations;
  // The call came over a network without TLS, where others may have read it.
  bool overheard = false;
};

struct Claims;

// Who makes a call.
struct Access {
  std::shared_ptr<const Principal> principal;
  // When the proof expires.
  std::chrono::system_clock::time_point until = std::chrono::system_clock::time_point::max();
  // Of the JSON Web Token that is the proof; null if it is another one.
  std::shared_ptr<const Claims> claims = nullptr;

  // Returns OK, or kUnauthenticated if the proof has expired or was revoked meanwhile: for each
  // further request of a call that goes on.
  absl::Status Check(std::chrono::system_clock::time_point now) const;
};

// Knows the identities of the configuration. Everything that a caller presents has to be right, and
// to name one identity: a wrong token is refused even over a socket that would do without.
// Thread-safe.
class Authenticator {
 public:
  using Time = std::chrono::system_clock::time_point;

  Authenticator();
  ~Authenticator();
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;

  // Replaces the identities. A credential that stays as it was, with the same rights, goes on for
  // calls that are under way; any other is revoked. The limits of an identity hold for what begins
  // from now on, and what is under way counts. Fails, and changes nothing, if the key set for
  // JSON Web Tokens cannot be read.
  absl::Status Load(const IdentityConfigs& identities, const JwtConfig& jwt);

  // False: there are no identities, and everybody is Principal::Local().
  bool configured() const { return configured_.load(std::memory_order_acquire); }

  // Returns the quotas of Principal::Local() and of each identity, for /metrics.
  std::vector<std::shared_ptr<const Quota>> quotas() const;

  // Tells whether the key set for JSON Web Tokens could not be used when its file was looked at
  // last, so that older keys go on; nothing if there is none.
  std::optional<bool> key_set_has_problem() const;

  // Returns who presents this, or kUnauthenticated with what is wrong with it. No message shows a
  // token or a part of one.
  absl::StatusOr<Access> Authenticate(const Presented& presented, Time now) const;

 private:
  struct Table;

  std::shared_ptr<const Table> table() const;

  std::atomic<bool> configured_{false};
  mutable std::mutex mutex_;
  std::shared_ptr<const Table> table_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_AUTH_AUTHENTICATOR_H_
