#include <algorithm>
#include <string_view>
#include <utility>

#include "fmt/format.h"
#include "server/config/address.h"
#include "server/config/keys.h"
#include "server/config/server_section.h"
#include "server/config/words.h"

namespace penstock::server {
namespace {

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// An empty variable counts as not set: definitions of containers that pass a variable on leave it
// so.
std::optional<Setting> Variable(const Environment& environment, const std::string& name) {
  std::optional<std::string> value = environment(name);
  if (!value || value->empty()) return std::nullopt;
  return Setting{*std::move(value), {name}};
}

void OverrideOne(const std::optional<std::string>& flag, const std::string& flag_name,
                 const Environment& environment, const std::string& variable_name,
                 std::optional<Setting>* setting) {
  if (flag) {
    *setting = Setting{*flag, {flag_name}};
  } else if (auto variable = Variable(environment, variable_name)) {
    *setting = std::move(variable);
  }
}

void OverrideListen(const CommandLine& command_line, const Environment& environment,
                    std::vector<Setting>* listen) {
  std::vector<std::string> addresses = command_line.listen;
  std::string name = "--listen";
  if (addresses.empty()) {
    const std::optional<Setting> variable = Variable(environment, "PENSTOCK_LISTEN");
    if (!variable) return;
    addresses = SplitAtCommas(variable->value);
    name = variable->where.text;
  }
  listen->clear();
  for (const std::string& address : addresses) listen->push_back({address, {name}});
}

void OverrideInsecure(const CommandLine& command_line, const Environment& environment,
                      bool* insecure, Problems* problems) {
  if (command_line.insecure) {
    *insecure = true;
    return;
  }
  const std::optional<Setting> variable = Variable(environment, "PENSTOCK_INSECURE");
  if (!variable) return;
  if (variable->value == "true" || variable->value == "1") {
    *insecure = true;
  } else if (variable->value == "false" || variable->value == "0") {
    *insecure = false;
  } else {
    problems->Add(variable->where,
                  fmt::format("{} is not true or false; use one of them", Quoted(variable->value)));
  }
}

// Returns the address, or reports a problem.
std::optional<Address> Parse(const Setting& setting, Problems* problems) {
  absl::StatusOr<Address> address = ParseAddress(setting.value);
  if (address.ok()) return *std::move(address);
  problems->Add(setting.where, std::string(address.status().message()));
  return std::nullopt;
}

// Adds `address` to those in use.
void CheckTwice(const Setting& setting, const Address& address, std::vector<std::string>* used,
                Problems* problems) {
  const std::string key = AddressKey(address);
  if (key.empty()) return;
  if (std::find(used->begin(), used->end(), key) != used->end()) {
    problems->Add(setting.where,
                  fmt::format("duplicate address {}; remove one of them or change its port",
                              Quoted(setting.value)));
  }
  used->push_back(key);
}

// Returns what an address that other machines reach lacks, or nothing. Without TLS no caller could
// prove who it is: tokens are not accepted in clear.
std::string_view Lacks(const ServerConfig& server, bool has_identities) {
  if (server.insecure) return {};
  if (!has_identities) return server.tls ? "identities" : "identities and server.tls";
  return server.tls ? "" : "server.tls";
}

void SetListen(const Setting& setting, bool has_identities, ServerConfig* server,
               std::vector<std::string>* used, Problems* problems) {
  const std::optional<Address> address = Parse(setting, problems);
  if (!address) return;
  CheckTwice(setting, *address, used, problems);
  const std::string_view lacks = Lacks(*server, has_identities);
  if (!IsLoopback(*address) && !lacks.empty()) {
    problems->Add(setting.where,
                  fmt::format("{} can be reached from other machines; set {} so that only your "
                              "callers get in, or use --insecure (server.insecure: true) if the "
                              "network is trusted",
                              Quoted(setting.value), lacks));
  }
  server->listen.push_back(setting.value);
}

void SetHttpListen(const Setting& setting, ServerConfig* server, std::vector<std::string>* used,
                   Problems* problems) {
  if (setting.value.empty() || setting.value == "off") return;
  const std::optional<Address> address = Parse(setting, problems);
  if (!address) return;
  if (address->is_unix()) {
    problems->Add(setting.where,
                  "is a unix socket, which HTTP does not support; use host:port, or off");
    return;
  }
  CheckTwice(setting, *address, used, problems);
  if (!IsLoopback(*address) && !server->insecure) {
    problems->Add(setting.where,
                  fmt::format("{} shows metrics to other machines; use 127.0.0.1:{}, or --insecure "
                              "(server.insecure: true) if the network is trusted",
                              Quoted(setting.value), address->port));
  }
  server->http_listen = setting.value;
}

void SetChoice(const std::optional<Setting>& setting, const std::vector<std::string>& choices,
               std::string* out, Problems* problems) {
  if (!setting) return;
  if (std::find(choices.begin(), choices.end(), setting->value) == choices.end()) {
    problems->Add(setting->where, NotAChoice(setting->value, choices));
  } else {
    *out = setting->value;
  }
}

}  // namespace

void Override(const CommandLine& command_line, const Environment& environment,
              Overridable* overridable, bool* insecure, Problems* problems) {
  OverrideOne(command_line.data_dir, "--data-dir", environment, "PENSTOCK_DATA_DIR",
              &overridable->data_dir);
  OverrideListen(command_line, environment, &overridable->listen);
  OverrideOne(command_line.http_listen, "--http-listen", environment, "PENSTOCK_HTTP_LISTEN",
              &overridable->http_listen);
  OverrideOne(command_line.log_level, "--log-level", environment, "PENSTOCK_LOG_LEVEL",
              &overridable->log_level);
  OverrideOne(command_line.log_format, "--log-format", environment, "PENSTOCK_LOG_FORMAT",
              &overridable->log_format);
  OverrideInsecure(command_line, environment, insecure, problems);
}

void SetAddresses(const Overridable& overridable, const Setting& data_dir, bool has_identities,
                  ServerConfig* server, Problems* problems) {
  std::vector<Setting> listen = overridable.listen;
  if (listen.empty()) {
    listen.push_back({std::string(kDefaultListen), {"the default address"}});
    listen.push_back({fmt::format("unix:{}/penstock.sock", data_dir.value), data_dir.where});
  }
  std::vector<std::string> used;
  for (const Setting& setting : listen) {
    SetListen(setting, has_identities, server, &used, problems);
  }
  const Setting http_default{std::string(kDefaultHttpListen), {"the default HTTP address"}};
  SetHttpListen(overridable.http_listen.value_or(http_default), server, &used, problems);
}

void SetLog(const Overridable& overridable, LogConfig* log, Problems* problems) {
  SetChoice(overridable.log_level, WordsOf(LogKeys(), "level"), &log->level, problems);
  SetChoice(overridable.log_format, WordsOf(LogKeys(), "format"), &log->format, problems);
}

}  // namespace penstock::server
