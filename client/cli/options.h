// The command line of `penstock`.
#ifndef PENSTOCK_CLIENT_CLI_OPTIONS_H_
#define PENSTOCK_CLIENT_CLI_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "penstock/migrate.h"

namespace penstock::cli {

// The exit codes of the process.
enum ExitCode : int {
  kExitOk = 0,
  // The daemon was reached, but the statement failed or its result could not be written.
  kExitFailed = 1,
  // The command line is wrong, or an input that it names cannot be read; nothing was sent.
  kExitUsage = 2,
  // The daemon, or the database behind it, could not be reached.
  kExitUnreachable = 3,
  // migrate status: there are pending steps, and nothing else is wrong.
  kExitPending = 4,
  // migrate: files and history do not agree, or a step needs a repair. gen --check: the file does
  // not match the database.
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
  kNewMigration,
  kNewToken,
  kCheckToken,
  kSecret
};

enum class OutputFormat { kTable, kCsv, kJson };

// The options of `migrate`.
struct MigrateCommand {
  std::string folder;
  MigrateOptions options;
  // The versions for repair.
  std::vector<uint64_t> versions;
  // For status: whether a table also lists applied migrations that are as they should be.
  bool all = false;
  // The name for new, such as "create_users".
  std::string name;
  bool timestamp = false;
};

// The options of `gen`.
struct GenCommand {
  // Patterns for the names of tables; empty means all tables.
  std::vector<std::string> patterns;
  std::string name_space = "tables";
  // Names of files. Empty means standard output, and no comparison.
  std::string output;
  std::string check;
};

// The options of `token new`.
struct TokenCommand {
  std::string id;
  // As written; see ParseExpiry.
  std::string expires = "90";
};

// The options of `secret`.
struct SecretCommand {
  enum class Action { kKeygen, kPublic, kSeal, kOpen };
  Action action = Action::kSeal;
  // The file of the key; empty if seal has a public key instead.
  std::string file;
  // The public key as printed.
  std::string public_key;
};

// A parsed command line.
struct Options {
  Command command = Command::kPing;
  // "host:port" or "unix:/path".
  std::string target;
  // Empty means the daemon's default.
  std::string database;
  OutputFormat format = OutputFormat::kTable;
  // How kCsv writes NULL. By default it is an empty field, or \N if it is the only field of its
  // line. It is written without quotes, and equal text with quotes.
  std::optional<std::string> csv_null = std::nullopt;
  // The time limit for the whole command.
  absl::Duration timeout = absl::InfiniteDuration();
  // PEM files; without any, TLS is not used.
  std::string tls_ca;
  std::string tls_cert;
  std::string tls_key;
  // A file with a bearer token, or the token itself. At most one of them is set.
  std::string token_file = {};
  std::string token = {};
  // The statement of query and exec; "-" means standard input.
  std::string sql;
  // For query and exec: the arguments as written, see ParseArgument. For kv: the action and its
  // words.
  std::vector<std::string> args;
  // For query and exec: the settings of the session, names with values.
  std::vector<std::pair<std::string, std::string>> settings = {};
  // The keyspace of kv; empty means the daemon's default.
  std::string keyspace = {};
  // For kv: keys and values are taken literally, so that neither blob: nor - has a meaning, and get
  // prints nothing but the value.
  bool raw = false;
  // The options of kv scan.
  bool reverse = false;
  bool keys_only = false;
  int64_t limit = 0;
  // The options of the commands that begin with `migrate`.
  MigrateCommand migrate;
  // The options of gen.
  GenCommand gen = {};
  // The options of token new.
  TokenCommand new_token = {};
  // The options of secret.
  SecretCommand secret = {};
};

// The result of ParseOptions: options to run with, or a text to print instead.
struct ParsedOptions {
  Options options;
  // Not empty for --help and --version. The caller prints it and exits with kExitOk.
  std::string text;
};

// Parses the arguments that follow the program's name. The environment variables PENSTOCK_TARGET,
// PENSTOCK_DATABASE and PENSTOCK_TOKEN_FILE are the defaults of their options. PENSTOCK_TOKEN is a
// token, and counts if no file is named. INVALID_ARGUMENT has a message for the user.
absl::StatusOr<ParsedOptions> ParseOptions(const std::vector<std::string>& arguments);

// Parses "10s", "500ms" or "1m30s". INVALID_ARGUMENT if the duration is not positive or has no
// unit.
absl::StatusOr<absl::Duration> ParseTimeout(std::string_view text);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_OPTIONS_H_
