// Who makes a call, and what he may do.
#ifndef PENSTOCK_SERVER_AUTH_PRINCIPAL_H_
#define PENSTOCK_SERVER_AUTH_PRINCIPAL_H_

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "drivers/api/key_value.h"
#include "server/auth/quota.h"
#include "server/config/identity.h"

namespace penstock::server {

// An identity as one of its credentials proves it. Immutable but for its revocation and its quota;
// thread-safe.
class Principal {
 public:
  // Without a quota the identity has one of its own, without limits.
  Principal(std::string name, std::vector<GrantConfig> grants,
            std::shared_ptr<Quota> quota = nullptr, bool metrics = false)
      : name_(std::move(name)),
        grants_(std::move(grants)),
        metrics_(metrics),
        quota_(quota != nullptr ? std::move(quota) : Quota::Make(name_)) {}
  Principal(const Principal&) = delete;
  Principal& operator=(const Principal&) = delete;

  // Returns the one who may do everything, by the name "local": whoever reaches a daemon without
  // identities, and the daemon's own user.
  static const std::shared_ptr<const Principal>& Local();

  const std::string& name() const { return name_; }
  const std::vector<GrantConfig>& grants() const { return grants_; }
  // May read the metrics of the daemon.
  bool metrics() const { return metrics_; }
  // What the identity uses, by all of its credentials together.
  Quota& quota() const { return *quota_; }

  // Returns OK, or kNotAllowed if no grant gives the right on the database. Whether there is such
  // a database is not told to somebody who may not use it. kWrite implies kRead.
  absl::Status Check(Right right, std::string_view database) const;

  // Returns OK, or kNotAllowed if the principal may not read the metrics of the daemon.
  absl::Status CheckMetrics() const;

  // Returns OK, or kNotAllowed if the principal may not use SQL on a database on which he has a
  // right: a grant for some keys is one for key-value calls only.
  absl::Status CheckSql(std::string_view database) const;
  // Tells whether his SQL may write. If not, the backend has to see to it
  // (driver::StatementRun::must_only_read).
  bool MayWriteBySql(std::string_view database) const;

  // Returns OK, or kNotAllowed unless one grant covers the operation: its right, its keyspace and
  // all of its keys. Conditions of a write tell something of what is there, which kWrite allows.
  absl::Status CheckKeys(const driver::KeyValueRun& run, std::string_view database) const;

  // Tells whether any grant is for the database, so that he may know of it.
  bool Knows(std::string_view database) const;

  // A reload has removed the credential or changed what it may do: calls that go on end at their
  // next request.
  void Revoke() const { revoked_.store(true, std::memory_order_relaxed); }
  bool revoked() const { return revoked_.load(std::memory_order_relaxed); }

 private:
  bool Has(Right right, std::string_view database, bool by_sql) const;
  absl::Status Refusal(std::string_view what, std::string_view database,
                       std::string_view hint) const;

  const std::string name_;
  const std::vector<GrantConfig> grants_;
  const bool metrics_;
  const std::shared_ptr<Quota> quota_;
  mutable std::atomic<bool> revoked_{false};
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_AUTH_PRINCIPAL_H_
