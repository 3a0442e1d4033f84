#include "server/http/guard.h"

#include <chrono>
#include <string>
#include <string_view>

#include "drivers/api/error.h"
#include "server/auth/principal.h"
#include "server/log/log.h"
#include "server/net/acceptor.h"
#include "server/runtime/clock.h"

namespace penstock::server {
namespace {

absl::Status Check(const Principal& principal, Need need) {
  switch (need) {
    case Need::kNothing:
    case Need::kIdentity: return absl::OkStatus();
    case Need::kMetrics: return principal.CheckMetrics();
    case Need::kRead:
    case Need::kWrite:
    case Need::kMigrate:
    case Need::kAdmin: break;
  }
  return driver::MakeError(driver::Reason::kNotAllowed,
                           "HTTP serves nothing that needs a right on a database");
}

// Anybody can cause these lines: they are limited like all lines.
void LogRefusal(HttpPath path, const HttpCaller& caller, std::string_view identity,
                const absl::Status& why) {
  Log(Level::kWarn, "a request was refused",
      {{"identity", identity},
       {"peer", caller.peer},
       {"path", RowOf(path).path},
       {"why", std::string(why.message())}});
}

}  // namespace

absl::Status HttpGuard::Admit(HttpPath path, const HttpCaller& caller) const {
  const Need need = RowOf(path).need;
  if (need == Need::kNothing || is_open_) return absl::OkStatus();
  Presented presented;
  for (const std::string& value : caller.authorizations) {
    presented.authorizations.emplace_back(value);
  }
  presented.overheard = !IsLocalPeer(caller.peer);
  const absl::StatusOr<Access> access =
      authenticator_->Authenticate(presented, std::chrono::system_clock::now());
  if (!access.ok()) return RefuseUnknown(path, caller, access.status());
  absl::Status allowed = Check(*access->principal, need);
  if (!allowed.ok()) LogRefusal(path, caller, access->principal->name(), allowed);
  return allowed;
}

absl::Status HttpGuard::RefuseUnknown(HttpPath path, const HttpCaller& caller,
                                      const absl::Status& why) const {
  metrics_->calls_refused.Add();
  absl::Status often = failed_attempts_->Note(caller.peer, Clock::System().Now());
  if (!often.ok()) {
    metrics_->calls_throttled.Add();
    return often;
  }
  LogRefusal(path, caller, "", why);
  return why;
}

}  // namespace penstock::server
