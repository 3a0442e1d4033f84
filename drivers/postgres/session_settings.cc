#include "drivers/postgres/session_settings.h"

#include <string_view>

#include "fmt/format.h"

namespace penstock::postgres {
namespace {

struct Setting {
  const char* name;
  const char* value;
  // The server tells each change of it.
  bool reported;
};

// The settings that the text of values depends on. extra_float_digits: every double comes back as
// it was.
constexpr Setting kSettings[] = {
    {"DateStyle", "ISO", true},     {"IntervalStyle", "iso_8601", true},
    {"TimeZone", "UTC", true},      {"client_encoding", "UTF8", true},
    {"bytea_output", "hex", false}, {"extra_float_digits", "1", false},
};

bool Wanted(const Setting& setting, TimeZone time_zone) {
  return time_zone == TimeZone::kUtc || setting.name != std::string_view("TimeZone");
}

}  // namespace

std::string StartupOptions(TimeZone time_zone) {
  std::string words;
  for (const Setting& setting : kSettings) {
    // libpq has a parameter of its own for it.
    if (setting.name == std::string_view("client_encoding")) continue;
    if (!Wanted(setting, time_zone)) continue;
    words += fmt::format("{}-c {}={}", words.empty() ? "" : " ", setting.name, setting.value);
  }
  return words;
}

std::string MissingSettings(TimeZone time_zone,
                            const std::function<std::string(const char* name)>& reported) {
  std::string calls;
  bool missing = false;
  for (const Setting& setting : kSettings) {
    if (!Wanted(setting, time_zone)) continue;
    // "ISO, MDY": how a date is read that is not in its form stays the server's.
    const bool same = !setting.reported || reported(setting.name).starts_with(setting.value);
    missing = missing || !same;
    calls += fmt::format("{}pg_catalog.set_config('{}', '{}', false)", calls.empty() ? "" : ", ",
                         setting.name, setting.value);
  }
  return missing ? "SELECT " + calls : "";
}

}  // namespace penstock::postgres
