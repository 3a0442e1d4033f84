#include "tests/endurance/probe.h"

#include "fmt/format.h"
#include "penstock/penstock.h"

namespace penstock::testing {

absl::Status ProbeDatabase(const std::string& target, const std::string& database,
                           const std::string& driver) {
  const Context ctx = Context().WithTimeout(absl::Seconds(15));
  const auto db = New({.target = target, .database = database});
  if (!db.ok()) return db.status();
  absl::Status status;
  do {
    status = (*db)->Ping(ctx);
    if (status.ok()) status = (*db)->KeyValue("probes")->Put(ctx, "probe", "x");
  } while (driver == "postgres" && IsRetryable(status) && absl::Now() < ctx.deadline());
  if (status.ok()) return status;
  return {status.code(), fmt::format("{} at {}: {}", database, target, status.ToString())};
}

}  // namespace penstock::testing
