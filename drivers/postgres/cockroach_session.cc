// Sets up and cleans a session of CockroachDB, as far as that differs from PostgreSQL's.
#include "drivers/postgres/cockroach_session.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/postgres/session_keeper.h"
#include "fmt/format.h"

namespace penstock::postgres {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;
using Version = std::array<int, 3>;

// Takes three numbers ("23.1.3") from the beginning of `text`.
std::optional<Version> TakeVersion(std::string_view text) {
  Version version{};
  for (size_t i = 0; i < version.size(); ++i) {
    if (i > 0) {
      if (!text.starts_with('.')) return std::nullopt;
      text.remove_prefix(1);
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version[i]);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
  }
  return version;
}

std::optional<Version> FindVersion(std::string_view text) {
  for (size_t at = text.find('v'); at != text.npos; at = text.find('v', at + 1)) {
    const std::optional<Version> version = TakeVersion(text.substr(at + 1));
    if (version.has_value()) return version;
  }
  return std::nullopt;
}

// Follower reads would make DISCARD ALL a statement of the past, where it is refused.
constexpr char kReadNow[] = "SET default_transaction_use_follower_reads = off";
// Before v23.2 there is none.
constexpr char kKeepTransaction[] = "SET autocommit_before_ddl = off";

bool TellsNoDatabase(const absl::Status& status) {
  const std::string sqlstate = driver::GetErrorInfo(status).sqlstate;
  // The catalogue is a part of a database there.
  return sqlstate == "3D000" || sqlstate == "3F000" || sqlstate == "42P01";
}

}  // namespace

absl::Status CheckCockroachVersion(std::string_view version) {
  const std::optional<Version> found = FindVersion(version);
  if (found.has_value() && *found >= *TakeVersion(kOldestCockroach)) return absl::OkStatus();
  return MakeErrorWithHint(
      Reason::kConnectionFailed,
      found.has_value()
          ? fmt::format("unsupported server version {}: the oldest supported CockroachDB is v{}",
                        version, kOldestCockroach)
          : fmt::format("the server's crdb_version '{}' contains no version: the oldest supported "
                        "CockroachDB is v{}",
                        version, kOldestCockroach),
      "upgrade the cluster");
}

absl::Status SessionKeeper::BeginCockroach(const driver::Deadline& deadline) {
  absl::Status served = CheckCockroachVersion(link_->setting("crdb_version"));
  if (!served.ok()) return served;
  const CommandWatch watch(link_, deadline, nullptr);
  // Each has a sync of its own: what an older version does not know fails alone.
  bool sent = true;
  for (const char* sql :
       {"SELECT 1 FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()",
        kKeepTransaction, "BEGIN ISOLATION LEVEL READ COMMITTED", "SHOW transaction_isolation",
        "ROLLBACK"}) {
    sent = sent && link_->SendText(sql) && link_->SendSync();
  }
  if (!sent) return link_->BrokenError();
  bool exists = false;
  PendingCommand look(&watch);
  const absl::Status looked = runner_->FinishSegment(&look, [&exists](const Result& result) {
    exists = exists || result.rows() == 1 || result.kind() == Result::Kind::kRow;
    return true;
  });
  PendingCommand keep(&watch);
  knows_autocommit_before_ddl_ = runner_->FinishSegment(&keep).ok();
  runner_->TakeAhead(1, watch);
  PendingCommand show(&watch);
  runner_
      ->FinishSegment(&show,
                      [this](const Result& result) {
                        if (result.rows() == 1)
                          read_committed_ = result.value(0) == "read committed";
                        return true;
                      })
      .IgnoreError();
  runner_->TakeAhead(1, watch);
  if (!runner_->linked()) return link_->BrokenError();
  if (!looked.ok() && !look.interruption.ok()) return look.interruption;
  if (looked.ok() ? exists : !TellsNoDatabase(looked)) return absl::OkStatus();
  return MakeErrorWithHint(Reason::kUnknownDatabase,
                           fmt::format("the database of the connection does not exist at {}, "
                                       "although CockroachDB accepted the session",
                                       options_.where),
                           "correct its name in the configuration, or create the database");
}

bool SessionKeeper::CleanCockroach() {
  preparer_->statements().Clear();
  const driver::Deadline limit = CommandRunner::ControlLimit();
  const CommandWatch watch(link_, limit, nullptr);
  const int ahead = runner_->SendAhead(kReadNow);
  link_->SendText("DISCARD ALL");
  link_->SendSync();
  runner_->TakeAhead(ahead, watch);
  PendingCommand discard(&watch);
  absl::Status clean = runner_->FinishSegment(&discard);
  if (runner_->HitByCancel(clean)) clean = runner_->Control("DISCARD ALL", watch);
  for (const std::string& setting :
       {missing_settings_, statement_timeout_,
        std::string(knows_autocommit_before_ddl_ ? kKeepTransaction : "")}) {
    if (!clean.ok() || setting.empty()) continue;
    clean = runner_->Control(setting, watch);
    if (runner_->HitByCancel(clean)) clean = runner_->Control(setting, watch);
  }
  return clean.ok();
}

}  // namespace penstock::postgres
