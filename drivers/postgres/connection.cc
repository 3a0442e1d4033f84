#include "drivers/postgres/connection.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/postgres/session_settings.h"
#include "fmt/format.h"

namespace penstock::postgres {

using driver::Reason;

namespace {

// So much later than the daemon, which knows more precisely and says it better.
constexpr auto kStatementTimeoutSlack = std::chrono::seconds(5);

}  // namespace

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
  absl::Status settled = connection->Settle(deadline);
  if (!settled.ok()) return settled;
  absl::Status limited = connection->LimitStatements(deadline);
  if (!limited.ok()) return limited;
  return connection;
}

Connection::Connection(const Options& options, const Flavor& flavor, TypeRegistry* types,
                       std::unique_ptr<Link> link)
    : options_(options),
      flavor_(flavor),
      types_(types),
      link_(std::move(link)),
      statements_(options.statement_cache_size) {}

absl::Status Connection::Settle(const driver::Deadline& deadline) {
  missing_settings_ = MissingSettings(options_.time_zone,
                                      [this](const char* name) { return link_->setting(name); });
  if (missing_settings_.empty()) return absl::OkStatus();
  return Control(missing_settings_, Watch(link_.get(), deadline, nullptr));
}

// Not on CockroachDB, where it could not be tried. A shorter limit, of the role's or
// of the database's, is left as it is.
absl::Status Connection::LimitStatements(const driver::Deadline& deadline) {
  if (flavor_.cockroach || options_.query_timeout.count() == 0) return absl::OkStatus();
  const int64_t limit = (options_.query_timeout + kStatementTimeoutSlack).count();
  // The server's own greatest.
  if (limit > std::numeric_limits<int32_t>::max()) return absl::OkStatus();
  const Watch watch(link_.get(), deadline, nullptr);
  Command command(&watch);
  const bool sent =
      link_->SendText(fmt::format("SELECT pg_catalog.set_config(name, '{0}', false) FROM "
                                  "pg_catalog.pg_settings WHERE CASE name WHEN 'statement_timeout' "
                                  "THEN setting::bigint NOT BETWEEN 1 AND {0} END",
                                  limit)) &&
      link_->SendSync();
  bool set = false;
  while (sent) {
    absl::StatusOr<Result> result = Next(&command);
    if (!result.ok()) return result.status();
    if (result->sort() == Result::Sort::kError) return Failure(*result, command);
    if (result->sort() == Result::Sort::kDone) set = result->rows() == 1;
    if (result->sort() != Result::Sort::kSync) continue;
    if (set) statement_timeout_ = fmt::format("SET statement_timeout = {}", limit);
    return absl::OkStatus();
  }
  return link_->BrokenError();
}

bool Connection::SendCaller(std::string_view caller) {
  // In a transaction it would be undone with it.
  if (caller == caller_ || in_transaction_) return false;
  caller_ = caller;
  std::string set = "RESET application_name";
  if (!caller.empty()) {
    set = "SET application_name = '";
    for (const char c : caller) {
      if (c == '\'') set += c;
      // Which has a meaning of its own where standard_conforming_strings is off.
      set += c == '\\' ? '/' : c;
    }
    set += '\'';
  }
  link_->SendText(set);
  link_->SendSync();
  return true;
}

void Connection::TakeCaller(Command* command) {
  // A cancel may have hit it: then it is unlike any caller, and set the next time.
  if (!FinishSegment(command).ok()) caller_ = "\n";
}

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
  caller_.clear();
  if (flavor_.cockroach) {
    statements_.Clear();
    absl::Status clean = Control("DISCARD ALL");
    if (clean.ok() && !missing_settings_.empty()) clean = Control(missing_settings_);
    if (!clean.ok()) link_->Break();
    return;
  }
  // DISCARD ALL without what it does to prepared statements, in one round trip.
  constexpr std::array kSteps = {
      "CLOSE ALL",        "SET SESSION AUTHORIZATION DEFAULT", "RESET ALL",
      "UNLISTEN *",       "SELECT pg_advisory_unlock_all()",   "DISCARD TEMP",
      "DISCARD SEQUENCES"};
  bool sent = true;
  for (const char* step : kSteps) sent = sent && link_->SendText(step);
  if (!missing_settings_.empty()) sent = sent && link_->SendText(missing_settings_);
  if (!statement_timeout_.empty()) sent = sent && link_->SendText(statement_timeout_);
  const driver::Deadline limit{.at = std::chrono::steady_clock::now() + options_.cancel_grace,
                               .reason = Reason::kQueryTimeout};
  const Watch watch(link_.get(), limit, nullptr);
  Command command(&watch);
  // Whoever is next must not meet what could not be cleaned.
  if (!sent || !link_->SendSync() || !FinishSegment(&command).ok()) link_->Break();
}

}  // namespace penstock::postgres
