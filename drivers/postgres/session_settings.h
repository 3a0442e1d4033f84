// The settings that every session begins with, and keeps through a RESET ALL.
#ifndef PENSTOCK_DRIVERS_POSTGRES_SESSION_SETTINGS_H_
#define PENSTOCK_DRIVERS_POSTGRES_SESSION_SETTINGS_H_

#include <functional>
#include <string>

namespace penstock::postgres {

// Tells whose time zone sessions have.
enum class TimeZone {
  kUtc,
  kServer,  // that of the server's configuration, the database or the role
};

// The words for the startup parameter `options` ("-c DateStyle=ISO …"). What is given there
// comes before what the database and the role have set, and is what RESET goes back to.
std::string StartupOptions(TimeZone time_zone);

// The statement that sets the same in a session whose start did not take it: a pooler in front
// of the server left it out, or a variable of the environment came before it (PGTZ,
// PGDATESTYLE). `reported` tells a setting as the server has reported it, or "". Empty: they
// are all as they should be.
std::string MissingSettings(TimeZone time_zone,
                            const std::function<std::string(const char* name)>& reported);

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_SESSION_SETTINGS_H_
