// The command line of `penstock`.
#ifndef PENSTOCK_CLIENT_CLI_OPTIONS_H_
#define PENSTOCK_CLIENT_CLI_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "penstock/migrate.h"

namespace penstock::cli {

// What the process ends with.
enum ExitCode : int {
  kExitOk = 0,
  // The daemon was reached and the statement failed, or its result could not
  // be written.
  kExitFailed = 1,
  // The command line is wrong, or what it names cannot be read; nothing was sent.
  kExitUsage = 2,
  // The daemon, or the database behind it, could not be reached.
  kExitUnreachable = 3,
  // migrate status: there are steps to be run, and nothing else is wrong.
  kExitPending = 4,
  // migrate: files and history do not agree, or a step has to be repaired. gen --check: file and
  // database do not agree.
  kExitRefused = 5,
};

enum class Command {
  kPing,
  kQuery,
  kExec,
  kDatabases,
  kKeyValue,
  kGen,
  kMigrate,
  kMigrationStatus,
  kNewMigration
};

enum class OutputFormat { kTable, kCsv, kJson };

// What follows `migrate`.
struct MigrateCommand {
  std::string folder;
  MigrateOptions options;
  // repair: the versions.
  std::vector<uint64_t> versions;
  // status: as a table, also what is applied and as it should be.
  bool all = false;
  // new: "create_users".
  std::string name;
  bool timestamp = false;
};

// What follows `gen`.
struct GenCommand {
  // Of the tables that are meant; none: all.
  std::vector<std::string> patterns;
  std::string name_space = "tables";
  // Files; empty: standard output, and no comparison.
  std::string output;
  std::string check;
};

// A command line that was understood.
struct Options {
  Command command = Command::kPing;
  // "host:port" or "unix:/path".
  std::string target;
  // Empty: the daemon's default.
  std::string database;
  OutputFormat format = OutputFormat::kTable;
  // Of kCsv: what NULL is written as. None: nothing, and \N where it is the only field of
  // its line. It has no quotes, and text that is the same has.
  std::optional<std::string> csv_null = std::nullopt;
  // For the whole command.
  absl::Duration timeout = absl::InfiniteDuration();
  // PEM files; all empty: no TLS.
  std::string tls_ca;
  std::string tls_cert;
  std::string tls_key;
  // query and exec: the statement, or "-" for standard input.
  std::string sql;
  // query and exec: as written, see ParseArgument.
  std::vector<std::string> args;
  // kv: what to do is the first of args. Empty: the daemon's default keyspace.
  std::string keyspace = {};
  // kv: keys and values are what they read, neither blob: nor - has a meaning, and get
  // prints nothing but the value.
  bool raw = false;
  // kv scan.
  bool reverse = false;
  bool keys_only = false;
  int64_t limit = 0;
  // Of the commands that begin with `migrate`.
  MigrateCommand migrate;
  // gen.
  GenCommand gen = {};
};

// What ParseOptions found: options to run with, or a text to print instead.
struct ParsedOptions {
  Options options;
  // Not empty for --help and --version: print it and exit with kExitOk.
  std::string text;
};

// Reads the arguments that follow the program's name. PENSTOCK_TARGET and
// PENSTOCK_DATABASE of the environment stand in for options that are left out.
// INVALID_ARGUMENT with a message for the user when they make no sense.
absl::StatusOr<ParsedOptions> ParseOptions(const std::vector<std::string>& arguments);

// "10s", "500ms", "1m30s". INVALID_ARGUMENT for anything that is not positive
// or has no unit.
absl::StatusOr<absl::Duration> ParseTimeout(std::string_view text);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_OPTIONS_H_
