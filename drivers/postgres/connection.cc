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
                                                             Definitions* definitions,
                                                             const driver::Deadline& deadline) {
  absl::StatusOr<std::unique_ptr<Link>> link = Link::Connect(options, deadline);
  if (!link.ok()) return link.status();
  std::unique_ptr<Connection> connection(
      new Connection(options, flavor, types, definitions, *std::move(link)));
  const bool is_cockroach = !connection->cockroach_version().empty();
  if (flavor.cockroach != is_cockroach) {
    return driver::MakeErrorWithHint(
        Reason::kConnectionFailed,
        fmt::format("the server at {} {}", options.where,
                    is_cockroach ? "is a CockroachDB: it reports a crdb_version"
                                 : "is not a CockroachDB: it reports no crdb_version"),
        is_cockroach ? "use the driver cockroachdb" : "use the driver postgres");
  }
  if (flavor.cockroach) {
    absl::Status begun = connection->BeginCockroach(deadline);
    if (!begun.ok()) return begun;
  }
  absl::Status settled = connection->Settle(deadline);
  if (!settled.ok()) return settled;
  absl::Status limited = connection->LimitStatements(deadline);
  if (!limited.ok()) return limited;
  return connection;
}

Connection::Connection(const Options& options, const Flavor& flavor, TypeRegistry* types,
                       Definitions* definitions, std::unique_ptr<Link> link)
    : options_(options),
      flavor_(flavor),
      types_(types),
      definitions_(definitions),
      definitions_seen_(definitions->version()),
      link_(std::move(link)),
      statements_(options.statement_cache_size) {}

absl::Status Connection::Settle(const driver::Deadline& deadline) {
  missing_settings_ = MissingSettings(options_.time_zone,
                                      [this](const char* name) { return link_->setting(name); });
  if (missing_settings_.empty()) return absl::OkStatus();
  return Control(missing_settings_, Watch(link_.get(), deadline, nullptr));
}

// A shorter limit, of the role's or of the database's, is left as it is.
absl::Status Connection::LimitStatements(const driver::Deadline& deadline) {
  if (options_.query_timeout.count() == 0) return absl::OkStatus();
  const int64_t limit = (options_.query_timeout + kStatementTimeoutSlack).count();
  // The server's own greatest.
  if (limit > std::numeric_limits<int32_t>::max()) return absl::OkStatus();
  const Watch watch(link_.get(), deadline, nullptr);
  Command command(&watch);
  // The words are those that both servers have.
  const bool sent =
      link_->SendText(fmt::format("SELECT pg_catalog.set_config(name, '{0}', false) FROM "
                                  "pg_catalog.pg_settings WHERE CASE name WHEN 'statement_timeout' "
                                  "THEN setting::bigint NOT BETWEEN 1 AND {0} END",
                                  limit)) &&
      link_->SendSync();
  if (!sent) return link_->BrokenError();
  const absl::Status limited = FinishSegment(&command, [&](const Result& result) {
    if (result.rows() == 1) statement_timeout_ = fmt::format("SET statement_timeout = {}", limit);
    return true;
  });
  // A CockroachDB whose catalogue does not tell serves without the limit.
  return flavor_.cockroach && linked() && command.interruption.ok() ? absl::OkStatus() : limited;
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
  const Watch watch(link_.get(), deadline, nullptr);
  const absl::Status first = Control("SELECT 1", watch);
  return HitByCancel(first) ? Control("SELECT 1", watch) : first;
}

bool Connection::Alive() { return link_->Alive() && healthy(); }

// A transaction goes on to its end: what a late cancel hits in it is to be run again anyway.
bool Connection::healthy() const { return linked() && (!closing() || in_transaction_); }

// CockroachDB answers a request to cancel before it acts upon it, and its nodes forward it to
// each other: it may end whatever the session runs later.
bool Connection::closing() const { return flavor_.cockroach && link_->cancels() > 0; }

