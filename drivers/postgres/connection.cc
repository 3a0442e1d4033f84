#include "drivers/postgres/connection.h"

#include <array>
#include <chrono>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::postgres {

using driver::Reason;

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const Options& options,
                                                             const Flavor& flavor,
                                                             TypeRegistry* types,
                                                             const driver::Deadline& deadline) {
  absl::StatusOr<std::unique_ptr<Link>> link = Link::Connect(options, deadline);
  if (!link.ok()) return link.status();
  std::unique_ptr<Connection> connection(new Connection(options, flavor, types, *std::move(link)));
  const bool is_cockroach = !connection->cockroach_version().empty();
  if (flavor.cockroach != is_cockroach) {
    return driver::MakeErrorWithHint(
        Reason::kConnectionFailed,
        fmt::format("the server at {} {}", options.where,
                    is_cockroach ? "is a CockroachDB: it reports a crdb_version"
                                 : "is not a CockroachDB: it reports no crdb_version"),
        is_cockroach ? "use the driver cockroachdb" : "use the driver postgres");
  }
  return connection;
}

Connection::Connection(const Options& options, const Flavor& flavor, TypeRegistry* types,
                       std::unique_ptr<Link> link)
    : options_(options),
      flavor_(flavor),
      types_(types),
      link_(std::move(link)),
      statements_(options.statement_cache_size) {}

absl::Status Connection::Ping(const driver::Deadline& deadline) {
  if (!link_->Alive()) return link_->BrokenError();
  return Control("SELECT 1", Watch(link_.get(), deadline, nullptr));
}

bool Connection::Alive() { return link_->Alive(); }

bool Connection::healthy() const { return !link_->broken(); }

absl::Status Connection::Reset() {
  keep_session_ = false;
  absl::Status reset = Rollback();
  if (reset.ok() && options_.always_reset) session_changed_ = true;
  CleanUp();
  return healthy() ? reset : link_->BrokenError();
}

void Connection::CleanUp() {
  // Within a transaction it is the same client's still.
  if (!session_changed_ || keep_session_ || in_transaction_ || !healthy()) return;
  session_changed_ = false;
  if (flavor_.cockroach) {
    statements_.Clear();
    if (!Control("DISCARD ALL").ok()) link_->Break();
    return;
  }
  // DISCARD ALL without what it does to prepared statements, in one round trip.
  constexpr std::array kSteps = {
      "CLOSE ALL",        "SET SESSION AUTHORIZATION DEFAULT", "RESET ALL",
      "UNLISTEN *",       "SELECT pg_advisory_unlock_all()",   "DISCARD TEMP",
      "DISCARD SEQUENCES"};
  bool sent = true;
  for (const char* step : kSteps) sent = sent && link_->SendText(step);
  const driver::Deadline limit{.at = std::chrono::steady_clock::now() + options_.cancel_grace,
                               .reason = Reason::kQueryTimeout};
  const Watch watch(link_.get(), limit, nullptr);
  Command command(&watch);
  // Whoever is next must not meet what could not be cleaned.
  if (!sent || !link_->SendSync() || !FinishSegment(&command).ok()) link_->Break();
}

}  // namespace penstock::postgres
