#include "server/auth/principal.h"

#include <algorithm>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::server {
namespace {

using driver::KeyMutation;
using driver::KeyRange;
using driver::KeyValueRun;
using driver::Reason;

bool IsFor(const GrantConfig& grant, std::string_view database) {
  return grant.database == "*" || grant.database == database;
}

bool Gives(Rights rights, Right right) {
  return rights.Has(right) || (right == Right::kRead && rights.Has(Right::kWrite));
}

// Tells whether all keys of the range begin with the prefix.
bool IsWithin(const KeyRange& range, std::string_view prefix) {
  if (prefix.empty() || range.empty()) return true;
  if (range.start < prefix) return false;
  const auto end = driver::PrefixEnd(prefix);
  // Without an end of the prefix's own all keys from there on begin with it.
  return !end.has_value() || (range.end.has_value() && *range.end <= *end);
}

bool IsWithin(const KeyMutation& mutation, std::string_view prefix) {
  if (mutation.kind == KeyMutation::Kind::kDeleteRange) return IsWithin(mutation.range, prefix);
  return mutation.key.starts_with(prefix);
}

bool Covers(const GrantConfig& grant, const KeyValueRun& run) {
  if (!Gives(grant.rights, run.reads() ? Right::kRead : Right::kWrite)) return false;
  if (!grant.keyspaces.empty() && std::find(grant.keyspaces.begin(), grant.keyspaces.end(),
                                            run.keyspace) == grant.keyspaces.end()) {
    return false;
  }
  const std::string_view prefix = grant.key_prefix;
  const auto begins = [prefix](std::string_view key) { return key.starts_with(prefix); };
  if (run.kind == KeyValueRun::Kind::kScan) return IsWithin(run.range, prefix);
  return std::all_of(run.keys.begin(), run.keys.end(), begins) &&
         std::all_of(run.conditions.begin(), run.conditions.end(),
                     [&](const auto& condition) { return begins(condition.key); }) &&
         std::all_of(run.mutations.begin(), run.mutations.end(),
                     [&](const auto& mutation) { return IsWithin(mutation, prefix); });
}

}  // namespace

const std::shared_ptr<const Principal>& Principal::Local() {
  static const auto* const local = new std::shared_ptr<const Principal>(new Principal(
      "local",
      {GrantConfig{.database = "*", .rights = Rights::All(), .keyspaces = {}, .key_prefix = {}}},
      /*quota=*/nullptr, /*metrics=*/true));
  return *local;
}

bool Principal::Has(Right right, std::string_view database, bool by_sql) const {
  return std::any_of(grants_.begin(), grants_.end(), [&](const GrantConfig& grant) {
    return IsFor(grant, database) && Gives(grant.rights, right) && !(by_sql && grant.only_keys());
  });
}

bool Principal::Knows(std::string_view database) const {
  return std::any_of(grants_.begin(), grants_.end(),
                     [&](const GrantConfig& grant) { return IsFor(grant, database); });
}

absl::Status Principal::Refusal(std::string_view what, std::string_view database,
                                std::string_view hint) const {
  return driver::MakeErrorWithHint(
      Reason::kNotAllowed,
      fmt::format("identity '{}' may not {} database '{}'", name_, what, database), hint);
}

absl::Status Principal::Check(Right right, std::string_view database) const {
  if (Has(right, database, /*by_sql=*/false)) return absl::OkStatus();
  const std::string_view name = RightName(right);
  const std::string what = right == Right::kAdmin ? "administer" : std::string(name);
  return Refusal(what, database,
                 fmt::format("grant it the right '{}' in the daemon's configuration", name));
}

absl::Status Principal::CheckMetrics() const {
  if (metrics_) return absl::OkStatus();
  return driver::MakeErrorWithHint(
      Reason::kNotAllowed, fmt::format("identity '{}' may not read metrics", name_),
      "set 'metrics: true' at the identity in the daemon's configuration");
}

absl::Status Principal::CheckSql(std::string_view database) const {
  if (Has(Right::kRead, database, /*by_sql=*/true)) return absl::OkStatus();
  return Refusal("use SQL on", database,
                 "make key-value calls: its grant is limited to keyspaces or to a key prefix");
}

bool Principal::MayWriteBySql(std::string_view database) const {
  return Has(Right::kWrite, database, /*by_sql=*/true);
}

absl::Status Principal::CheckKeys(const KeyValueRun& run, std::string_view database) const {
  const bool covered = std::any_of(grants_.begin(), grants_.end(), [&](const GrantConfig& grant) {
    return IsFor(grant, database) && Covers(grant, run);
  });
  if (covered) return absl::OkStatus();
  const Right right = run.reads() ? Right::kRead : Right::kWrite;
  absl::Status refused = Check(right, database);
  if (!refused.ok()) return refused;
  return Refusal(
      fmt::format("{} these keys of keyspace '{}' of", RightName(right), run.keyspace), database,
      "keep to the keyspaces and the key prefix that it is granted; a scan names its range");
}

}  // namespace penstock::server
