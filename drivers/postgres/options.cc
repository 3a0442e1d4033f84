#include "drivers/postgres/options.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/postgres/postgres_driver.h"
#include "fmt/format.h"
#include "text/wipe.h"

namespace penstock::postgres {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

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
  return MakeErrorWithHint(
      Reason::kInvalidParameter,
      fmt::format("{} hosts, but {} entries of '{}'", hosts, parts.size(), key),
      "give one entry for all hosts, or one for each");
}

// An option that is not set is left to the connection string.
void SetOwnOptions(const driver::Config& config, const driver::OptionValues& values,
                   Parameters* parameters, Options* options) {
  for (const auto& [ours, libpqs] :
       {std::pair("ssl_ca", "sslrootcert"), std::pair("ssl_cert", "sslcert"),
        std::pair("ssl_key", "sslkey"), std::pair("target_session_attrs", "target_session_attrs"),
        std::pair("application_name", "application_name"),
        std::pair("tcp_user_timeout_ms", "tcp_user_timeout")}) {
    if (config.options.contains(ours)) (*parameters)[libpqs] = values.Text(ours);
  }
  options->always_reset = values.Text("session_reset") == "always";
  options->time_zone = values.Text("time_zone") == "server" ? TimeZone::kServer : TimeZone::kUtc;
  options->cancel_grace = std::chrono::milliseconds(values.Number("cancel_grace_ms"));
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
  if (std::string last = password.Last(); !last.empty()) all.push_back({std::move(last), "***"});
  std::string shown = driver::HideValues(text, all);
  // What was in the connection string stays in `hidden`, as in the parameters.
  for (driver::HiddenValue& value : all) Wipe(&value.value);
  return shown;
}

absl::StatusOr<Options> ParseOptions(const driver::Config& config) {
  absl::StatusOr<driver::OptionValues> values =
      driver::OptionValues::Read(config.driver, Spec().options, config.options);
  if (!values.ok()) return values.status();
  Options options;
  options.statement_cache_size = std::max<size_t>(config.statement_cache_size, 1);
  options.max_value_bytes = config.max_value_bytes;
  options.query_timeout = config.query_timeout;
  // A half-open link is noticed by the kernel, not only by our own time-outs.
  Parameters parameters = {{"application_name", "penstock/" + config.name},
                           {"tcp_user_timeout", values->Text("tcp_user_timeout_ms")},
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
  SetOwnOptions(config, *values, &parameters, &options);
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
