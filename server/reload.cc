#include "server/reload.h"

#include <set>

#include "absl/strings/str_split.h"
#include "fmt/format.h"
#include "fmt/ranges.h"
#include "server/log/log.h"

namespace penstock::server {
namespace {

bool IsReloaded(const std::string& key, const Config& running, const Config& fresh) {
  if (key == "log.level" || key == "log.format") return true;
  // "databases.<name>.password_file"; names have no dots.
  if (key.starts_with("databases.") && key.substr(key.rfind('.')).starts_with(".password")) {
    return true;
  }
  // With or without TLS is decided once.
  return key.starts_with("server.tls.") && running.server.tls && fresh.server.tls &&
         running.server.tls->client_ca_file.empty() == fresh.server.tls->client_ca_file.empty();
}

// One side's keys that the other has not, or has with another value.
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
  return {keys.begin(), keys.end()};
}

void Reload(const Config& running, const absl::StatusOr<Config>& fresh, Daemon* daemon) {
  absl::Status status = fresh.status();
  if (status.ok() && fresh->server.tls) status = daemon->ReloadCertificates(*fresh->server.tls);
  if (status.ok()) status = daemon->ReloadPasswords(fresh->databases);
  if (!status.ok()) {
    const std::vector<std::string> problems = absl::StrSplit(status.message(), '\n');
    for (const std::string& problem : problems) {
      Log(Level::kError, "the configuration was not reloaded; all stays as it was",
          {{"problem", problem}});
    }
    return;
  }
  InitLogging(fresh->log);
  Log(Level::kInfo, "reloaded", {{"what", "log level, log format, certificates, passwords"}});
  const std::vector<std::string> restart = NeedRestart(running, *fresh);
  if (restart.empty()) return;
  Log(Level::kWarn, "a change of the configuration needs a restart",
      {{"keys", fmt::format("{}", fmt::join(restart, ", "))}});
}

}  // namespace penstock::server
