// The settings of the session that a statement or a transaction of a call has.
#ifndef PENSTOCK_SERVER_RPC_BASE_CALL_SETTINGS_H_
#define PENSTOCK_SERVER_RPC_BASE_CALL_SETTINGS_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "drivers/api/driver.h"
#include "google/protobuf/map.h"
#include "server/auth/authenticator.h"
#include "server/database/database.h"

namespace penstock::server {

// Those that the database derives from the caller, and those that the request carries. Reusable,
// so that a stream does not allocate on every run.
class CallSettings {
 public:
  // What a request carries: values by name.
  using Carried = google::protobuf::Map<std::string, std::string>;
  // What a request carries that cannot carry any.
  static const Carried& None();

  // The longest value, in bytes.
  static constexpr size_t kMaxValueBytes = size_t{16} << 10;

  // Replaces the settings. Fails with kUnsupported if the request carries some and the driver has
  // none; with kNotAllowed if a name is not allowed, or is derived, or if the caller lacks the
  // claim of a derived one; with kInvalidParameter or kLimitExceeded if a value cannot be one. The
  // error names the setting and shows no value. The arguments outlive the use of values().
  absl::Status Assign(const Database& database, const Access& access, const Carried& carried);

  // The derived ones first, each part in the order of the configuration.
  std::span<const driver::Setting> values() const { return values_; }

 private:
  absl::Status AddDerived(const Database& database, const Access& access);
  absl::Status AddCarried(const Database& database, const Carried& carried);
  absl::Status Add(const std::string& name, const std::string& value);

  std::vector<driver::Setting> values_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_CALL_SETTINGS_H_
