#include "server/reload.h"

#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "absl/strings/str_split.h"
#include "fmt/format.h"
#include "fmt/ranges.h"
#include "server/config/keys.h"
#include "server/log/log.h"

namespace penstock::server {
namespace {

constexpr std::string_view kDatabases = "databases.";

// A password belongs to a user of a server: that of another one waits for the restart with it.
bool IsOfSameUser(const driver::Config& one, const driver::Config& other) {
  const auto user = [](const driver::Config& it) {
    return std::tie(it.driver, it.connection_string, it.host, it.port, it.username, it.database);
  };
  return user(one) == user(other);
}

// Returns the databases of both, with the same user, by their names: their passwords are reloaded.
std::map<std::string, std::pair<driver::Password, driver::Password>> Passwords(
    const Config& running, const Config& fresh) {
  std::map<std::string, std::pair<driver::Password, driver::Password>> passwords;
  for (const auto& [name, database] : running.databases) {
    const auto found = fresh.databases.find(name);
    if (found == fresh.databases.end()) continue;
    const driver::Config& other = found->second.driver;
    if (!IsOfSameUser(database.driver, other)) continue;
    passwords.emplace(name, std::pair(database.driver.password, other.password));
  }
  return passwords;
}

// Tells whether the key is a connection string that says the same as before, sealed anew.
bool IsSealedAgain(std::string_view key, const Config& running, const Config& fresh) {
  constexpr std::string_view kConnection = ".connection_string";
  if (!key.starts_with(kDatabases) || !key.ends_with(kConnection)) return false;
  key.remove_prefix(kDatabases.size());
  key.remove_suffix(kConnection.size());
  const auto one = running.databases.find(std::string(key));
  const auto other = fresh.databases.find(std::string(key));
  return one != running.databases.end() && other != fresh.databases.end() &&
         one->second.driver.connection_string == other->second.driver.connection_string;
}

bool IsReloaded(const std::string& key, const Config& running, const Config& fresh) {
  if (IsSealedAgain(key, running, fresh)) return true;
  if (!ReloadsKey(key)) return false;
  if (key.starts_with(kDatabases)) {
    const size_t name = kDatabases.size();
    return Passwords(running, fresh).contains(key.substr(name, key.rfind('.') - name));
  }
  if (!key.starts_with("server.tls.")) return true;
  // The choice between TLS and none is made once.
  return running.server.tls && fresh.server.tls &&
         running.server.tls->client_ca_file.empty() == fresh.server.tls->client_ca_file.empty();
}

void ReloadPasswords(const Config& running, const Config& fresh) {
  // The file of a password that is another user's now, or nobody's, is not asked for any more.
  for (const auto& [name, database] : running.databases) {
    driver::Password used = database.driver.password;
    used.Keep();
  }
  for (auto& [name, passwords] : Passwords(running, fresh)) {
    auto& [used, read] = passwords;
    const bool same = used.Last() == read.Last();
    // In any case: it may be in another file now.
    used.Take(read);
    if (same) continue;
    Log(Level::kInfo, "a password was reloaded: new connections use it", {{"database", name}});
  }
}

// Returns one side's keys that the other does not have, or has with another value.
void AddDifferent(const Config& one, const Config& other, std::set<std::string>* keys) {
  for (const auto& [key, value] : one.said) {
    const auto found = other.said.find(key);
    if (found == other.said.end() || found->second != value) keys->insert(key);
  }
}

}  // namespace

std::vector<std::string> NeedRestart(const Config& running, const Config& fresh) {
  std::set<std::string> keys;
  AddDifferent(running, fresh, &keys);
  AddDifferent(fresh, running, &keys);
  std::erase_if(keys, [&](const auto& key) { return IsReloaded(key, running, fresh); });
  for (const auto& [name, database] : running.databases) {
    const auto found = fresh.databases.find(name);
    if (found == fresh.databases.end()) continue;
    // The password comes from a file with other content now, for another user.
    const driver::Config& other = found->second.driver;
    if (!IsOfSameUser(database.driver, other) &&
        database.driver.password.Last() != other.password.Last()) {
      keys.insert(fmt::format("databases.{}: the password", name));
    }
  }
  return {keys.begin(), keys.end()};
}

void Reload(const Config& running, const absl::StatusOr<Config>& fresh, Daemon* daemon) {
  absl::Status status = fresh.status();
  if (status.ok()) status = daemon->Reload(*fresh);
  if (!status.ok()) {
    const std::vector<std::string> problems = absl::StrSplit(status.message(), '\n');
    for (const std::string& problem : problems) {
      Log(Level::kError, "the configuration was not reloaded; the old one stays in effect",
          {{"problem", problem}});
    }
    return;
  }
  InitLogging(fresh->log);
  ReloadPasswords(running, *fresh);
  Log(Level::kInfo, "reloaded",
      {{"what", "log level, log format, certificates, identities, passwords"}});
  const std::vector<std::string> restart = NeedRestart(running, *fresh);
  if (restart.empty()) return;
  Log(Level::kWarn, "a configuration change needs a restart",
      {{"keys", fmt::format("{}", fmt::join(restart, ", "))}});
}

}  // namespace penstock::server
