// Decides who may have what HTTP serves.
#ifndef PENSTOCK_SERVER_HTTP_GUARD_H_
#define PENSTOCK_SERVER_HTTP_GUARD_H_

#include "absl/status/status.h"
#include "server/auth/authenticator.h"
#include "server/auth/failed_attempts.h"
#include "server/http/http_server.h"
#include "server/metrics/methods.h"
#include "server/metrics/metrics.h"

namespace penstock::server {

// Asks for what the rows of HTTP need (server/metrics/methods.h) if there are identities: a bearer
// token or a JSON Web Token, of which none is taken from another machine, because HTTP has no TLS.
// Who keeps failing is told so as by gRPC, and counts together with his calls. Thread-safe.
class HttpGuard {
 public:
  // All that it is given outlives it. With `is_open` whoever reaches the port has everything: it
  // can be reached from this machine only, or the configuration says so.
  HttpGuard(const Authenticator* authenticator, FailedAttempts* failed_attempts,
            ServerMetrics* metrics, bool is_open)
      : authenticator_(authenticator),
        failed_attempts_(failed_attempts),
        metrics_(metrics),
        is_open_(is_open) {}

  // Returns OK, or kUnauthenticated, kNotAllowed or, without what was wrong, kLimitExceeded. A
  // refusal is logged, and counted.
  absl::Status Admit(HttpPath path, const HttpCaller& caller) const;

 private:
  absl::Status RefuseUnknown(HttpPath path, const HttpCaller& caller,
                             const absl::Status& why) const;

  const Authenticator* const authenticator_;
  FailedAttempts* const failed_attempts_;
  ServerMetrics* const metrics_;
  const bool is_open_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_HTTP_GUARD_H_
