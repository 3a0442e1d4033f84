#include "drivers/postgres/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <system_error>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::postgres {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

constexpr std::array kOwnOptions = {
    "application_name", "cancel_grace_ms",      "session_reset",       "ssl_ca",   "ssl_cert",
    "ssl_key",          "target_session_attrs", "tcp_user_timeout_ms", "time_zone"};

std::vector<std::string> Split(std::string_view list) {
  std::vector<std::string> parts;
  for (;;) {
    const size_t comma = list.find(',');
    parts.emplace_back(list.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    list.remove_prefix(comma + 1);
  }
}

// The element for the host at `index`: one for all, or one each.
absl::StatusOr<std::string> PartFor(const Parameters& parameters, const std::string& key,
                                    size_t index, size_t hosts) {
  const auto found = parameters.find(key);
  if (found == parameters.end() || found->second.empty()) return std::string();
  const std::vector<std::string> parts = Split(found->second);
  if (parts.size() == 1) return parts.front();
  if (parts.size() == hosts) return parts[index];
  return MakeErrorWithHint(Reason::kInvalidParameter,
                           fmt::format("{} hosts and {} entries of '{}'", hosts, parts.size(), key),
                           "give one for all hosts, or one for each");
}

absl::Status SetMilliseconds(const driver::Config& config, const std::string& key,
                             std::chrono::milliseconds* value) {
  const auto found = config.options.find(key);
  if (found == config.options.end()) return absl::OkStatus();
  int64_t number = 0;
  const char* end = found->second.data() + found->second.size();
  const auto [stop, error] = std::from_chars(found->second.data(), end, number);
  if (error != std::errc() || stop != end || number < 1 || number > 3'600'000) {
    return MakeErrorWithHint(Reason::kInvalidParameter,
                             fmt::format("option '{}' is '{}'", key, found->second),
                             "write milliseconds, 1 to 3600000");
  }
  *value = std::chrono::milliseconds(number);
  return absl::OkStatus();
}

absl::Status SetTimeZone(const driver::Config& config, Options* options) {
  const auto found = config.options.find("time_zone");
  if (found == config.options.end()) return absl::OkStatus();
  if (found->second != "utc" && found->second != "server") {
    return MakeErrorWithHint(Reason::kInvalidParameter,
                             fmt::format("option 'time_zone' is '{}'", found->second),
                             "write utc or server");
  }
  options->time_zone = found->second == "utc" ? TimeZone::kUtc : TimeZone::kServer;
  return absl::OkStatus();
}

absl::Status SetOwnOptions(const driver::Config& config, Parameters* parameters, Options* options) {
  for (const auto& [key, value] : config.options) {
    if (std::find(kOwnOptions.begin(), kOwnOptions.end(), key) == kOwnOptions.end()) {
      return MakeErrorWithHint(Reason::kInvalidParameter, fmt::format("unknown option '{}'", key),
                               fmt::format("known are: {}", fmt::join(kOwnOptions, ", ")));
    }
  }
  const auto take = [&](const char* ours, const char* libpqs) {
    const auto found = config.options.find(ours);
    if (found != config.options.end()) (*parameters)[libpqs] = found->second;
  };
  take("ssl_ca", "sslrootcert");
  take("ssl_cert", "sslcert");
  take("ssl_key", "sslkey");
  take("target_session_attrs", "target_session_attrs");
  take("application_name", "application_name");
  take("tcp_user_timeout_ms", "tcp_user_timeout");
  const auto reset = config.options.find("session_reset");
  if (reset != config.options.end()) {
    if (reset->second != "always" && reset->second != "auto") {
      return MakeErrorWithHint(Reason::kInvalidParameter,
                               fmt::format("option 'session_reset' is '{}'", reset->second),
                               "write auto or always");
    }
    options->always_reset = reset->second == "always";
  }
  absl::Status zone = SetTimeZone(config, options);
  if (!zone.ok()) return zone;
  return SetMilliseconds(config, "cancel_grace_ms", &options->cancel_grace);
}

void SetFields(const driver::Config& config, Parameters* parameters) {
  const auto set = [&](const char* key, const std::string& value) {
    if (!value.empty()) (*parameters)[key] = value;
  };
  set("host", config.host);
  if (config.port != 0) set("port", std::to_string(config.port));
  set("user", config.username);
  set("dbname", config.database);
  set("sslmode", config.ssl_mode);
}

// One attempt for each host, so that each has its own time-out: libpq itself
// gives a host that never answers all the time there is.
absl::Status MakeAttempts(const Parameters& parameters, Options* options) {
  const auto host = parameters.find("host");
  const auto address = parameters.find("hostaddr");
  const size_t hosts = host != parameters.end()      ? Split(host->second).size()
                       : address != parameters.end() ? Split(address->second).size()
                                                     : 1;
  for (size_t i = 0; i < hosts; ++i) {
    Parameters one = parameters;
    for (const char* key : {"host", "hostaddr", "port"}) {
      absl::StatusOr<std::string> part = PartFor(parameters, key, i, hosts);
      if (!part.ok()) return part.status();
      if (!part->empty()) one[key] = *std::move(part);
    }
    const std::string name = one.contains("host")       ? one["host"]
                             : one.contains("hostaddr") ? one["hostaddr"]
                                                        : "the local socket";
    if (options->names_hosts) {
      options->where += fmt::format("{}{}{}", i > 0 ? ", " : "", name,
                                    one.contains("port") ? ":" + one["port"] : "");
    }
    options->attempts.push_back(std::move(one));
  }
  const auto attributes = parameters.find("target_session_attrs");
  if (attributes != parameters.end() && attributes->second == "prefer-standby") {
    // A round for standbys, then one for anything.
    std::vector<Parameters> both = options->attempts;
    for (Parameters& one : both) one["target_session_attrs"] = "standby";
    for (Parameters& one : options->attempts) one["target_session_attrs"] = "any";
    options->attempts.insert(options->attempts.begin(), both.begin(), both.end());
  }
  return absl::OkStatus();
}

}  // namespace

