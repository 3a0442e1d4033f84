#include <limits>
#include <string_view>

#include "drivers/api/spec.h"
#include "drivers/postgres/postgres_driver.h"

namespace penstock::postgres {
namespace {

using driver::Option;
using enum driver::Option::Type;

constexpr int64_t kHour = 3'600'000;

constexpr std::string_view kTargets[] = {"any",     "read-write", "read-only",
                                         "primary", "standby",    "prefer-standby"};
constexpr std::string_view kResets[] = {"auto", "always"};
constexpr std::string_view kZones[] = {"utc", "server"};

constexpr Option kOptions[] = {
    {.name = "ssl_ca",
     .help = "a file, like libpq's `sslrootcert`; read for each attempt to connect"},
    {.name = "ssl_cert",
     .help = "a file, like libpq's `sslcert`; read for each attempt to connect"},
    {.name = "ssl_key", .help = "a file, like libpq's `sslkey`; read for each attempt to connect"},
    {.name = "target_session_attrs",
     .type = kChoice,
     .fallback = "any",
     .help = "which of several hosts is used: `any`, `read-write`, `read-only`, `primary`, "
             "`standby` or `prefer-standby`",
     .words = kTargets},
    {.name = "application_name",
     .help = "the name that the server shows; callers that give a name are shown with theirs",
     .otherwise = "`penstock/<database>`"},
    {.name = "cancel_grace_ms",
     .type = kNumber,
     .fallback = "5000",
     .help = "the time for a cancelled statement to end before its connection is closed",
     .min = 1,
     .max = kHour},
    {.name = "tcp_user_timeout_ms",
     .type = kNumber,
     .fallback = "30000",
     .help = "the time that sent data may be unanswered before the connection is given up",
     .max = std::numeric_limits<int>::max()},
    {.name = "session_reset",
     .type = kChoice,
     .fallback = "auto",
     .help = "`auto`: clean up after statements that may leave something behind in the session "
             "(a setting, a lock, a temporary table); `always`: after every use",
     .words = kResets},
    {.name = "time_zone",
     .type = kChoice,
     .fallback = "utc",
     .help = "`utc`: sessions have TimeZone UTC, whatever the server, the database, the role or "
             "`options` in the connection string say; `server`: sessions have the TimeZone that "
             "these set",
     .words = kZones},
};

driver::DriverSpec MakeSpec() {
  driver::DriverSpec spec;
  spec.info = {.name = "postgres",
               .dialect = "postgresql",
               .capabilities = {.returning = true,
                                .savepoints = true,
                                .transactional_ddl = true,
                                .arrays = true,
                                .read_committed = true,
                                .settings = true}};
  spec.file_words = {"postgresql"};
  spec.options = kOptions;
  spec.database_help = "the name of the database on the server";
  spec.connection_help = "a URI, or `host=… port=… user=… dbname=…`";
  spec.open = Open;
  spec.check = Check;
  spec.key_value = driver::KeyValueDialect{
      .columns = "(key BYTEA PRIMARY KEY, value BYTEA NOT NULL)",
      .table_exists = "SELECT 1 FROM pg_catalog.pg_class WHERE oid = to_regclass($1::text)",
      .key_array = true,
      // An entry of PostgreSQL's B-tree has at most a third of a page.
      .max_key_bytes = 2600,
      .locks = true};
  spec.migrations = MakeMigrations;
  return spec;
}

}  // namespace

const driver::DriverSpec& Spec() {
  static const auto* const spec = new driver::DriverSpec(MakeSpec());
  return *spec;
}

}  // namespace penstock::postgres
