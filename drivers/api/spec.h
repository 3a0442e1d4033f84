// Describes a driver to the rest of the program before anything is opened. Each driver has one
// DriverSpec, in its own folder; drivers/drivers.cc lists them.
#ifndef PENSTOCK_DRIVERS_API_SPEC_H_
#define PENSTOCK_DRIVERS_API_SPEC_H_

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/config.h"
#include "drivers/api/driver.h"
#include "drivers/api/key_value_dialect.h"
#include "drivers/api/option.h"

namespace penstock::migrations {
class Dialect;
struct LockOptions;
}  // namespace penstock::migrations

namespace penstock::driver {

// Makes a driver's dialect of migrations. `table` is the history's: letters, digits and
// underscores.
using MakeMigrations = std::unique_ptr<migrations::Dialect>(const std::string& table,
                                                            const migrations::LockOptions& lock);

// How many connections a database has, and how long they live, unless the configuration says.
struct PoolDefaults {
  int max_open = 5;
  // 0: for ever.
  std::chrono::milliseconds max_lifetime{0};
};

// Constant once it is made. An embedded driver (DriverInfo::embedded) has no keys of a server.
struct DriverSpec {
  // The name and what is fixed; a driver's own info() may say more once it is open.
  DriverInfo info;
  // Other names of it in a configuration.
  std::vector<std::string_view> aliases;
  // Further names that other tools give the database in the names of their migration files.
  std::vector<std::string_view> file_words;
  // Constants.
  std::span<const Option> options;
  PoolDefaults pool;
  // Explain to the documents what the driver takes the keys `database` and `connection_string` for;
  // Markdown.
  std::string_view database_help;
  std::string_view connection_help;

  // An embedded driver adds it to <data_dir>/<name>, which is the path of a database that names
  // none. Empty: the driver has no file.
  std::string_view suffix;
  // The file or folder that a database occupies, which no other may; empty: none. Null: its
  // databases occupy none.
  std::string (*path)(const Config& config) = nullptr;
  // How many file descriptors a database may take, where `limit` is the process's. Null: so
  // many for each connection.
  int (*descriptors)(const Config& config, int limit) = nullptr;

  // Opens a database; an error says what is wrong with the configuration or the backend.
  absl::StatusOr<std::unique_ptr<Driver>> (*open)(const Config& config) = nullptr;
  // Returns the error that `open` would return for a configuration, without opening anything. The
  // error contains no secret.
  absl::Status (*check)(const Config& config) = nullptr;

  // How drivers/sql_key_value keeps keys and values in its tables. Without it
  // StatementRun::key_value is the driver's own to answer.
  std::optional<KeyValueDialect> key_value;
  // Null: it has no migrations.
  MakeMigrations* migrations = nullptr;
};

// The drivers of this program, in the order in which messages list them; the first is that of
// a database which names none. drivers/drivers.cc defines it, and a program that defines it
// itself has its own drivers instead. Thread-safe, as all of these.
std::span<const DriverSpec* const> Drivers();

// All names, then all aliases.
std::vector<std::string> DriverNames();

// Finds a driver by its name or alias; null: there is none.
const DriverSpec* FindDriver(std::string_view name);
// Does the same; its error, kUnsupported, lists the drivers that there are.
absl::StatusOr<const DriverSpec*> RequireDriver(std::string_view name);
// The driver that `word` means in the name of a migration's file; null: none.
const DriverSpec* FindDriverOfFile(std::string_view word);

}  // namespace penstock::driver

#endif  // PENSTOCK_DRIVERS_API_SPEC_H_