absl::Status Connection::Reset() {
  keep_session_ = false;
  absl::Status reset = Rollback();
  // It is told to whoever has the transaction, and the session is sound.
  if (driver::GetErrorInfo(reset).reason == Reason::kCommitOutcomeUnknown) reset = {};
  if (reset.ok() && options_.always_reset) session_changed_ = true;
  CleanUp();
  return linked() ? reset : link_->BrokenError();
}

void Connection::Refresh() {
  statements_.Bury();
  if (definitions_seen_ == definitions_->version()) return;
  definitions_seen_ = definitions_->version();
  statements_.RemoveAll();
}

int Connection::SendAhead(const std::string& sql) {
  link_->SendText(sql);
  link_->SendSync();
  return 1;
}

int Connection::SendDeallocations() {
  int segments = 0;
  // A sync for each: one whose name the server has lost is not to keep the others.
  for (const std::string& name : statements_.TakeRemoved()) {
    segments += SendAhead("DEALLOCATE " + name);
  }
  return segments;
}

void Connection::TakeAhead(int segments, const Watch& watch) {
  for (; segments > 0 && linked(); --segments) {
    Command command(&watch);
    FinishSegment(&command).IgnoreError();
  }
}

absl::Status Connection::ForgetSequences(const Statement& statement, const Watch& watch) {
  if (!sequences_used_ || !statement.effects.reads_sequences || in_transaction_ || keep_session_) {
    return absl::OkStatus();
  }
  sequences_used_ = false;
  return Control("DISCARD SEQUENCES", watch);
}

void Connection::ChangeSession(const Statement& statement) {
  session_changed_ = true;
  if (!statement.keeps_meaning && (in_transaction_ || keep_session_)) statements_.EnterScope();
}

void Connection::CleanUp() {
  if (linked() && options_.always_reset) session_changed_ = true;
  // Within a transaction it is the same client's still.
  if (!session_changed_ || keep_session_ || in_transaction_ || !linked()) return;
  session_changed_ = false;
  sequences_used_ = false;
  caller_.clear();
  statements_.LeaveScopes();
  if (flavor_.cockroach) {
    // Whoever is next must not meet what could not be cleaned.
    if (!CleanCockroach()) link_->Break();
    return;
  }
  // DISCARD ALL without what it does to prepared statements, in one round trip. Those that
  // are the driver's are not made by SQL, and nobody else can make such; if each of them is
  // there still, and none of another sort, nobody has touched them.
  constexpr std::array kSteps = {
      "CLOSE ALL",
      "SET SESSION AUTHORIZATION DEFAULT",
      "RESET ALL",
      "UNLISTEN *",
      "SELECT pg_catalog.pg_advisory_unlock_all()",
      "DISCARD TEMP",
      "DISCARD SEQUENCES",
      "SELECT pg_catalog.count(*) FILTER (WHERE NOT from_sql), pg_catalog.count(*) FILTER (WHERE "
      "from_sql) FROM pg_catalog.pg_prepared_statements WHERE name <> ''"};
  bool sent = true;
  for (const char* step : kSteps) sent = sent && link_->SendText(step);
  if (!missing_settings_.empty()) sent = sent && link_->SendText(missing_settings_);
  if (!statement_timeout_.empty()) sent = sent && link_->SendText(statement_timeout_);
  const driver::Deadline limit{.at = std::chrono::steady_clock::now() + options_.cancel_grace,
                               .reason = Reason::kQueryTimeout};
  const Watch watch(link_.get(), limit, nullptr);
  // Whoever is next must not meet what could not be cleaned.
  if (!sent || !link_->SendSync() || !TakeCleaned(watch)) link_->Break();
}

bool Connection::TakeCleaned(const Watch& watch) {
  Command command(&watch);
  bool all_there = false;
  const absl::Status cleaned = FinishSegment(&command, [&](const Result& result) {
    if (result.sort() != Result::Sort::kRow || result.columns() != 2) return true;
    all_there = result.value(0) == std::to_string(statements_.names()) && result.value(1) == "0";
    return true;
  });
  if (!cleaned.ok() || all_there) return cleaned.ok();
  statements_.Clear();
  return Control("DEALLOCATE ALL", watch).ok();
}

}  // namespace penstock::postgres