std::string Options::Hide(std::string_view text) const {
  std::vector<driver::HiddenValue> all = hidden;
  if (std::string now = password.Get(); !now.empty()) all.push_back({std::move(now), "***"});
  return driver::HideValues(text, all);
}

absl::StatusOr<Options> ParseOptions(const driver::Config& config) {
  Options options;
  options.statement_cache_size = std::max<size_t>(config.statement_cache_size, 1);
  options.max_value_bytes = config.max_value_bytes;
  options.query_timeout = config.query_timeout;
  // A half-open link is noticed by the kernel, not only by our own time-outs.
  Parameters parameters = {{"application_name", "penstock/" + config.name},
                           {"tcp_user_timeout", "30000"},
                           {"keepalives_idle", "30"},
                           {"keepalives_interval", "10"},
                           {"keepalives_count", "3"}};
  if (!config.connection_string.empty()) {
    absl::StatusOr<Parameters> parsed = ParseConnectionString(config.connection_string);
    if (!parsed.ok()) return parsed.status();
    for (auto& [key, value] : *parsed) {
      for (std::string& part : Split(value)) options.hidden.push_back({std::move(part), "***"});
      parameters[key] = std::move(value);
    }
    options.names_hosts = false;
    options.where =
        fmt::format("the server of '{}' (its connection_string says where)", config.name);
  }
  SetFields(config, &parameters);
  absl::Status own = SetOwnOptions(config, &parameters, &options);
  if (!own.ok()) return own;
  parameters["client_encoding"] = "UTF8";
  std::string& session = parameters["options"];
  session =
      fmt::format("{}{}{}", session, session.empty() ? "" : " ", StartupOptions(options.time_zone));
  options.password = config.password;
  absl::Status checked = CheckParameters(parameters);
  if (checked.ok()) checked = MakeAttempts(parameters, &options);
  if (!checked.ok()) return checked;
  return options;
}

}  // namespace penstock::postgres
